import assert from "node:assert/strict";
import { connect, parseResponse, send } from "./client.ts";
import { Server, UNLIMITED } from "./harness.ts";

let server: Server;
Deno.test.beforeAll(async () => void (server = await Server.start({ env: UNLIMITED })));
Deno.test.afterAll(() => server[Symbol.asyncDispose]());

const HOSTS: Record<string, string> = {
  "missing": "",
  "with a path": "Host: x/auth?\r\n",
  "with a user": "Host: a@b\r\n",
  "with a space": "Host: a b\r\n",
  "with a port that is none": "Host: a:99999\r\n",
  "empty": "Host: \r\n",
  "with a fragment": "Host: a#b\r\n",
  "with a backslash": "Host: a\\b\r\n",
  "a list": "Host: a,b\r\n",
};

for (const [how, hosts] of Object.entries(HOSTS)) {
  Deno.test(`a request whose Host is ${how} is 400`, async () => {
    for (const target of ["GET /.well-known/jwks.json", "POST /auth", "GET /nothing"]) {
      const { status, body } = parseResponse(
        await server.exchange(`${target} HTTP/1.1\r\n${hosts}Connection: close\r\n\r\n`),
      );
      assert.equal(status, 400);
      assert.equal(JSON.parse(body).error, "invalid_request");
    }
  });
}

Deno.test("a request with more than one Host is 400", async () => {
  for (const second of ["localhost", "example.com", "x/auth?", ""]) {
    const response = await server.exchange(
      "GET /.well-known/jwks.json HTTP/1.1\r\nHost: localhost\r\n" +
        `Host: ${second}\r\nConnection: close\r\n\r\n`,
    );
    assert.equal(parseResponse(response).status, 400); // Deno itself refuses it, with an empty body
  }
});

Deno.test("a Host with or without a port, by name or by address, is fine", async () => {
  for (
    const host of ["localhost", "localhost:8080", "127.0.0.1:1", "[::1]:8080", "a.example.com"]
  ) {
    const { status } = parseResponse(
      await server.exchange(
        `GET /.well-known/jwks.json HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
      ),
    );
    assert.equal(status, 200, host);
  }
});

Deno.test("bytes that are no HTTP end their own connection and nothing else", async () => {
  const garbage = [
    "\r\n\r\n\r\n\r\n",
    "GET\r\n\r\n",
    "GET / HTTP/9.9\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
    "POST /auth HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
    `GET /${"a".repeat(100_000)} HTTP/1.1\r\n\r\n`,
    `GET / HTTP/1.1\r\n${"A: b\r\n".repeat(5000)}\r\n`,
    crypto.getRandomValues(new Uint8Array(10_000)),
    new Uint8Array([0x16, 0x03, 0x01, 0x02, 0x00, 0x01]), // how TLS begins
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\u0000\u0000\u0000",
  ];
  for (const bytes of garbage) await abandon(bytes);
  assert.equal((await server.jwks()).status, 200);
  await server.token(await server.register());
});

/** Sends bytes and goes away after a moment. */
async function abandon(bytes: string | Uint8Array): Promise<void> {
  using connection = await connect(server.url);
  await send(connection, bytes);
  await new Promise((resolve) => setTimeout(resolve, 50));
}
