import assert from "node:assert/strict";
import { checkCertificate } from "../../lib/cli/file_checks.ts";
import { canMakeCertificates, makeCertificate, writePair } from "../certificates.ts";
import { load } from "../server/loaded.ts";
import { FakeClock, withTempDir } from "../support.ts";
import { withWorkplace } from "./workplace.ts";

const ignore = !await canMakeCertificates();
const DAY = 86_400;

Deno.test({
  name: "doctor warns 30 days before a certificate ends, and finds a problem in one that has",
  ignore,
  fn: async () => {
    await withTempDir(async (directory) => {
      const pair = await makeCertificate({ days: 60, name: "tokens.example" });
      const { certFile, keyFile } = await writePair(directory, pair);
      const config = load({ TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile });
      const after = async (days: number) => {
        const time = new FakeClock(Date.now());
        time.advance(days * DAY);
        const [finding] = await checkCertificate(config, time.clock);
        return finding!;
      };
      assert.equal((await after(29)).status, "ok");
      assert.equal((await after(31)).status, "warning");
      const ended = await after(61);
      assert.equal(ended.status, "problem");
      assert.match(ended.message, /tokens\.example.* ended 20/);
      assert.match(ended.hint!, /renew it/);
      assert.equal((await after(-1)).status, "problem"); // not valid yet
      assert.deepEqual(await checkCertificate(load(), Date.now), []);
    });
  },
});

Deno.test({
  name: "doctor checks that the certificate fits its key, and who may read that",
  ignore,
  fn: async () => {
    const pair = await makeCertificate();
    await withWorkplace(async (workplace) => {
      const { certFile, keyFile } = await writePair(workplace.directory, pair);
      const env = { TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile };
      const sound = await workplace.findings(env);
      assert.deepEqual([sound.certificate, sound["TLS key file"]], ["ok", "ok"]);
      await Deno.chmod(keyFile, 0o644);
      assert.equal((await workplace.findings(env))["TLS key file"], "problem");
      await Deno.writeTextFile(keyFile, (await makeCertificate()).key);
      const findings = await workplace.examine(env);
      const { status, message } = findings.find(({ check }) => check === "certificate")!;
      assert.equal(status, "problem");
      assert.match(message, /cannot be used together/);
    }, { alg: "ES256" });
  },
});

Deno.test({
  name: "doctor asks the issuer over HTTPS with the server's own certificate",
  ignore,
  fn: async () => {
    const pair = await makeCertificate();
    await withWorkplace(async (workplace) => {
      const { certFile, keyFile } = await writePair(workplace.directory, pair);
      const options = { hostname: "127.0.0.1", port: 0, ...pair, onListen() {} };
      await using server = Deno.serve(options, () => new Response(workplace.published));
      const env = {
        TLS_CERT_FILE: certFile,
        TLS_KEY_FILE: keyFile,
        PORT: String(server.addr.port),
        ISSUER: undefined,
      };
      assert.equal((await workplace.findings(env)).issuer, "ok");
      await writePair(workplace.directory, await makeCertificate()); // whom the server is not
      assert.equal((await workplace.findings(env)).issuer, "warning");
    }, { alg: "ES256" });
  },
});

Deno.test({
  name: "doctor says when it is the issuer's certificate that is not trusted, and what to do",
  ignore,
  fn: async () => {
    const pair = await makeCertificate();
    await using server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, ...pair, onListen() {} },
      () => new Response(""),
    );
    await withWorkplace(async (workplace) => {
      const issuerFinding = async (host: string, env = {}) => {
        const ISSUER = `https://${host}:${server.addr.port}`;
        const findings = await workplace.examine({ ISSUER, ...env });
        return findings.find(({ check }) => check === "issuer")!;
      };
      const { status, message, hint } = await issuerFinding("127.0.0.1");
      assert.equal(status, "warning");
      assert.match(message, /^the certificate at https:.* is not trusted here: UnknownIssuer$/);
      assert.match(hint!, /DENO_CERT.*DENO_TLS_CA_STORE=system/);
      const { certFile, keyFile } = await writePair(workplace.directory, pair);
      const own = await issuerFinding("127.0.0.1", {
        TLS_CERT_FILE: certFile,
        TLS_KEY_FILE: keyFile,
      });
      assert.match(own.message, /publishes other keys/, "its own certificate is trusted");
    }, { alg: "ES256" });
  },
});
