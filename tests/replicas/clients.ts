/** Clients that do whatever they please with a few users, at any replica, and put it on record. */

import { DomainError, isDomainError } from "../../lib/base/errors.ts";
import type { Answer as Response, Credentials } from "../blackbox/client.ts";
import { kidOf } from "../blackbox/commands.ts";
import type { Action, Call, History, Outcome } from "./history.ts";
import type { Operator } from "./operator.ts";
import type { Replicas } from "./replicas.ts";

/** How long a client waits for an answer, in milliseconds, until it goes on without one. */
const PATIENCE = 10_000;

/** How many users there are at a time, and how many operations each of them sees. */
const USERS = 3;
const OPERATIONS_A_USER = 80;

/** In how many of them a user is more likely to be registered than anything else. */
const NEW_OPERATIONS = 4;

/** How often what is done to a user, in parts of the whole. */
const WEIGHTS: Partial<Record<Action, number>> = {
  register: 4,
  authenticate: 60,
  disable: 5,
  enable: 12,
  reset: 7,
  delete: 0.5,
  count: 10,
  introspect: 4,
  revoke: 1,
};

/** How many of the passwords that a user had last are tried. */
const REMEMBERED = 3;

/** A password that no user has. */
const WRONG = "no user's password";

/** A user, with what somebody may know of it. */
interface User {
  username: string;
  /** The newest last. */
  passwords: string[];
  operations: number;
}

export interface ClientsParts {
  replicas: Replicas;
  /** A user that nobody changes, whose tokens are introspected. */
  resident: Credentials;
  operator: Operator;
  history: History;
}

export class Clients {
  readonly #parts: ClientsParts;
  readonly #users: User[] = Array.from({ length: USERS }, newUser);
  /** The key that has signed last. */
  #signer: string | undefined;
  /** The resident's token. */
  #token: string | undefined;

  constructor(parts: ClientsParts) {
    this.#parts = parts;
  }

  /** Lets so many clients do one thing after the other, each at the same time as the others. */
  async work(count: number, isOver: () => boolean): Promise<void> {
    await Promise.all(
      Array.from({ length: count }, async (_, client) => {
        while (!isOver()) await this.#act(client);
      }),
    );
  }

