/** A server that takes back the connection that it has just given. */

import assert from "node:assert/strict";
import { parsePostgresUrl } from "../../../lib/storage/postgres/location.ts";
import { PostgresPool } from "../../../lib/storage/postgres/pool.ts";

// Messages of the server (https://www.postgresql.org/docs/current/protocol-message-formats.html).
const AUTHENTICATED = message("R", "\0\0\0\0");
const READY = message("Z", "I");
const GOODBYE = message("E", "SFATAL\0VFATAL\0C57P01\0Mterminated\0\0");
const DONE = [message("1"), message("2"), message("n"), message("C", "SELECT 0\0"), READY].join("");

function message(type: string, body = ""): string {
  return type + String.fromCharCode(0, 0, 0, body.length + 4) + body;
}

/** Says goodbye in the same breath as it greets, to so many clients; then it answers. */
async function serve(listener: Deno.TcpListener, rejected: number): Promise<number> {
  let greeted = 0;
  for await (const connection of listener) {
    greeted++;
    answer(connection, greeted <= rejected ? GOODBYE : "").catch(() => {}); // the client has gone
  }
  return greeted;
}

async function answer(connection: Deno.Conn, goodbye: string): Promise<void> {
  using _closed = connection;
  const send = (text: string) =>
    connection.write(Uint8Array.from(text, (character) => character.charCodeAt(0)));
  const buffer = new Uint8Array(4096);
  await connection.read(buffer);
  await send(AUTHENTICATED + READY + goodbye);
  while (goodbye === "" && await connection.read(buffer) !== null) await send(DONE);
}

Deno.test("a connection that is ended as soon as it is made costs a try, and not the process", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const served = serve(listener, 2);
  const url = `postgres://jwks@127.0.0.1:${listener.addr.port}/jwks`;
  const pool = new PostgresPool(parsePostgresUrl(url)!);
  assert.deepEqual(await pool.write("SELECT"), { rows: [], count: 0 });
  await pool.close();
  listener.close();
  assert.equal(await served, 3);
});
