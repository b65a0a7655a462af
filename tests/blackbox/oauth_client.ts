/** A client of a running server as OAuth knows it, with a password and a key of its own. */

import assert from "node:assert/strict";
import { type ClientKey, makeClientKey, type Members, sign } from "../tokens/signed.ts";
import type { Answer } from "./client.ts";
import type { Server } from "./harness.ts";

const JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/** Parameters of a form, or headers. */
export type Fields = Record<string, string>;

export class OAuthClient {
  readonly #server: Server;
  readonly username: string;
  readonly password: string;
  /** Its public half is on record. */
  readonly key: ClientKey;

  private constructor(server: Server, username: string, password: string, key: ClientKey) {
    this.#server = server;
    this.username = username;
    this.password = password;
    this.key = key;
  }

  /** @param policy options of `users set`. */
  static async make(server: Server, ...policy: string[]): Promise<OAuthClient> {
    const { username, password } = await server.register();
    const key = await makeClientKey("k1");
    const made = new OAuthClient(server, username, password, key);
    const file = `${server.directory.path}/${username}.jwk`;
    await Deno.writeTextFile(file, JSON.stringify(key.jwk));
    await made.command("add-key", file);
    if (policy.length > 0) await made.command("set", ...policy);
    return made;
  }

  get issuer(): string {
    return `http://localhost:${this.#server.port}`;
  }

  get secret(): Fields {
    return { client_id: this.username, client_secret: this.password };
  }

  get basic(): Fields {
    return { authorization: `Basic ${btoa(`${this.username}:${this.password}`)}` };
  }

  /** Runs a command of `users` on it. */
  async command(name: string, ...args: string[]): Promise<string> {
    const line = ["users", name, this.username, ...args];
    const { code, stdout, stderr } = await this.#server.directory.run(line);
    assert.equal(code, 0, stderr);
    return stdout;
  }

  post(path: string, body: Fields | string, headers: Fields = {}): Promise<Answer> {
    const type = "application/x-www-form-urlencoded";
    const text = new URLSearchParams(body).toString();
    return this.#server.post(path, text, { "content-type": type, ...headers });
  }

  /** Asks for a token by client_secret_post, but for what is changed. */
  token(form: Fields = {}, headers: Fields = {}): Promise<Answer> {
    const whole = { grant_type: "client_credentials", ...this.secret, ...form };
    return this.post("/token", whole, headers);
  }

  /** Asks for a token by an assertion. */
  tokenBy(assertion: Fields, form: Fields = {}): Promise<Answer> {
    return this.post("/token", { grant_type: "client_credentials", ...assertion, ...form });
  }

  /** An assertion that is valid but for what is changed; `undefined` leaves a member out. */
  async assertion(claims: Members = {}, header: Members = {}, key = this.key): Promise<Fields> {
    const now = seconds();
    const name = this.username;
    const registered = { iss: name, sub: name, aud: this.issuer, jti: crypto.randomUUID() };
    return {
      client_assertion_type: JWT_BEARER,
      client_assertion: await sign(
        { alg: "ES256", kid: "k1", ...header },
        { ...registered, iat: now, exp: now + 60, ...claims },
        key,
      ),
    };
  }

  /** A DPoP proof for `/token` that is valid but for what is changed, as a header. */
  async proof(claims: Members = {}, header: Members = {}): Promise<Fields> {
    const { kty, crv, x, y } = this.key.jwk;
    const known = { typ: "dpop+jwt", alg: "ES256", jwk: { kty, crv, x, y } };
    const request = { htm: "POST", htu: `${this.issuer}/token` };
    const once = { iat: seconds(), jti: crypto.randomUUID() };
    const payload = { ...request, ...once, ...claims };
    return { dpop: await sign({ ...known, ...header }, payload, this.key) };
  }
}

/** The time now, as claims tell it. */
export function seconds(): number {
  return Math.floor(Date.now() / 1000);
}