  async #act(client: number): Promise<void> {
    const picked = pickAction();
    if (picked === "revoke") return await this.#revoke(client);
    if (picked === "introspect") return await this.#introspect(client);
    const user = this.#pickUser();
    const { username } = user;
    const isNew = user.operations <= NEW_OPERATIONS;
    const action = isNew && picked === "authenticate" ? "register" : picked;
    const password = action === "authenticate"
      ? pickPassword(user)
      : action === "reset"
      ? crypto.randomUUID()
      : undefined;
    const call: Call = { client, subject: `client ${username}`, action, password };
    const outcome = await this.#parts.history.record(
      call,
      () => this.#do(action, username, password),
    );
    if (outcome.kid !== undefined) this.#signer = outcome.kid;
    const hasNew = action === "register" || action === "reset";
    if (hasNew && outcome.password !== undefined) user.passwords.push(outcome.password);
  }

  #do(action: Action, username: string, password: string | undefined): Promise<Outcome> {
    const { operator } = this.#parts;
    switch (action) {
      case "register":
        return this.#register(username);
      case "authenticate":
        return this.#authenticate(username, password!);
      case "disable":
        return command(() => operator.setDisabled(username, true));
      case "enable":
        return command(() => operator.setDisabled(username, false));
      case "reset":
        return command(() => operator.resetPassword(username, password!), { password });
      case "delete":
        return command(() => operator.deleteUser(username));
      default:
        return this.#count(username);
    }
  }

  async #register(username: string): Promise<Outcome> {
    const response = await this.#post("/register", {
      username,
      email: `${username}@example.com`,
    });
    const answer = answerOf(response, { 201: "done", 409: "taken" });
    return { answer, password: response?.json?.password };
  }

  async #authenticate(username: string, password: string): Promise<Outcome> {
    const response = await this.#post("/auth", { username, password });
    const answer = answerOf(response, { 200: "done", 401: "refused" });
    const token: string | undefined = response?.json?.token;
    return { answer, password, kid: token && kidOf(token) };
  }

  async #count(username: string): Promise<Outcome> {
    const count = await this.#parts.operator.countLogins(username);
    return { answer: "counted", count };
  }

  /** Revokes the key that signs. */
  async #revoke(client: number): Promise<void> {
    const kid = this.#signer;
    if (kid === undefined) return;
    const { history, operator } = this.#parts;
    const call: Call = { client, subject: `key ${kid}`, action: "revoke" };
    await history.record(call, () => command(() => operator.revoke(kid)));
  }

  /** Asks whether a token counts, and gets a new one when that one's key was revoked. */
  async #introspect(client: number): Promise<void> {
    const { history, resident } = this.#parts;
    const token = this.#token;
    if (token === undefined) {
      this.#token = (await this.#post("/auth", resident))?.json?.token;
      return;
    }
    const call: Call = { client, subject: `key ${kidOf(token)}`, action: "introspect" };
    const { answer } = await history.record(call, async () => {
      const { username: client_id, password: client_secret } = resident;
      const form = new URLSearchParams({ client_id, client_secret, token });
      const response = await this.#post("/introspect", form);
      const answer = answerOf(response, { 200: response?.json?.active ? "done" : "refused" });
      return { answer };
    });
    if (answer === "refused") this.#token = undefined;
  }

  /** What any replica answers; `undefined` when it does not. */
  async #post(path: string, body: object): Promise<Response | undefined> {
    const { servers } = this.#parts.replicas;
    const server = servers[random(servers.length)]!;
    try {
      return await server.request(path, {
        method: "POST",
        ...(body instanceof URLSearchParams ? { body } : {
          headers: { "content-type": "application/json" },
          body: JSON.stringify(body),
        }),
        signal: AbortSignal.timeout(PATIENCE),
      });
    } catch (error) {
      const isSilent = error instanceof TypeError ||
        (error instanceof DOMException && error.name === "TimeoutError");
      if (isSilent) return undefined;
      throw error;
    }
  }

  /** One of the users; who has seen enough gives way to a new one. */
  #pickUser(): User {
    const place = random(USERS);
    const user = this.#users[place]!;
    if (user.operations++ < OPERATIONS_A_USER) return user;
    return this.#users[place] = newUser();
  }
}

function newUser(): User {
  return { username: `user-${crypto.randomUUID()}`, passwords: [], operations: 0 };
}

/** Mostly the newest password, sometimes one from before or one that never was. */
function pickPassword({ passwords }: User): string {
  const isNewest = random(10) < 7;
  const candidates = isNewest ? passwords.slice(-1) : [...passwords.slice(-REMEMBERED), WRONG];
  return candidates[random(candidates.length)] ?? WRONG;
}

function pickAction(): Action {
  const weights = Object.entries(WEIGHTS) as [Action, number][];
  let place = Math.random() * weights.reduce((sum, [, weight]) => sum + weight, 0);
  return weights.find(([, weight]) => (place -= weight) < 0)![0];
}

function answerOf(
  response: Response | undefined,
  answers: Record<number, Outcome["answer"]>,
): Outcome["answer"] {
  if (response === undefined || response.status === 503) return "unknown";
  const answer = answers[response.status];
  if (answer !== undefined) return answer;
  throw new Error(`A replica answers ${response.status} ${response.text}`);
}

/** What came of a command. */
async function command(
  run: () => Promise<void>,
  known: Pick<Outcome, "password"> = {},
): Promise<Outcome> {
  try {
    await run();
    return { ...known, answer: "done" };
  } catch (error) {
    if (isDomainError(error, "not_found")) return { answer: "not found" };
    if (isDomainError(error, "conflict")) return { answer: "conflict" };
    if (isDomainError(error, "storage_unavailable")) return { ...known, answer: "unknown" };
    throw error instanceof DomainError ? new Error(error.message, { cause: error }) : error;
  }
}

function random(below: number): number {
  return Math.floor(Math.random() * below);
}
