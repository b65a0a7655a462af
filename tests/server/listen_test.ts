import assert from "node:assert/strict";
import { isDomainError } from "../../lib/base/errors.ts";
import { listen } from "../../lib/server/listen.ts";
import { canMakeCertificates, makeCertificate } from "../certificates.ts";
import { recordingLog } from "../support.ts";

/** What is said when nothing can listen on an address. */
function refusalOf(hostname: string, port: number, certificate?: { cert: string; key: string }) {
  const { log } = recordingLog();
  try {
    listen({ hostname, port, certificate, log }, "HOST and PORT").stop(0);
  } catch (error) {
    if (!isDomainError(error, "failed")) throw error;
    return error.hints;
  }
  throw new Error("It listens");
}

/** A name that no resolver knows (RFC 6761 §6.4). */
const UNKNOWN = "nohost.invalid";

Deno.test("listen() says of a name that does not resolve that it does not, and of no other process", () => {
  assert.deepEqual(refusalOf(UNKNOWN, 0), [
    `the name ${UNKNOWN} does not resolve to an address: set HOST and PORT to another one`,
  ]);
});

Deno.test({
  name: "listen() says so of a server with a certificate, too",
  ignore: !await canMakeCertificates(),
  async fn() {
    assert.match(refusalOf(UNKNOWN, 0, await makeCertificate()).join(), /does not resolve/);
  },
});

Deno.test("listen() says of an address of another machine that this one does not have it", () => {
  assert.match(refusalOf("192.0.2.1", 0).join(), /^this machine has no such address: set HOST/);
});

Deno.test("listen() says of an address in use that another process may use it", () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  assert.match(refusalOf("127.0.0.1", taken.addr.port).join(), /^another process may use this/);
});
