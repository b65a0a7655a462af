/** A running server with a client, and the tokens that it gives. */

import { done, kidOf, makeOlder, NOTICED, preparedDirectory } from "../../blackbox/commands.ts";
import { publishedKids, startSettled, WITH_SECRET } from "../../blackbox/commands.ts";
import { Client, type Credentials } from "../../blackbox/client.ts";
import { eventually, freePort, type Server, UNLIMITED } from "../../blackbox/harness.ts";
import type { Situation } from "./program.ts";

const AUDIENCE = "https://orders.example";

/** A day and more: for so long a key is published before it signs, in seconds. */
const ANNOUNCED = 25 * 60 * 60;

export class Issuer implements AsyncDisposable {
  readonly #server: Server;
  readonly #metrics: Client;
  readonly #client: Credentials;
  /** What a program of the client is told. */
  readonly situation: Situation;

  private constructor(server: Server, metrics: Client, client: Credentials, alg: string) {
    this.#server = server;
    this.#metrics = metrics;
    this.#client = client;
    this.situation = {
      ISSUER: `http://localhost:${server.port}`,
      CLIENT_ID: client.username,
      CLIENT_SECRET: client.password,
      AUDIENCE,
      ALG: alg,
    };
  }

  /** Starts a server whose next key has been published for long enough to sign. */
  static async start(alg = "RS256"): Promise<Issuer> {
    const directory = await preparedDirectory({ ...WITH_SECRET, SIGNING_ALG: alg });
    await makeOlder(directory, ANNOUNCED);
    const watched = `127.0.0.1:${freePort()}`;
    const env = { ...UNLIMITED, SIGNING_ALG: alg, TEST_TOKENS: "on", METRICS_ADDRESS: watched };
    const server = await startSettled({ directory, env });
    const client = await server.register();
    await done(directory, ["users", "set", client.username, "--audience", AUDIENCE]);
    return new Issuer(server, new Client(`http://${watched}`), client, alg);
  }

  /** A token that the client is given at the token endpoint. */
  async token(parameters: Record<string, string> = {}): Promise<string> {
    const { username, password } = this.#client;
    const form = { client_id: username, client_secret: password, ...parameters };
    const body = new URLSearchParams({ grant_type: "client_credentials", ...form }).toString();
    const type = { "content-type": "application/x-www-form-urlencoded" };
    const { status, text, json } = await this.#server.post("/token", body, type);
    if (status !== 200) throw new Error(`/token answers ${status} ${text}`);
    return json.access_token;
  }

  /** Lets the next key sign, waits until it does and has a successor, and gives its `kid`. */
  async rotate(...options: string[]): Promise<string> {
    const before = await publishedKids(this.#server);
    const signer = kidOf(await this.token());
    await done(this.#server.directory, ["keys", "rotate", ...options]);
    return await eventually("the next key signs, and has a successor", async () => {
      const kid = kidOf(await this.token());
      const isNew = kid !== signer && (await publishedKids(this.#server)).length > before.length;
      return isNew ? kid : undefined;
    }, NOTICED);
  }

  /** Where a test may put its own files. */
  get directory(): string {
    return this.#server.directory.path;
  }

  /** How often the key set was asked for. */
  async keySetRequests(): Promise<number> {
    const { text } = await this.#metrics.request("/metrics");
    const counts = text.matchAll(/^jwks_http_requests_total\{route="[^"]*jwks\.json".*\} (\d+)$/gm);
    return counts.reduce((sum, [, count]) => sum + Number(count), 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
    await this.#server.directory[Symbol.asyncDispose]();
  }
}
