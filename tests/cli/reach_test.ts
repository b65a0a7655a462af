import assert from "node:assert/strict";
import { withWorkplace, type Workplace } from "./workplace.ts";

/** Runs `body` with a server on this machine that gives `answer`. */
async function withIssuer(
  answer: () => Response | Promise<Response>,
  body: (port: string) => Promise<void>,
): Promise<void> {
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, answer);
  await body(String(server.addr.port));
}

async function issuerFinding(workplace: Workplace, env: Record<string, string | undefined>) {
  return (await workplace.examine(env)).find(({ check }) => check === "issuer")!;
}

Deno.test("doctor asks the server on HOST and PORT when ISSUER is not set", async () => {
  await withWorkplace(async (workplace) => {
    await withIssuer(() => new Response(workplace.published), async (PORT) => {
      for (const [HOST, name] of [["127.0.0.1", "127.0.0.1"], ["0.0.0.0", "localhost"]] as const) {
        const found = await issuerFinding(workplace, { ISSUER: undefined, HOST, PORT });
        assert.equal(found.status, "ok", found.message);
        assert.ok(found.message.startsWith(`http://${name}:${PORT}/.well-known/jwks.json `));
      }
      const elsewhere = await issuerFinding(workplace, { PORT }); // ISSUER leads to nobody
      assert.equal(elsewhere.status, "warning");
      assert.match(elsewhere.message, /cannot be reached/);
    });
    const other = () => Response.json({ keys: [] });
    await withIssuer(other, async (PORT) => {
      const found = await issuerFinding(workplace, { ISSUER: undefined, PORT });
      assert.equal(found.status, "problem");
      assert.match(found.message, /publishes other keys/);
    });
  }, { alg: "ES256" });
});

Deno.test("healthcheck is silent about a server that is ready, and says where it found none", async () => {
  await withWorkplace(async (workplace) => {
    const answers: [Response, string | undefined][] = [
      [new Response("{}"), undefined],
      [new Response("", { status: 503 }), "is not ready: HTTP 503"],
      [new Response("", { status: 404 }), "is not ready: HTTP 404"],
      [new Response("", { status: 307, headers: { location: "/" } }), "is not ready: HTTP 307"],
    ];
    let free = "";
    for (const [response, words] of answers) {
      await withIssuer(() => response, async (PORT) => {
        free = PORT;
        const { stdout, stderr, error } = await workplace.execute(["healthcheck"], { PORT });
        assert.equal(stdout, "");
        const url = `http://127.0.0.1:${PORT}/readyz`;
        const said = words && `jwks-server: error: the server at ${url} ${words}\n`;
        assert.equal(stderr, said ?? "");
        assert.equal(error === undefined, words === undefined);
      });
    }
    const { stderr } = await workplace.execute(["healthcheck"], { PORT: free });
    assert.deepEqual(stderr.trimEnd().split("\n"), [
      `jwks-server: error: the server does not answer at http://127.0.0.1:${free}/readyz`,
      "jwks-server: hint: see that it runs, and that HOST, PORT and TLS_CERT_FILE are the same here and there",
    ]);
  }, { alg: "ES256" });
});

Deno.test("healthcheck needs no database and no secret", async () => {
  await withWorkplace(async (workplace) => {
    await withIssuer(() => new Response("{}"), async (PORT) => {
      const env = { PORT, DATABASE: `${workplace.directory}/none`, NOT_MY_KEY: undefined };
      assert.equal(await workplace.run(["healthcheck"], env), "");
    });
  }, { alg: "ES256" });
});

Deno.test("doctor reads no more of an issuer's answer than a JWK set has", async () => {
  await withWorkplace(async (workplace) => {
    let sent = 0;
    const endless = () =>
      new Response(
        new ReadableStream({
          pull(controller) {
            const chunk = new Uint8Array(65_536);
            sent += chunk.length;
            controller.enqueue(chunk);
          },
        }),
      );
    await withIssuer(endless, async (PORT) => {
      const found = await issuerFinding(workplace, { ISSUER: undefined, PORT });
      assert.match(found.message, /publishes other keys/);
    });
    assert.ok(sent < 16 * 1024 * 1024, `${sent} bytes were sent`);
  }, { alg: "ES256" });
});
