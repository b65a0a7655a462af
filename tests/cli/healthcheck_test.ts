import assert from "node:assert/strict";
import { canMakeCertificates } from "../certificates.ts";
import { withSecureServer } from "../http/secure_server.ts";
import { withWorkplace } from "./workplace.ts";

Deno.test({
  name: "healthcheck that asks a server with a certificate in the clear hints at TLS_CERT_FILE",
  ignore: !await canMakeCertificates(),
  async fn() {
    await withWorkplace(async (workplace) => {
      await withSecureServer(() => new Response(), async ({ port }) => {
        const { code, hints } = await workplace.refused(["healthcheck"], { PORT: String(port) });
        assert.equal(code, "failed");
        assert.match(hints.join(), /HOST, PORT and TLS_CERT_FILE are the same here and there/);
      });
    });
  },
});
