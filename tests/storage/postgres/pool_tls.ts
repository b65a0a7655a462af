/** To whom the pool speaks, and by what way. */

import assert from "node:assert/strict";
import { parsePostgresUrl, type PostgresLocation } from "../../../lib/storage/postgres/location.ts";
import { eventually } from "../../blackbox/harness.ts";
import { makeCertificate, type Pair } from "../../certificates.ts";
import type { PostgresServer } from "../../servers/postgres.ts";
import { Tunnel } from "../../servers/tunnel.ts";
import { assertFault, fill, IMPATIENCE, withPool } from "./pools.ts";

const IS_TLS = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";

export function testTls(server: PostgresServer, tls: Pair): void {
  const url = server.url("postgres");
  const encrypted = `${url}?sslmode=verify-full`;
  /** How a server is spoken to, with these certificates. */
  const way = async (place: string | PostgresLocation, ca?: string): Promise<string> => {
    const { rows } = await withPool(
      place,
      { ca },
      (pool) => pool.read<{ ssl: boolean | null }>(IS_TLS),
    );
    return rows[0]?.ssl ? "TLS" : "plain";
  };

  Deno.test("a server is spoken to by TLS, but on this machine only where the URL asks for it", async () => {
    assert.equal(await way(url), "plain");
    assert.equal(await way(server.socketUrl("postgres")), "plain");
    for (const host of ["127.0.0.1", "localhost"]) {
      assert.equal(await way({ ...parsePostgresUrl(encrypted)!, host }, tls.cert), "TLS", host);
    }
  });

  Deno.test("a server whose certificate is another's, or by nobody who is trusted, is not spoken to", async () => {
    const place = parsePostgresUrl(encrypted)!;
    const other = await makeCertificate();
    for (const ca of [undefined, other.cert]) {
      await assertFault("unreachable", () => way(place, ca));
    }
    // The same server at an address that is not in its certificate.
    await using tunnel = new Tunnel(server.port, "127.0.0.2");
    const elsewhere = { ...place, host: "127.0.0.2", port: tunnel.port };
    await assertFault("unreachable", () => way(elsewhere, tls.cert));
    assert.equal(
      await way({ ...place, port: tunnel.port, isTls: false, host: "127.0.0.2" }),
      "plain",
    );
  });

  Deno.test("a server that knows no TLS is not spoken to without", async () => {
    const set = async (value: "on" | "off") => {
      await server.psql(`ALTER SYSTEM SET ssl = ${value}`);
      await server.psql("SELECT pg_reload_conf()");
      await eventually(`TLS is ${value}`, async () => {
        return await server.psql("SHOW ssl") === value ? true : undefined;
      });
    };
    await set("off");
    await assertFault("unreachable", () => way(encrypted, tls.cert)).finally(() => set("on"));
    assert.equal(await way(encrypted, tls.cert), "TLS");
  });

  Deno.test("a frozen server is given up by TLS, too", () =>
    withPool(encrypted, { ca: tls.cert, timeout: IMPATIENCE, max: 2 }, async (pool) => {
      await fill(pool, 2);
      await server.freeze();
      try {
        for (const _ of [1, 2, 3]) await assertFault("unreachable", () => pool.read("SELECT 1"));
      } finally {
        await server.thaw();
      }
      await fill(pool, 2);
    }));
}
