/** Clients that do as they please with a few users and the keys, and put it on record. */

import type { Credentials } from "../blackbox/client.ts";
import { kidOf } from "../blackbox/commands.ts";
import type { Calls } from "./calls.ts";
import type { Action, History, Outcome } from "./history.ts";

/** How many users there are at a time, and how much is done to each of them. */
const USERS = 3;
const ACTIONS_A_USER = 80;

/** At the beginning of that, in how many actions it is rather registered than authenticated. */
const FIRST_ACTIONS = 4;

/** How often something is done, in parts of the whole. */
const WEIGHTS: Partial<Record<Action, number>> = {
  register: 4,
  authenticate: 56,
  disable: 5,
  enable: 12,
  reset: 6,
  replace: 6,
  delete: 0.5,
  count: 10,
  introspect: 4,
  revoke: 1,
};

/** How often the newest password is the one that is tried; else it is one of the last, or wrong. */
const NEWEST = 0.7;
const LAST = 3;
const WRONG = "no user's password";

/** A user, with what the clients know of it. */
interface User {
  username: string;
  /** The newest last. */
  passwords: string[];
  /** What was done to it. */
  actions: number;
}

export interface ClientsParts {
  calls: Calls;
  history: History;
}

export class Clients {
  readonly #parts: ClientsParts;
  readonly #users: User[] = Array.from({ length: USERS }, newUser);
  /** A user that nobody changes, whose tokens are introspected. */
  readonly #resident = newUser();
  #token: string | undefined;

  constructor(parts: ClientsParts) {
    this.#parts = parts;
  }

  /** Lets so many clients do one thing after the other, each at the same time as the others. */
  async work(count: number, isOver: () => boolean): Promise<void> {
    await this.#actOnUser(0, "register", this.#resident);
    await Promise.all(
      Array.from({ length: count }, async (_, client) => {
        while (!isOver()) await this.#act(client, pickAction());
      }),
    );
  }

  async #act(client: number, action: Action): Promise<void> {
    if (action === "revoke" || action === "introspect") return await this.#actOnKey(client, action);
    const user = this.#pickUser();
    const isFirst = action === "authenticate" && user.actions <= FIRST_ACTIONS;
    await this.#actOnUser(client, isFirst ? "register" : action, user);
  }

  async #actOnUser(client: number, action: Action, user: User): Promise<void> {
    const { calls, history } = this.#parts;
    const { username } = user;
    const call = { client, subject: `client ${username}`, action };
    const record = (act: () => Promise<Outcome>) => history.record(call, act);
    const recordWith = (password: string, act: (credentials: Credentials) => Promise<Outcome>) =>
      history.record({ ...call, password }, () => act({ username, password }));
    switch (action) {
      case "register":
        return learn(user, (await record(() => calls.register(username))).password);
      case "replace": {
        const { replacement } = await recordWith(pickPassword(user), (one) => calls.replace(one));
        return learn(user, replacement);
      }
      case "reset": {
        const password = crypto.randomUUID();
        const { answer } = await recordWith(password, (one) => calls.reset(one));
        return learn(user, answer === "not found" ? undefined : password);
      }
      case "authenticate":
        return void await recordWith(pickPassword(user), (one) => calls.authenticate(one));
      case "disable":
      case "enable":
      case "delete":
      case "count":
        return void await record(() => calls[action](username));
    }
  }

  /** Revokes the key that has signed the resident's token, or asks whether that counts. */
  async #actOnKey(client: number, action: "revoke" | "introspect"): Promise<void> {
    const { calls, history } = this.#parts;
    const token = this.#token ?? await this.#renew(client);
    if (token === undefined) return;
    const kid = kidOf(token);
    const { answer } = await history.record(
      { client, subject: `key ${kid}`, action },
      () => action === "revoke" ? calls.revoke(kid) : calls.introspect(this.#credentials, token),
    );
    const isRevoked = action === "revoke" || answer === "refused";
    if (isRevoked && this.#token === token) await this.#renew(client);
  }

  /** Gets the resident a new token, at a replica that may not have heard of a revocation yet. */
  async #renew(client: number): Promise<string | undefined> {
    const { calls, history } = this.#parts;
    const { username, password } = this.#credentials;
    const call = {
      client,
      subject: `client ${username}`,
      action: "authenticate",
      password,
    } as const;
    const { token } = await history.record(call, () => calls.authenticate(this.#credentials));
    return this.#token = token;
  }

  get #credentials(): Credentials {
    const { username, passwords: [password] } = this.#resident;
    return { username, password: password! };
  }

  /** One of the users; who has seen enough gives way to a new one. */
  #pickUser(): User {
    const place = Math.floor(Math.random() * USERS);
    const user = this.#users[place]!;
    if (user.actions++ < ACTIONS_A_USER) return user;
    return this.#users[place] = newUser();
  }
}

function newUser(): User {
  return { username: `user-${crypto.randomUUID()}`, passwords: [], actions: 0 };
}

function learn({ passwords }: User, password: string | undefined): void {
  if (password !== undefined) passwords.push(password);
}

function pickPassword({ passwords }: User): string {
  const candidates = Math.random() < NEWEST
    ? passwords.slice(-1)
    : [...passwords.slice(-LAST), WRONG];
  return candidates[Math.floor(Math.random() * candidates.length)] ?? WRONG;
}

function pickAction(): Action {
  const weights = Object.entries(WEIGHTS) as [Action, number][];
  let place = Math.random() * weights.reduce((sum, [, weight]) => sum + weight, 0);
  return weights.find(([, weight]) => (place -= weight) < 0)![0];
}
