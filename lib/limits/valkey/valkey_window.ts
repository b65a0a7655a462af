/** The limiter of several servers: an exact sliding window log on a Valkey or Redis that they share. */

import type { Admission, Limiter } from "../limiter.ts";
import admit from "./admit.lua" with { type: "text" };
import { Script, type ValkeyConnection } from "./connection.ts";

/** What every key begins with. */
const PREFIX = "jwks-server:limit";

const ADMIT = new Script(admit);

export interface ValkeyWindowOptions {
  limit: number;
  /** In milliseconds. */
  window: number;
  connection: Pick<ValkeyConnection, "run" | "send">;
  /** The name of the limit: what is counted under one name does not count under another. */
  name: string;
  /** What stands in a key for a client: short, and of one kind of characters. */
  keyOf: (client: string) => string;
}

/**
 * Decides as `SlidingWindow` does, for all servers that use the same Valkey and by its clock, at one
 * round trip a decision. It holds one key for each client that was admitted within the last window.
 */
export class ValkeyWindow implements Limiter {
  readonly limit: number;
  readonly window: number;
  readonly #options: ValkeyWindowOptions;

  constructor(options: ValkeyWindowOptions) {
    this.limit = options.limit;
    this.window = options.window;
    this.#options = options;
  }

  /** @throws {Error} as `ValkeyConnection.run` does, or when what answers is no Valkey. */
  async admit(client: string): Promise<Admission> {
    const { connection } = this.#options;
    const key = this.#keyOf(client);
    return toAdmission(await connection.run(ADMIT, key, `${this.limit}`, `${this.window}`));
  }

  /** Takes back this very admission. @throws {Error} as `ValkeyConnection.send` does. */
  async withdraw(client: string, { ticket }: Admission): Promise<void> {
    if (ticket === undefined) return;
    await this.#options.connection.send("LREM", this.#keyOf(client), "-1", ticket);
  }

  #keyOf(client: string): string {
    const { name, keyOf } = this.#options;
    return `${PREFIX}:${name}:${keyOf(client)}`;
  }
}

/** The script's answer, whose times are in microseconds. */
function toAdmission(reply: unknown): Admission {
  if (!isAnswer(reply)) throw new Error("The script's answer is not understood");
  const [admitted, remaining, retryIn, resetIn, ticket] = reply;
  const standing = { remaining, retryIn: retryIn / 1000, resetIn: resetIn / 1000 };
  return admitted === 1
    ? { admitted: true, ...standing, ticket }
    : { admitted: false, ...standing };
}

function isAnswer(reply: unknown): reply is [number, number, number, number, string] {
  return Array.isArray(reply) && reply.length === 5 &&
    reply.every((part, place) => typeof part === (place < 4 ? "number" : "string"));
}
