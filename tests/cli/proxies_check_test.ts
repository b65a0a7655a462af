import assert from "node:assert/strict";
import { canMakeCertificates, makeCertificate, writePair } from "../certificates.ts";
import { withWorkplace } from "./workplace.ts";

Deno.test("doctor warns of an https issuer without a certificate that trusts no proxy", async () => {
  await withWorkplace(async (workplace) => {
    const proxies = async (env: Record<string, string>) =>
      (await workplace.examine(env)).find(({ check }) => check === "proxies")!;
    const ISSUER = "https://127.0.0.1:9";
    const { status, message, hint } = await proxies({ ISSUER });
    assert.equal(status, "warning");
    assert.match(message, /ISSUER is https:.*a proxy must stand in front/);
    assert.match(hint!, /^set TRUSTED_PROXIES .*share one rate limit/);
    assert.equal((await proxies({ ISSUER, TRUSTED_PROXIES: "127.0.0.1" })).status, "ok");
    assert.equal((await proxies({ ISSUER, HOST: "0.0.0.0" })).hint, hint);
    assert.equal((await proxies({})).status, "ok");
  }, { alg: "ES256" });
});

Deno.test({
  name: "doctor says nothing of proxies where the https issuer has its own certificate",
  ignore: !await canMakeCertificates(),
  fn: async () => {
    await withWorkplace(async (workplace) => {
      const pair = await makeCertificate({ days: 60, name: "tokens.example" });
      const { certFile, keyFile } = await writePair(workplace.directory, pair);
      const { proxies } = await workplace.findings({
        ISSUER: "https://127.0.0.1:9",
        TLS_CERT_FILE: certFile,
        TLS_KEY_FILE: keyFile,
      });
      assert.equal(proxies, "ok");
    }, { alg: "ES256" });
  },
});
