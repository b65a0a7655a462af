import assert from "node:assert/strict";
import { isDomainError } from "../../lib/base/errors.ts";
import { readCertificate } from "../../lib/server/certificate.ts";
import { canMakeCertificates, makeCertificate, writePair } from "../certificates.ts";
import { failureOf, withTempDir } from "../support.ts";

const ignore = !await canMakeCertificates();

Deno.test({
  name: "readCertificate() tells for whom a certificate is and until when",
  ignore,
  fn: async () => {
    await withTempDir(async (directory) => {
      const pair = await makeCertificate({ name: "tokens.example", days: 60 });
      const certificate = await readCertificate(await writePair(directory, pair));
      assert.equal(certificate.cert, pair.cert);
      assert.equal(certificate.key, pair.key);
      assert.match(certificate.names, /tokens\.example/);
      const days = (certificate.notAfter - Date.now()) / 86_400_000;
      assert.ok(days > 59.9 && days <= 60, `${days} days`);
      assert.ok(certificate.notBefore <= Date.now());
    });
  },
});

Deno.test({
  name: "readCertificate() refuses what cannot be used, by the variable and without the key",
  ignore,
  fn: async () => {
    await withTempDir(async (directory) => {
      const pair = await makeCertificate();
      const other = await makeCertificate();
      const { certFile, keyFile } = await writePair(directory, pair);
      const at = async (name: string, text: string) => {
        await Deno.writeTextFile(`${directory}/${name}`, text);
        return `${directory}/${name}`;
      };
      const fifo = `${directory}/fifo`;
      await new Deno.Command("mkfifo", { args: [fifo] }).output();
      const half = pair.key.slice(0, pair.key.length / 2);
      const refused: [{ certFile?: string; keyFile?: string }, RegExp][] = [
        [{ certFile: fifo }, /fifo of TLS_CERT_FILE is a FIFO/],
        [{ keyFile: fifo }, /fifo of TLS_KEY_FILE is a FIFO/],
        [{ keyFile: "/dev/zero" }, /TLS_KEY_FILE is a device/],
        [{ certFile: directory }, /TLS_CERT_FILE is a directory/],
        [{ certFile: `${directory}/none` }, /none of TLS_CERT_FILE does not exist/],
        [{ keyFile: `${directory}/none` }, /none of TLS_KEY_FILE does not exist/],
        [{ keyFile: await at("large", "x".repeat(300_000)) }, /TLS_KEY_FILE has more than/],
        [{ certFile: await at("junk", "junk") }, /TLS_CERT_FILE does not begin with a cert/],
        [{ certFile: keyFile }, /TLS_CERT_FILE does not begin with a certificate/],
        [{ keyFile: certFile }, /TLS_KEY_FILE is not a private key/],
        [{ keyFile: await at("half", half) }, /TLS_KEY_FILE is not a private key/],
        [{ keyFile: await at("other", other.key) }, /TLS_CERT_FILE .* TLS_KEY_FILE .* together/],
      ];
      for (const [files, reason] of refused) {
        const error = await failureOf(() => readCertificate({ certFile, keyFile, ...files }));
        assert.ok(isDomainError(error, "configuration"), String(error));
        assert.match(error.message, reason);
        const said = [error.message, ...error.hints, String(error.cause), error.stack].join();
        for (const line of [pair.key, other.key].flatMap((key) => key.split("\n").slice(1, 3))) {
          assert.ok(!said.includes(line));
        }
        assert.equal(error.hints.length, 1);
      }
    });
  },
});
