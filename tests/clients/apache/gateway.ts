/**
 * Apache with mod_auth_openidc in front of a service: a token is valid when a request with it
 * reaches the service, which learns from the gateway who sends it.
 */

import { fileURLToPath } from "node:url";
import { canMakeCertificates, makeCertificate } from "../../certificates.ts";
import { Directory, eventually, freePort } from "../../blackbox/harness.ts";

const CONFIGURATION = fileURLToPath(new URL("httpd.conf", import.meta.url));
const MODULES = "/usr/lib/apache2/modules";

/** Where the gateway tells the service of the claim `sub`. */
const SUBJECT = "oidc_claim_sub";

const LOCAL = { hostname: "127.0.0.1", port: 0, onListen: () => {} } as const;

/** A running Apache. Disposing of it ends it. */
class Apache implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;

  private constructor(process: Deno.ChildProcess) {
    this.#process = process;
  }

  /** Starts it, to end with this process at the latest, and waits until it answers at `url`. */
  static async start(url: string, env: Record<string, string>): Promise<Apache> {
    const server = ["apache2", "-D", "FOREGROUND", "-f", CONFIGURATION];
    const args = ["--pdeathsig", "TERM", ...server];
    const streams = { stdin: "null", stdout: "inherit", stderr: "inherit" } as const;
    const apache = new Apache(new Deno.Command("setpriv", { args, env, ...streams }).spawn());
    await eventually("Apache answers", () => ask(url).catch(() => undefined));
    return apache;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGTERM");
    await this.#process.status;
  }
}

/** What the gateway answers to a request, with a token or without. */
async function ask(url: string, token?: string): Promise<string> {
  const headers: HeadersInit = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const answer = await fetch(url, { headers });
  const text = await answer.text();
  if (answer.status === 200) return `valid ${text}`;
  if (answer.status !== 401) return `error ${answer.status}`;
  return `invalid ${answer.headers.get("www-authenticate") ?? "for its claims"}`;
}

/** Puts the key set behind TLS, and gives its port. */
function serveKeys(issuer: string, pair: { cert: string; key: string }): number {
  const keys = () => fetch(`${issuer}/.well-known/jwks.json`);
  return Deno.serve({ ...LOCAL, ...pair }, keys).addr.port;
}

/** The service behind the gateway; gives its port. */
function serveSubject(): number {
  const greet = ({ headers }: Request) => new Response(headers.get(SUBJECT));
  return Deno.serve(LOCAL, greet).addr.port;
}

async function* lines(): AsyncGenerator<string> {
  let rest = "";
  for await (const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + text).split("\n");
    rest = parts.pop()!;
    yield* parts;
  }
}

async function main(): Promise<void> {
  const { ISSUER, AUDIENCE } = Deno.env.toObject();
  if (!await canMakeCertificates()) Deno.exit(1);
  await using directory = new Directory();
  const pair = await makeCertificate();
  await Deno.chmod(directory.path, 0o755); // the workers that read the certificate are not root
  await Deno.writeTextFile(`${directory.path}/cert.pem`, pair.cert);
  const port = freePort();
  const url = `http://127.0.0.1:${port}/`;
  await using _apache = await Apache.start(url, {
    DIRECTORY: directory.path,
    MODULES,
    ISSUER: ISSUER!,
    AUDIENCE: AUDIENCE!,
    GATEWAY_PORT: String(port),
    KEYS_PORT: String(serveKeys(ISSUER!, pair)),
    SERVICE_PORT: String(serveSubject()),
  });
  for await (const line of lines()) {
    const [command, token] = line.split(" ");
    const answer = command === "token" ? "unsupported" : await ask(url, token);
    await Deno.stdout.write(new TextEncoder().encode(`${answer}\n`));
  }
}

await main();
Deno.exit(0);
