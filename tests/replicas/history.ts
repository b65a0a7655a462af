/**
 * Who called what, and what came of it, in the order in which one process saw calls and returns:
 * what a checker of linearizability reads.
 */

/** What is done to a client (`client <username>`), its log (`log <username>`) or a key (`key <kid>`). */
export type Action =
  | "register"
  | "authenticate"
  | "disable"
  | "enable"
  | "reset"
  | "replace"
  | "delete"
  | "count"
  | "record"
  | "clear"
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
  /** The password that was given for it. */
  replacement?: string | undefined;
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

/** What was seen of something, whenever that was. */
type Seen = Omit<Operation, "client" | "call" | "return">;

/** What the caller then knows. */
export interface Outcome extends Pick<Seen, "answer" | "password" | "replacement" | "count"> {
  /** What else was done meanwhile, as a part of the same. */
  also?: readonly Seen[];
  /** What a login gave. */
  token?: string;
}

export class History {
  readonly operations: Operation[] = [];
  #moment = 0;

  /** Does something, and puts it on record. */
  async record(call: Call, act: () => Promise<Outcome>): Promise<Outcome> {
    const begun = this.#moment++;
    const outcome = await act();
    const ended = outcome.answer === "unknown" ? undefined : this.#moment++;
    const { also = [], token: _, ...known } = outcome;
    const { client } = call;
    for (const seen of [{ ...call, ...known }, ...also]) {
      this.operations.push({ ...seen, client, call: begun, return: ended });
    }
    return outcome;
  }

  /** How many of the operations came to nothing that is known. */
  get unknown(): number {
    return this.operations.filter(({ answer }) => answer === "unknown").length;
  }
}

/**
 * The same history where the row of a login may be seen at another moment of the login than the one at
 * which its password was right: the log is a subject of its own.
 */
export function withLogApart(operations: readonly Operation[]): Operation[] {
  return operations.flatMap((operation) => {
    const { action, answer } = operation;
    const subject = operation.subject.replace(/^client /, "log ");
    const isDone = answer === "done" || answer === "unknown";
    if (action === "count") return [{ ...operation, subject }];
    if (action === "authenticate" && isDone) {
      return [operation, { ...operation, subject, action: "record" }];
    }
    if (action === "delete" && isDone) {
      return [operation, { ...operation, subject, action: "clear" }];
    }
    return [operation];
  });
}
