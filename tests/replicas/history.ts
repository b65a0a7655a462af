/**
 * Who called what, and what came of it, in the order in which one process saw calls and returns:
 * what a checker of linearizability reads.
 */

/** What is done to a client (`client <username>`) or a key (`key <kid>`). */
export type Action =
  | "register"
  | "authenticate"
  | "disable"
  | "enable"
  | "reset"
  | "delete"
  | "count"
  | "sign"
  | "introspect"
  | "revoke";

/** What came of it; `unknown` when it may have happened or not. */
export type Answer =
  | "done"
  | "refused"
  | "taken"
  | "not found"
  | "conflict"
  | "counted"
  | "unknown";

export interface Operation {
  /** The number of the client that called. */
  client: number;
  subject: string;
  action: Action;
  /** The password that was offered or set. */
  password?: string | undefined;
  answer: Answer;
  /** How many logins were `counted`. */
  count?: number | undefined;
  /** Its place among all calls and returns. */
  call: number;
  /** The same of the return, if there was one: an answer that is unknown may still come true. */
  return?: number | undefined;
}

/** What a caller is to do. */
export type Call = Pick<Operation, "client" | "subject" | "action" | "password">;

/** What it then knows. */
export interface Outcome extends Pick<Operation, "answer" | "password" | "count"> {
  /** The key that has signed meanwhile. */
  kid?: string | undefined;
}

export class History {
  readonly operations: Operation[] = [];
  #moment = 0;

  /** Does something, and puts it on record together with the signature that it led to. */
  async record(call: Call, act: () => Promise<Outcome>): Promise<Outcome> {
    const begun = this.#moment++;
    const outcome = await act();
    const { kid, ...known } = outcome;
    const ended = outcome.answer === "unknown" ? undefined : this.#moment++;
    const times = { call: begun, return: ended };
    this.operations.push({ ...call, ...known, ...times });
    if (kid !== undefined) {
      const { client } = call;
      this.operations.push({
        client,
        subject: `key ${kid}`,
        action: "sign",
        answer: "done",
        ...times,
      });
    }
    return outcome;
  }

  /** How many of the operations came to nothing that is known. */
  get unknown(): number {
    return this.operations.filter(({ answer }) => answer === "unknown").length;
  }
}
