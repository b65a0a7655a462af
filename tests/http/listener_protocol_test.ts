import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:http2";
import { readBody } from "../../lib/http/body.ts";
import { HOSTNAME, sendRaw, withServer } from "./running_server.ts";

/** The status of a request by HTTP/2 with prior knowledge, for each of these authorities. */
async function http2Statuses(port: number, authorities: readonly string[]): Promise<unknown[]> {
  const session = connect(`http://${HOSTNAME}:${port}`);
  try {
    const statuses = [];
    for (const authority of authorities) {
      const stream = session.request({ ":path": "/", ":authority": authority });
      const [headers] = await once(stream, "response");
      stream.resume();
      await once(stream, "end");
      statuses.push(headers[":status"]);
    }
    return statuses;
  } finally {
    session.close();
    await once(session, "close");
  }
}

Deno.test("Server takes HTTP/2 with prior knowledge, under every authority that is valid", async () => {
  const reached: string[] = [];
  const handler = (request: Request) => {
    reached.push(new URL(request.url).host);
    return new Response("reached");
  };
  await withServer(handler, async ({ port }) => {
    const valid = [`localhost:${port}`, `${HOSTNAME}:${port}`, "a.example", "[::1]:8080"];
    assert.deepEqual(await http2Statuses(port, valid), [200, 200, 200, 200]);
    assert.deepEqual(reached, valid);
  });
});

Deno.test("Server refuses HTTP/2 under an authority that is none", async () => {
  let reached = 0;
  const handler = () => {
    reached++;
    return new Response("reached");
  };
  await withServer(handler, async ({ port }) => {
    const invalid = ["user@x", "user:password@x", "a@b:80"];
    assert.deepEqual(await http2Statuses(port, invalid), [400, 400, 400]);
    assert.equal(reached, 0);
    assert.deepEqual(await http2Statuses(port, ["a.example", "user@x"]), [200, 400]);
  });
});

Deno.test("Server refuses HTTP/1.1 without Host, after HTTP/2 has been served too", async () => {
  await withServer(() => new Response("reached"), async ({ port }) => {
    const bare = () => sendRaw(port, ["GET / HTTP/1.1", "Connection: close"]);
    assert.match(await bare(), /^HTTP\/1\.1 400 /);
    assert.deepEqual(await http2Statuses(port, [`localhost:${port}`]), [200]);
    assert.match(await bare(), /^HTTP\/1\.1 400 /);
  });
});

Deno.test("Server puts requests off until it begins, and refuses a bad Host all the same", async () => {
  await withServer(undefined, async ({ server, url, port }) => {
    const early = await fetch(url);
    assert.equal(early.status, 503);
    assert.equal(early.headers.get("retry-after"), "1");
    assert.equal(early.headers.get("x-content-type-options"), "nosniff");
    assert.equal((await early.json()).error, "overloaded");
    const bad = ["GET / HTTP/1.1", "Host: a@b", "Connection: close"];
    assert.match(await sendRaw(port, bad), /^HTTP\/1\.1 400 /);
    server.begin(() => new Response("begun"));
    assert.equal(await (await fetch(url)).text(), "begun");
  });
});

Deno.test("Server tells who was too slow that the connection is over", async () => {
  const handler = async (request: Request) => {
    await readBody(request, { maxBytes: 100, timeout: 20 });
    return new Response("read");
  };
  await withServer(handler, async ({ port }) => {
    using connection = await Deno.connect({ hostname: HOSTNAME, port });
    const head = ["POST / HTTP/1.1", "Host: localhost", "Content-Length: 50", "", "the beginning"];
    await connection.write(new TextEncoder().encode(head.join("\r\n")));
    const buffer = new Uint8Array(4096);
    const read = await connection.read(buffer);
    const answer = new TextDecoder().decode(buffer.subarray(0, read!));
    assert.match(answer, /^HTTP\/1\.1 408 /);
    assert.match(answer, /\r\nconnection: close\r\n/i);
  });
});

Deno.test("Server says of its own answers that they are of the type that they name", async () => {
  await withServer(() => Promise.reject(new Error("unexpected")), async ({ url, port }) => {
    const bad = ["GET / HTTP/1.1", "Host: a@b", "Connection: close"];
    assert.match(await sendRaw(port, bad), /\r\nx-content-type-options: nosniff\r\n/i);
    const failed = await fetch(url);
    assert.deepEqual([failed.status, failed.headers.get("x-content-type-options")], [
      500,
      "nosniff",
    ]);
    await failed.body?.cancel();
  });
});

Deno.test("Server refuses a target in absolute form whose authority is none, whatever Host says", async () => {
  await withServer((request) => new Response(new URL(request.url).pathname), async ({ port }) => {
    const ask = (target: string) =>
      sendRaw(port, [`GET ${target} HTTP/1.1`, "Host: localhost", "Connection: close"]);
    for (const authority of ["256.256.256.256", "a:b:c", "a:99999", "xn--", "1.2.3.4.5"]) {
      assert.match(await ask(`http://${authority}/`), /^HTTP\/1\.1 400 /, authority);
    }
    assert.match(await ask("http://a.example:80/"), /^HTTP\/1\.1 200 /);
  });
});
