import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:http2";
import { createFindClient } from "../../lib/http/client_address.ts";
import { canMakeCertificates, type Pair } from "../certificates.ts";
import { HOSTNAME } from "./running_server.ts";
import { clientOf, connectSecurely, sendSecurely, withSecureServer } from "./secure_server.ts";

const ignore = !await canMakeCertificates();

/** A body that no buffer on the way takes in whole, in bytes. */
const LARGE = 12_000_000;

/** The statuses of requests over HTTP/2 under these authorities. */
async function statuses(port: number, { cert }: Pair, authorities: readonly string[]) {
  const session = connect(`https://${HOSTNAME}:${port}`, { ca: cert });
  try {
    const found: unknown[] = [];
    for (const authority of authorities) {
      const stream = session.request({ ":path": "/", ":authority": authority });
      const [headers] = await once(stream, "response");
      stream.resume();
      await once(stream, "end");
      found.push(headers[":status"]);
    }
    return found;
  } finally {
    session.close();
    await once(session, "close");
  }
}

Deno.test({
  name: "Server speaks HTTP/1.1 and HTTP/2 over TLS, and tells the handler where the client is",
  ignore,
  fn: async () => {
    const findClient = createFindClient([]);
    await withSecureServer(async (request, { remoteAddr }) => {
      const host = request.headers.has("host") ? 1 : 2;
      return Response.json([host, findClient(remoteAddr.hostname, null).ip, await request.text()]);
    }, async ({ port, certificate }) => {
      for (const version of [1, 2] as const) {
        const address = `127.0.0.${version + 1}`;
        using client = clientOf(certificate, version, address);
        const body = "x".repeat(5000);
        const init = { client, method: "POST", body };
        const answer = await fetch(`https://localhost:${port}/path`, init);
        assert.deepEqual(await answer.json(), [version, address, body]);
      }
    });
  },
});

for (const hostname of ["127.0.0.1", "0.0.0.0", "::", "localhost"]) {
  Deno.test({
    name: `Server on ${hostname} checks the authority of HTTP/2 over TLS, and Host of HTTP/1.1`,
    ignore,
    fn: async () => {
      const reached: string[] = [];
      await withSecureServer((request) => {
        reached.push(new URL(request.url).host);
        return new Response("reached");
      }, async ({ port, certificate }) => {
        const valid = [`localhost:${port}`, "localhost", `${HOSTNAME}:${port}`, "a.example"];
        assert.deepEqual(await statuses(port, certificate, valid), [200, 200, 200, 200]);
        assert.deepEqual(reached, valid);
        const invalid = ["user@x", "a@b:80"];
        assert.deepEqual(await statuses(port, certificate, invalid), [400, 400]);
        const hosts = [[], ["Host: x/auth?"], ["Host: a@b"], ["Host:"], ["Host: a", "Host: a"]];
        for (const host of hosts) {
          const request = ["GET / HTTP/1.1", ...host, "Connection: close"];
          assert.match(await sendSecurely(port, certificate, request), /^HTTP\/1\.1 400 /);
        }
        assert.equal(reached.length, valid.length);
        const named = ["GET / HTTP/1.1", "Host: localhost", "Connection: close"];
        assert.match(await sendSecurely(port, certificate, named), /^HTTP\/1\.1 200 /);
      }, hostname);
    },
  });
}

Deno.test({
  name: "Server speaks TLS 1.2 and 1.3, and nothing older",
  ignore,
  fn: async () => {
    await withSecureServer(() => new Response(), async ({ port }) => {
      const shake = async (version: string) => {
        const args = ["s_client", "-connect", `${HOSTNAME}:${port}`, `-${version}`];
        args.push("-cipher", "DEFAULT@SECLEVEL=0");
        const command = new Deno.Command("openssl", { args, stdin: "null" });
        const { success, stderr } = await command.output();
        return [success, new TextDecoder().decode(stderr)] as const;
      };
      assert.equal((await shake("tls1_3"))[0], true);
      assert.equal((await shake("tls1_2"))[0], true);
      const [isTaken, words] = await shake("tls1_1");
      assert.equal(isTaken, false);
      assert.match(words, /alert (protocol version|handshake failure)/); // it was the server that refused
    });
  },
});

Deno.test({
  name: "Server answers over TLS at once, over HTTP/1.1 too",
  ignore,
  fn: async () => {
    const large = new TextEncoder().encode("x".repeat(2000));
    const headers = { "content-length": "2000" };
    await withSecureServer(
      () => new Response(large, { headers }),
      async ({ port, certificate }) => {
        for (const version of [1, 2] as const) {
          using client = clientOf(certificate, version);
          const times: number[] = [];
          for (let i = 0; i < 21; i++) {
            const start = performance.now();
            const answer = await fetch(`https://localhost:${port}/`, { client });
            assert.equal((await answer.bytes()).length, 2000);
            times.push(performance.now() - start);
          }
          const median = times.toSorted((a, b) => a - b)[10]!;
          assert.ok(median < 30, `${median} ms`); // a delayed acknowledgement takes 40
        }
      },
    );
  },
});

Deno.test({
  name: "Server delivers over TLS what is in flight when it stops",
  ignore,
  fn: async () => {
    const arrived = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<Response>();
    await withSecureServer(() => {
      arrived.resolve();
      return answer.promise;
    }, async ({ server, port, certificate, lines }) => {
      using connection = await connectSecurely(port, certificate);
      const request = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
      await connection.write(new TextEncoder().encode(request));
      await arrived.promise;
      const stopped = server.stop(5000);
      answer.resolve(new Response("#".repeat(LARGE)));
      const late = new Promise((resolve) => setTimeout(resolve, 200)); // the client takes its time
      const text = await late.then(() => new Response(connection.readable).text());
      assert.equal(text.split("#").length - 1, LARGE);
      await stopped;
      await assert.rejects(Deno.connect({ hostname: HOSTNAME, port }));
      assert.deepEqual(lines, []);
    });
  },
});
