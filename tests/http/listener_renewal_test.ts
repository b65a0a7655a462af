import assert from "node:assert/strict";
import { canMakeCertificates, makeCertificate } from "../certificates.ts";
import { clientOf, connectSecurely, withSecureServer } from "./secure_server.ts";

const ignore = !await canMakeCertificates();

/** A request over a connection that goes on, and what is answered. */
async function ask(connection: Deno.TlsConn, path: string): Promise<string> {
  const head = `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
  await connection.write(new TextEncoder().encode(head));
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(4096);
  let text = "";
  while (!text.endsWith("\r\n0\r\n\r\n")) {
    const read = await connection.read(buffer);
    if (read === null) throw new Error(`The connection has ended after: ${text}`);
    text += decoder.decode(buffer.subarray(0, read));
  }
  return text;
}

Deno.test({
  name: "Server.renew() gives new connections the new certificate, and leaves the others alone",
  ignore,
  fn: async () => {
    const arrived = Promise.withResolvers<void>();
    const held = Promise.withResolvers<Response>();
    await withSecureServer((request) => {
      if (!request.url.endsWith("/held")) return new Response("quick");
      arrived.resolve();
      return held.promise;
    }, async ({ server, port, certificate: old, lines }) => {
      using kept = await connectSecurely(port, old);
      assert.match(await ask(kept, "/"), /quick/);
      using before = clientOf(old, 2);
      const url = `https://localhost:${port}/`;
      const inFlight = fetch(`${url}held`, { client: before });
      await arrived.promise;

      const renewed = await makeCertificate();
      server.renew(renewed);
      using after = clientOf(renewed, 2);
      assert.equal(await (await fetch(url, { client: after })).text(), "quick");
      using ignorant = clientOf(old, 1);
      await assert.rejects(fetch(url, { client: ignorant }), TypeError);
      assert.match(await ask(kept, "/"), /quick/);
      assert.equal(await (await fetch(url, { client: before })).text(), "quick");
      held.resolve(new Response("late"));
      assert.equal(await (await inFlight).text(), "late");
      assert.deepEqual(lines, []);
    });
  },
});

Deno.test({
  name: "Server.renew() takes no certificate that cannot be used, and goes on with the old one",
  ignore,
  fn: async () => {
    await withSecureServer(() => new Response("served"), async ({ server, port, certificate }) => {
      const { key } = await makeCertificate();
      assert.throws(() => server.renew({ cert: certificate.cert, key }));
      using client = clientOf(certificate, 1);
      assert.equal(await (await fetch(`https://localhost:${port}/`, { client })).text(), "served");
    });
  },
});

Deno.test({
  name: "Server loses no connection while the certificate is renewed twenty times",
  ignore,
  fn: async () => {
    await withSecureServer(() => new Response("served"), async ({ server, port, certificate }) => {
      const url = `https://localhost:${port}/`;
      let isOver = false;
      let served = 0;
      const hammer = async (version: 1 | 2, isKept: boolean) => {
        let client = clientOf(certificate, version);
        while (!isOver) {
          assert.equal(await (await fetch(url, { client })).text(), "served");
          served++;
          if (isKept) continue;
          client.close();
          client = clientOf(certificate, version);
        }
        client.close();
      };
      const hammers = [hammer(1, false), hammer(1, false), hammer(2, false), hammer(1, true)];
      const work = Promise.all([...hammers, hammer(2, true)]).catch((error) => error);
      for (let i = 0; i < 20; i++) {
        server.renew(certificate);
        await new Promise((resolve) => setTimeout(resolve, 25)); // the clients go on meanwhile
      }
      isOver = true;
      const outcome = await work;
      assert.ok(Array.isArray(outcome), String(outcome));
      assert.ok(served > 40, `${served} requests`);
    });
  },
});
