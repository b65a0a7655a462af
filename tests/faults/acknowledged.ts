/** What clients of a server were told, to be asked for after it was killed. */

import assert from "node:assert/strict";
import { nextKey, rotateNow } from "../../lib/rotation/operations.ts";
import type { Client, Credentials } from "../blackbox/client.ts";
import { kidOf } from "../blackbox/commands.ts";
import type { Restarted } from "./restarted.ts";

export class Acknowledged {
  readonly #users: Credentials[] = [];
  /** The tokens that each user was given. */
  readonly #tokens = new Map<string, string[]>();
  #signer: string | undefined;

  /** How much it is. */
  get count(): number {
    return this.#users.length + [...this.#tokens.values()].flat().length;
  }

  async register(client: Client): Promise<Credentials> {
    const user = await client.register();
    this.#users.push(user);
    this.#tokens.set(user.username, []);
    return user;
  }

  async login(client: Client, user: Credentials): Promise<void> {
    this.#add(user, await client.token(user));
  }

  async accessToken(client: Client, user: Credentials): Promise<void> {
    this.#add(user, await accessToken(client, user));
  }

  /** Registers and logs in, over and over, until the server is gone. */
  async work(client: Client): Promise<void> {
    try {
      for (;;) {
        const user = await this.register(client);
        await this.login(client, user);
        await this.accessToken(client, user);
      }
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // the connection has ended
    }
  }

  /** Lets the next key sign, as `keys rotate --force` does. */
  async rotate({ ring }: Restarted): Promise<void> {
    let to: string | undefined;
    await ring.change((held, now) => {
      to = nextKey(held, now)!.kid;
      return { change: rotateNow(held, now, ring.policy, { force: true }) };
    });
    this.#signer = to;
  }

  /** Asserts that everything is there. */
  async assertIn(found: Restarted): Promise<void> {
    for (const user of this.#users) await found.assertKnows(user);
    for (const [username, tokens] of this.#tokens) {
      assert.ok(found.countLogins(username) >= tokens.length, "a token without its row");
      for (const token of tokens) assert.ok(found.allKids.includes(kidOf(token)));
    }
    if (this.#signer !== undefined) assert.deepEqual(found.kids("active"), [this.#signer]);
  }

  #add({ username }: Credentials, token: string): void {
    this.#tokens.get(username)!.push(token);
  }
}

/** A token by the OAuth way. */
export async function accessToken(client: Client, user: Credentials): Promise<string> {
  const answer = await client.request("/token", {
    method: "POST",
    headers: { authorization: `Basic ${btoa(`${user.username}:${user.password}`)}` },
    body: new URLSearchParams({ grant_type: "client_credentials" }),
  });
  assert.equal(answer.status, 200, answer.text);
  return answer.json.access_token;
}
