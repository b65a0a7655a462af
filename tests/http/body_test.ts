import assert from "node:assert/strict";
import { connect } from "node:net";
import { once } from "node:events";
import { BODY_LIMITS, leaveUnread, readBody } from "../../lib/http/body.ts";
import { assertRefused, close, post, streamOf } from "./posted.ts";

const KINDS = ["bytes", "pieces"] as const;
const encoder = new TextEncoder();

Deno.test("readBody() gives the bytes as they were sent, and none when there are none", async () => {
  const bytes = crypto.getRandomValues(new Uint8Array(5000));
  assert.deepEqual(await readBody(post(bytes)), bytes);
  assert.deepEqual(await readBody(post(null)), new Uint8Array());
  assert.deepEqual(await readBody(post("")), new Uint8Array());
});

Deno.test("readBody() refuses by Content-Length without reading the body", async () => {
  for (const kind of KINDS) {
    const { stream, seen } = streamOf((controller) => controller.enqueue(new Uint8Array(1)), kind);
    const request = post(stream, { "content-length": String(BODY_LIMITS.maxBytes + 1) });
    await assertRefused(() => readBody(request), "payload_too_large");
    assert.equal(seen.pulls, 0);
    assert.equal(request.body!.locked, false);
  }
});

Deno.test("readBody() stops reading a chunked body as soon as it is too large, and lets go of it", async () => {
  await Promise.all(KINDS.map(async (kind) => {
    const { stream, seen } = streamOf((own) => own.enqueue(new Uint8Array(1024)), kind);
    await assertRefused(() => readBody(post(stream)), "payload_too_large");
    assert.equal(seen.pulls, 9);
    await seen.cancelled;
  }));
});

Deno.test("readBody() does not believe a Content-Length that is too small", async () => {
  const { stream } = streamOf((controller) => controller.enqueue(new Uint8Array(1024)));
  const request = post(stream, { "content-length": "10" });
  await assertRefused(() => readBody(request), "payload_too_large");
});

Deno.test("readBody() takes a body of exactly the limit and refuses one byte more", async () => {
  const limits = { maxBytes: 100, timeout: 1000 };
  for (const body of [new Uint8Array(100), "x".repeat(100)]) {
    assert.equal((await readBody(post(body), limits)).length, 100);
  }
  for (const body of [new Uint8Array(101), "x".repeat(101), "ü".repeat(51)]) {
    await assertRefused(() => readBody(post(body), limits), "payload_too_large");
  }
  assert.deepEqual(BODY_LIMITS, { maxBytes: 8192, timeout: 10_000 });
});

Deno.test("readBody() refuses a body that arrives too slowly, and lets go of it", async () => {
  const limits = { maxBytes: 100, timeout: 5 };
  const start = performance.now();
  await Promise.all(KINDS.map(async (kind) => {
    const silent = streamOf(() => {}, kind); // nothing ever comes
    await assertRefused(() => readBody(post(silent.stream), limits), "request_timeout");
    const slow = streamOf((own) => setTimeout(() => own.enqueue(new Uint8Array(1)), 1), kind);
    await assertRefused(() => readBody(post(slow.stream), limits), "request_timeout");
    await Promise.all([silent.seen.cancelled, slow.seen.cancelled]);
  }));
  assert.ok(performance.now() - start < 1000, "it waited for more than the limit");
});

Deno.test("readBody() refuses a body that breaks off, in words of its own", async () => {
  for (const kind of KINDS) {
    let pulls = 0;
    const { stream } = streamOf((controller) => {
      if (pulls++ === 0) controller.enqueue(new Uint8Array(300));
      else controller.error(new Error("socket /tmp/s broke"));
    }, kind);
    const message = await assertRefused(() => readBody(post(stream)), "invalid_request");
    assert.doesNotMatch(message, /socket|tmp/);
  }
});

Deno.test("readBody() puts together what arrives in pieces of any size", async () => {
  const bytes = crypto.getRandomValues(new Uint8Array(8000));
  for (const kind of KINDS) {
    let sent = 0;
    const { stream } = streamOf((controller) => {
      if (sent === bytes.length) return close(controller);
      controller.enqueue(bytes.slice(sent, sent += Math.min(bytes.length - sent, 300 + sent)));
    }, kind);
    assert.deepEqual(await readBody(post(stream)), bytes);
  }
});

Deno.test("readBody() reads a body right that a client sends byte by byte", async () => {
  const bytes = encoder.encode("0123456789".repeat(800));
  const received = Promise.withResolvers<Uint8Array>();
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    received.resolve(await readBody(request));
    return new Response("read");
  });
  const socket = connect({ host: "127.0.0.1", port: server.addr.port, noDelay: true });
  await once(socket, "connect");
  socket.write(`POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${bytes.length}\r\n\r\n`);
  for (const byte of bytes) {
    await new Promise((resolve) => socket.write(Uint8Array.of(byte), resolve));
  }
  assert.deepEqual(await received.promise, bytes);
  const [answer] = await once(socket, "data");
  assert.match(String(answer), /^HTTP\/1\.1 200 /);
  socket.destroy();
  await server.shutdown();
});

Deno.test("leaveUnread() takes a body that nobody reads out of the runtime's hands, and drops it", async () => {
  await Promise.all(KINDS.map(async (kind) => {
    const { stream, seen } = streamOf((own) => own.enqueue(new Uint8Array(1024)), kind);
    const request = post(stream);
    leaveUnread(request);
    assert.equal(request.body!.locked, true);
    assert.equal(seen.isCancelled, false); // the client has time to take the answer
    await seen.cancelled;
    assert.equal(seen.pulls, 0);
  }));
});

Deno.test("leaveUnread() leaves a body alone that is read, and a request without one", async () => {
  const request = post("text");
  const reading = readBody(request);
  leaveUnread(request);
  assert.equal(new TextDecoder().decode(await reading), "text");
  const bodyless = post(null);
  leaveUnread(bodyless);
  assert.equal(bodyless.body, null);
});
