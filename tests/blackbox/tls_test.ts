import assert from "node:assert/strict";
import { canMakeCertificates, makeCertificate, type Pair, writePair } from "../certificates.ts";
import { assertRefusal, done } from "./commands.ts";
import { Directory, eventually, Server } from "./harness.ts";
import { works } from "./skip.ts";

const ignore = !await canMakeCertificates();
const hasCurl = await works(["curl", "--http2", "--version"], "HTTP/2 by curl");

/** A directory with a certificate, and the variables that name it. */
async function prepare(pair: Pair) {
  const directory = new Directory();
  const { certFile, keyFile } = await writePair(directory.path, pair);
  return { directory, env: { TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile } };
}

/** What curl says of the answer: its version of HTTP, its status, and the body. */
async function curl(url: string, cert: string, ...options: string[]): Promise<string> {
  const args = ["-s", "--cacert", cert, "-w", "%{http_version} %{http_code} ", ...options, url];
  const { stdout } = await new Deno.Command("curl", { args, stdin: "null" }).output();
  return new TextDecoder().decode(stdout);
}

Deno.test({
  name: "with a certificate the server speaks HTTPS, by HTTP/2 and HTTP/1.1, and names itself so",
  ignore: ignore || !hasCurl,
  fn: async () => {
    const { directory, env } = await prepare(await makeCertificate());
    await using _ = directory;
    await using server = await Server.start({ directory, env });
    assert.match(server.url, /^https:\/\/127\.0\.0\.1:\d+$/);
    const ask = (path: string, ...options: string[]) =>
      curl(server.url + path, env.TLS_CERT_FILE, ...options);
    const silently = ["-o", "/dev/null"];
    assert.equal(await ask("/.well-known/jwks.json", "--http2", ...silently), "2 200 ");
    assert.equal(await ask("/.well-known/jwks.json", "--http1.1", ...silently), "1.1 200 ");
    assert.equal(await ask("/", "--http1.1", "-H", "Host: a@b", ...silently), "1.1 400 ");
    const metadata = await ask("/.well-known/oauth-authorization-server");
    assert.match(metadata, new RegExp(`"issuer":"https://localhost:${server.port}"`));
    const clear = await curl(server.url.replace("https", "http"), env.TLS_CERT_FILE);
    assert.equal(clear, "0 000 "); // it speaks nothing else there
    await done(directory, ["healthcheck"], { env: { ...env, PORT: String(server.port) } });
  },
});

Deno.test({
  name: "a certificate that replaces another by a rename is taken while the server runs",
  ignore,
  fn: async () => {
    const { directory, env } = await prepare(await makeCertificate());
    await using _ = directory;
    await using server = await Server.start({ directory, env });
    const renewed = await makeCertificate();
    for (
      const [file, text] of [[env.TLS_KEY_FILE, renewed.key], [env.TLS_CERT_FILE, renewed.cert]]
    ) {
      await Deno.writeTextFile(`${file}.new`, text!, { mode: 0o600 });
      await Deno.rename(`${file}.new`, file!);
    }
    await eventually("the new certificate is there", async () => {
      using client = Deno.createHttpClient({ caCerts: [renewed.cert] });
      const asked = fetch(`${server.url}/.well-known/jwks.json`, { client });
      return await asked.then(({ body }) => body!.cancel().then(() => true), () => undefined);
    });
    assert.match(server.stderr, /"message":"the certificate was renewed","names":"[^"]*localhost/);
    assert.equal((await server.stop()).code, 0);
  },
});

Deno.test({
  name: "a certificate that cannot be used is refused at the start, and nothing is made",
  ignore,
  fn: async () => {
    const pair = await makeCertificate();
    const { key } = await makeCertificate();
    const { directory, env } = await prepare({ ...pair, key });
    await using _ = directory;
    const before = await directory.digests();
    const outcome = await directory.run([], { env: { ...env, PORT: "0" } });
    assertRefusal(outcome, 78, /TLS_CERT_FILE .* TLS_KEY_FILE cannot be used together/);
    const alone = await directory.run([], { env: { TLS_KEY_FILE: env.TLS_KEY_FILE } });
    assert.match(alone.stderr, /hint: TLS_KEY_FILE is set without TLS_CERT_FILE;/);
    assert.equal(alone.code, 78);
    assert.deepEqual(await directory.digests(), before);
  },
});
