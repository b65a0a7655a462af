import assert from "node:assert/strict";
import { readCertificate } from "../../lib/server/certificate.ts";
import { CertificateWatch } from "../../lib/server/certificate_watch.ts";
import { canMakeCertificates, makeCertificate, type Pair, writePair } from "../certificates.ts";
import { FakeClock, recordingLog, withTempDir } from "../support.ts";

const ignore = !await canMakeCertificates();

interface Watched {
  directory: string;
  watch: CertificateWatch;
  time: FakeClock;
  /** What the server was given. */
  renewed: Pair[];
  /** What the log was told, as `level message`. */
  told: () => string[];
}

async function withWatch(
  pair: Pair,
  body: (watched: Watched) => Promise<void>,
): Promise<void> {
  await withTempDir(async (directory) => {
    const files = await writePair(directory, pair);
    const { log, lines } = recordingLog();
    const time = new FakeClock(Date.now());
    const renewed: Pair[] = [];
    const watch = new CertificateWatch({
      files,
      certificate: await readCertificate(files),
      server: { renew: (certificate) => void renewed.push(certificate) },
      clock: time.clock,
      log,
    });
    const told = () =>
      lines.map((line) => JSON.parse(line)).map(({ level, message }) => `${level} ${message}`);
    await body({ directory, watch, time, renewed, told });
  });
}

Deno.test({
  name: "CertificateWatch renews when the files are written anew, or names lead to others",
  ignore,
  fn: async () => {
    const [first, second, third] = await Promise.all([
      makeCertificate(),
      makeCertificate(),
      makeCertificate(),
    ]);
    await withTempDir(async (elsewhere) => {
      await withWatch(first!, async ({ directory, watch, renewed, told }) => {
        await watch.run();
        assert.deepEqual(renewed, []);
        await writePair(directory, second!);
        await watch.run();
        assert.deepEqual(renewed, [second]);
        await writePair(elsewhere, third!);
        for (const name of ["cert.pem", "key.pem"]) {
          await Deno.symlink(`${elsewhere}/${name}`, `${directory}/new`);
          await Deno.rename(`${directory}/new`, `${directory}/${name}`);
        }
        await watch.run();
        await watch.run();
        assert.deepEqual(renewed, [second, third]);
        const line = "info the certificate was renewed";
        assert.deepEqual(told(), [line, line]);
      });
    });
  },
});

Deno.test({
  name: "CertificateWatch takes no half of a pair, says so once, and tries again",
  ignore,
  fn: async () => {
    const [first, second] = await Promise.all([makeCertificate(), makeCertificate()]);
    await withWatch(first!, async ({ directory, watch, renewed, told }) => {
      await Deno.writeTextFile(`${directory}/cert.pem`, second!.cert);
      for (let i = 0; i < 3; i++) await watch.run();
      assert.deepEqual(renewed, []);
      const refusal = "error the new certificate is not taken; the old one goes on";
      assert.deepEqual(told(), [refusal]);
      await Deno.writeTextFile(`${directory}/key.pem`, second!.key);
      await watch.run();
      assert.deepEqual(renewed, [second]);
      await Deno.remove(`${directory}/key.pem`);
      for (let i = 0; i < 3; i++) await watch.run();
      assert.deepEqual(renewed, [second]);
      assert.deepEqual(told(), [refusal, "info the certificate was renewed", refusal]);
    });
  },
});

Deno.test({
  name: "CertificateWatch warns daily from 14 days before the end on, and after it",
  ignore,
  fn: async () => {
    const DAY = 86_400;
    await withWatch(await makeCertificate({ days: 60 }), async ({ watch, time, told }) => {
      time.advance(45 * DAY);
      await watch.run();
      assert.deepEqual(told(), []);
      time.advance(1.5 * DAY);
      await watch.run();
      await watch.run();
      const soon = "warn the certificate ends soon";
      assert.deepEqual(told(), [soon]);
      time.advance(DAY);
      await watch.run();
      assert.deepEqual(told(), [soon, soon]);
      time.advance(20 * DAY);
      await watch.run();
      const over = "warn the certificate has ended: clients refuse it";
      assert.deepEqual(told(), [soon, soon, over]);
    });
  },
});

Deno.test({
  name: "CertificateWatch tells at the start whose certificate it is, and that it ends soon",
  ignore,
  fn: async () => {
    await withWatch(await makeCertificate({ days: 10 }), async ({ watch, told }) => {
      watch.start();
      await watch.stop();
      const lines = ["info the server speaks HTTPS", "warn the certificate ends soon"];
      assert.deepEqual(told(), lines);
    });
  },
});
