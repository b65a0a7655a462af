/** What clients call, at any replica or by a command, and what they know of it then. */

import { DomainError, type ErrorCode, isDomainError } from "../../lib/base/errors.ts";
import type { Answer as Response, Credentials } from "../blackbox/client.ts";
import { kidOf } from "../blackbox/commands.ts";
import type { Outcome } from "./history.ts";
import type { Operator } from "./operator.ts";
import type { Replicas } from "./replicas.ts";

/** How long a client waits for an answer, in milliseconds, until it goes on without one. */
const PATIENCE = 10_000;

/** What a refused command says by its code. */
const REFUSALS: Partial<Record<ErrorCode, Outcome["answer"]>> = {
  not_found: "not found",
  conflict: "conflict",
  storage_unavailable: "unknown",
};

export class Calls {
  readonly #replicas: Replicas;
  readonly #operator: Operator;

  constructor(replicas: Replicas, operator: Operator) {
    this.#replicas = replicas;
    this.#operator = operator;
  }

  async register(username: string): Promise<Outcome> {
    const response = await this.#post("/register", { username, email: `${username}@example.com` });
    const answer = answerOf(response, { 201: "done", 409: "taken" });
    return { answer, password: response?.json?.password };
  }

  async authenticate({ username, password }: Credentials): Promise<Outcome> {
    const response = await this.#post("/auth", { username, password });
    const answer = answerOf(response, { 200: "done", 401: "refused" });
    if (answer !== "done") return { answer };
    const token: string = response!.json.token;
    const subject = `key ${kidOf(token)}`;
    return { answer, token, also: [{ subject, action: "sign", answer }] };
  }

  /** Has the password replaced: that is a login, too. */
  async replace({ username, password }: Credentials): Promise<Outcome> {
    const form = new URLSearchParams({ client_id: username, client_secret: password });
    const response = await this.#post("/password", form);
    const answer = answerOf(response, { 201: "done", 401: "refused" });
    const login = { subject: `client ${username}`, action: "authenticate", password } as const;
    return { answer, replacement: response?.json?.password, also: [{ ...login, answer }] };
  }

  /** Asks whether a token counts, as a client. */
  async introspect({ username, password }: Credentials, token: string): Promise<Outcome> {
    const client = { client_id: username, client_secret: password };
    const response = await this.#post("/introspect", new URLSearchParams({ ...client, token }));
    return { answer: answerOf(response, { 200: response?.json?.active ? "done" : "refused" }) };
  }

  disable(username: string): Promise<Outcome> {
    return command(() => this.#operator.setDisabled(username, true));
  }

  enable(username: string): Promise<Outcome> {
    return command(() => this.#operator.setDisabled(username, false));
  }

  reset({ username, password }: Credentials): Promise<Outcome> {
    return command(() => this.#operator.resetPassword(username, password));
  }

  delete(username: string): Promise<Outcome> {
    return command(() => this.#operator.deleteUser(username));
  }

  revoke(kid: string): Promise<Outcome> {
    return command(() => this.#operator.revoke(kid));
  }

  async count(username: string): Promise<Outcome> {
    return { answer: "counted", count: await this.#operator.countLogins(username) };
  }

  /** What any replica answers; `undefined` when it does not. */
  async #post(path: string, body: object): Promise<Response | undefined> {
    const { servers } = this.#replicas;
    const server = servers[Math.floor(Math.random() * servers.length)]!;
    const content = body instanceof URLSearchParams ? { body } : {
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    };
    const signal = AbortSignal.timeout(PATIENCE);
    try {
      return await server.request(path, { method: "POST", ...content, signal });
    } catch (error) {
      const isLate = error instanceof DOMException && error.name === "TimeoutError";
      if (isLate || error instanceof TypeError) return undefined; // its connection has ended
      throw error;
    }
  }
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

async function command(run: () => Promise<void>): Promise<Outcome> {
  try {
    await run();
    return { answer: "done" };
  } catch (error) {
    const answer = isDomainError(error) ? REFUSALS[(error as DomainError).code] : undefined;
    if (answer === undefined) throw error;
    return { answer };
  }
}
