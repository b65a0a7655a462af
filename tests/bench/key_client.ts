/** A client that authenticates with a key (RFC 7523) instead of a password. */

import { type CryptoKey, exportJWK, generateKeyPair, SignJWT } from "jose";
import type { Server } from "../blackbox/harness.ts";

const JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const KID = "k";

export class KeyClient {
  readonly #server: Server;
  readonly #username: string;
  readonly #alg: string;
  readonly #privateKey: CryptoKey;
  #assertions: string[] = [];

  private constructor(server: Server, username: string, alg: string, privateKey: CryptoKey) {
    this.#server = server;
    this.#username = username;
    this.#alg = alg;
    this.#privateKey = privateKey;
  }

  /** Registers a client whose assertions are signed with `alg`. */
  static async register(server: Server, alg: string): Promise<KeyClient> {
    const { username } = await server.register();
    const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
    const file = `${server.directory.path}/client.jwk`;
    await Deno.writeTextFile(file, JSON.stringify({ ...await exportJWK(publicKey), kid: KID }));
    const added = await server.directory.run(["users", "add-key", username, file]);
    if (added.code !== 0) throw new Error(added.stderr);
    return new KeyClient(server, username, alg, privateKey);
  }

  /** Signs so many assertions ahead, for the signing to take no part in what is measured. */
  async prepare(count: number): Promise<void> {
    this.#assertions = await Promise.all(Array.from({ length: count }, () => this.#assert()));
  }

  /** Asks for a token with the next assertion: each is good for one only. */
  async ask(): Promise<void> {
    const body = new URLSearchParams({
      grant_type: "client_credentials",
      client_assertion_type: JWT_BEARER,
      client_assertion: this.#assertions.pop()!,
    });
    const answer = await fetch(`${this.#server.url}/token`, { method: "POST", body });
    const text = await answer.text();
    if (answer.status !== 200) throw new Error(text);
  }

  #assert(): Promise<string> {
    return new SignJWT().setProtectedHeader({ alg: this.#alg, kid: KID })
      .setIssuer(this.#username).setSubject(this.#username)
      .setAudience(`http://localhost:${this.#server.port}`)
      .setIssuedAt().setExpirationTime("4m").setJti(crypto.randomUUID()).sign(this.#privateKey);
  }
}
