/** Certificates made for a test. */

import { works } from "./blackbox/skip.ts";

/** A certificate and its key, as PEM. */
export interface Pair {
  cert: string;
  key: string;
}

export interface MadeCertificate {
  /** For how long it is valid. */
  days?: number;
  /** The name in it, beside 127.0.0.1. */
  name?: string;
}

/** Whether certificates can be made here; says so when not. */
export function canMakeCertificates(): Promise<boolean> {
  return works(["openssl", "version"], "a test of TLS");
}

/** Makes a certificate that nobody else has signed. */
export async function makeCertificate(
  { days = 60, name = "localhost" }: MadeCertificate = {},
): Promise<Pair> {
  const directory = await Deno.makeTempDir({ prefix: "jwks-server-test-" });
  try {
    const args = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key -out cert
      -subj /CN=${name} -addext basicConstraints=critical,CA:FALSE
      -addext subjectAltName=DNS:${name},IP:127.0.0.1`.split(/\s+/);
    args.push("-days", String(days));
    const command = new Deno.Command("openssl", { args, cwd: directory });
    const { success, stderr } = await command.output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    const [cert, key] = await Promise.all(
      ["cert", "key"].map((file) => Deno.readTextFile(`${directory}/${file}`)),
    );
    return { cert: cert!, key: key! };
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** Writes both where a server looks for them. */
export async function writePair(directory: string, { cert, key }: Pair) {
  const files = { certFile: `${directory}/cert.pem`, keyFile: `${directory}/key.pem` };
  await Deno.writeTextFile(files.certFile, cert);
  await Deno.writeTextFile(files.keyFile, key, { mode: 0o600 });
  return files;
}
