import assert from "node:assert/strict";
import { describePostgres, parsePostgresUrl } from "../../../lib/storage/postgres/location.ts";

const NETWORK = {
  host: "db.example",
  isSocket: false,
  isTls: true,
  port: 5432,
  user: "jwks",
  password: undefined,
  database: "tokens",
};

Deno.test("parsePostgresUrl() takes the parts of a URL", () => {
  const expected: Record<string, object> = {
    "postgres://jwks@db.example/tokens": NETWORK,
    "postgresql://jwks@db.example:5432/tokens": NETWORK,
    "postgres://jwks:p%40ss%2Fw%3Ard@db.example:6543/tokens": {
      ...NETWORK,
      port: 6543,
      password: "p@ss/w:rd",
    },
    "postgres://jwks@[2001:db8::1]/tokens": { ...NETWORK, host: "2001:db8::1" },
    "postgres://jwks@db.example": { ...NETWORK, database: "jwks" },
    "postgres://jwks@db.example/tokens?sslmode=verify-full": NETWORK,
    "postgres://jwks@db.example/a%20b": { ...NETWORK, database: "a b" },
    "postgres:///tokens?host=/run/postgresql&user=jwks&port=6543": {
      ...NETWORK,
      host: "/run/postgresql",
      isSocket: true,
      isTls: false,
      port: 6543,
    },
    "postgres://jwks@%2Frun%2Fpostgresql/tokens": {
      ...NETWORK,
      host: "/run/postgresql",
      isSocket: true,
      isTls: false,
    },
  };
  for (const [url, location] of Object.entries(expected)) {
    assert.deepEqual(parsePostgresUrl(url), location, url);
  }
});

Deno.test("parsePostgresUrl() asks for TLS wherever the way leaves this machine, or the URL does", () => {
  const isTls = (rest: string) => parsePostgresUrl(`postgres://${rest}`)!.isTls;
  const local = ["localhost", "127.0.0.1", "127.8.0.1", "[::1]"];
  for (const host of local) {
    assert.equal(isTls(`jwks@${host}/x`), false, host);
    assert.equal(isTls(`jwks@${host}/x?sslmode=verify-full`), true, host);
  }
  for (const host of ["db", "127.0.0.1.example", "localhost.example", "128.0.0.1", "[::2]"]) {
    assert.equal(isTls(`jwks@${host}/x`), true, host);
  }
  assert.equal(isTls("/x?host=/run&user=jwks&sslmode=verify-full"), false);
});

Deno.test("parsePostgresUrl() refuses what says too little, twice, or something that it would not do", () => {
  for (
    const url of [
      "tokens.db",
      "mysql://jwks@db.example/tokens",
      "postgres:jwks@db.example/tokens",
      "postgres://db.example/tokens",
      "postgres:///tokens?user=jwks",
      "postgres://jwks@db.example:0/tokens",
      "postgres://jwks@db.example:70000/tokens",
      "postgres://jwks@db.example/tokens?sslmode=disable",
      "postgres://jwks@db.example/tokens?sslmode=prefer",
      "postgres://jwks@db.example/tokens?options=-csearch_path%3Dx",
      "postgres://jwks@db.example/tokens?host=other",
      "postgres://jwks@db.example/tokens?user=other",
      "postgres:///tokens?host=/a&host=/b&user=jwks",
      "postgres://jwks:%@db.example/tokens",
      "postgres://jwks:%00@db.example/tokens",
      "postgres://jwks@db.example/tokens#part",
    ]
  ) {
    assert.equal(parsePostgresUrl(url), undefined, url);
  }
});

Deno.test("describePostgres() names the database, and never the password", () => {
  const describe = (url: string) => describePostgres(parsePostgresUrl(url)!);
  assert.equal(describe("postgres://jwks:pass@db.example/x"), "x of jwks at db.example:5432");
  assert.equal(describe("postgres://jwks:pass@[::1]/x"), "x of jwks at [::1]:5432");
  assert.equal(
    describe("postgres://jwks:pass@%2Frun/x"),
    "x of jwks at /run/.s.PGSQL.5432",
  );
});
