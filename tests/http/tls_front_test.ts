import assert from "node:assert/strict";
import { within } from "../../lib/base/deadline.ts";
import { TlsFront } from "../../lib/http/tls_front.ts";
import { canMakeCertificates, makeCertificate, type Pair } from "../certificates.ts";
import { FakeClock, recordingLog } from "../support.ts";
import { HOSTNAME } from "./running_server.ts";
import { clientOf, connectSecurely } from "./secure_server.ts";

const ignore = !await canMakeCertificates();

interface Front {
  front: TlsFront;
  port: number;
  certificate: Pair;
  time: FakeClock;
  /** Where the server behind it listens. */
  inner: () => string;
}

async function withFront(body: (front: Front) => Promise<void>): Promise<void> {
  const certificate = await makeCertificate();
  const time = new FakeClock(0);
  let inner = "";
  const front = new TlsFront({
    hostname: HOSTNAME,
    port: 0,
    certificate,
    handler: (_request, _info, fallbacks) => {
      [inner] = fallbacks as [string];
      return new Response("served");
    },
    onError: () => new Response(null, { status: 500 }),
    log: recordingLog().log,
    patience: { first: 10_000, next: 60_000 },
    now: time.clock,
  });
  const { port } = front.addr;
  await body({ front, port, certificate, time, inner: () => inner }).finally(() =>
    front.shutdown()
  );
}

/** Is answered over a connection that goes on. */
async function ask(connection: Deno.TlsConn): Promise<void> {
  await connection.write(new TextEncoder().encode("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
  const buffer = new Uint8Array(4096);
  const read = await connection.read(buffer);
  assert.match(new TextDecoder().decode(buffer.subarray(0, read ?? 0)), /^HTTP\/1\.1 200 /);
}

/** Whether the other side has ended the connection, or ends it within a moment. */
async function hasEnded(connection: Deno.Conn): Promise<boolean> {
  const reading = connection.read(new Uint8Array(1)).catch(() => null); // reset
  return await within(1000, reading) && await reading === null;
}

Deno.test({
  name: "TlsFront closes connections that are without a request for too long",
  ignore,
  fn: () =>
    withFront(async ({ front, port, certificate, time }) => {
      using silent = await Deno.connect({ hostname: HOSTNAME, port });
      using shaken = await connectSecurely(port, certificate);
      await shaken.write(new TextEncoder().encode("GET / HTTP/1.1\r\nX: y")); // and never the rest
      using kept = await connectSecurely(port, certificate);
      await ask(kept);
      time.advance(10.001);
      front.sweep();
      assert.equal(await hasEnded(silent), true);
      assert.equal(await hasEnded(shaken), true);
      await ask(kept);
      time.advance(59);
      front.sweep();
      await ask(kept);
      time.advance(60.001);
      front.sweep();
      assert.equal(await hasEnded(kept), true);
    }),
});

Deno.test({
  name: "TlsFront serves nobody who comes to the server behind it by another way",
  ignore,
  fn: () =>
    withFront(async ({ port, certificate, inner }) => {
      using client = clientOf(certificate, 1);
      assert.equal(await (await fetch(`https://localhost:${port}/`, { client })).text(), "served");
      const answer = await fetch(`https://${inner()}/`, { client });
      assert.equal(answer.status, 400);
      assert.equal((await answer.json()).error, "invalid_request");
    }),
});
