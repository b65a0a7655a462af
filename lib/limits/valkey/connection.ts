/** A connection to a Valkey or Redis that comes back by itself. */

import { ClientOfflineError, createClient, ErrorReply } from "@redis/client";
import { createHash } from "node:crypto";
import { within } from "../../base/deadline.ts";
import type { ValkeyLocation } from "./location.ts";

/** How long the first attempt to connect may keep whoever waits, in milliseconds. */
const FIRST_ATTEMPT = 1000;

/** How long a connection may take to come about, in milliseconds. */
const CONNECT_PATIENCE = 2000;

/** How long a connection may be silent until it is made anew, in milliseconds. */
const SILENCE = 3000;

/** The pauses between attempts to connect, in milliseconds. */
const [FIRST_PAUSE, LONGEST_PAUSE] = [100, 1000];

/** A script that the server runs. */
export class Script {
  /** By which the server knows it, once it has seen it. */
  readonly digest: string;

  constructor(readonly text: string) {
    this.digest = createHash("sha1").update(text).digest("hex");
  }
}

export interface ValkeyConnectionOptions {
  location: ValkeyLocation;
  /** The certificates, in PEM, of which one must have signed the server's; else the usual ones. */
  ca?: string | undefined;
}

export class ValkeyConnection {
  readonly #client: ReturnType<typeof makeClient>;
  /** What went wrong first in the last attempt to connect that failed. */
  #fault: Error | undefined;

  constructor(options: ValkeyConnectionOptions) {
    this.#client = makeClient(options);
    let isNew = true;
    this.#client.on("reconnecting", () => isNew = true);
    this.#client.on("error", (error: Error) => {
      if (isNew) this.#fault = error;
      isNew = false;
    });
  }

  /**
   * Connects, now and whenever the connection is lost, until it is closed. Resolves after the first
   * attempt, whether or not it came to something.
   */
  async connect(): Promise<void> {
    const client = this.#client;
    const attempted = new Promise<void>((resolve) => {
      client.once("ready", () => resolve());
      client.once("error", () => resolve());
    });
    client.connect().catch(() => {}); // each failure is told as an event, and the last is the end
    await within(FIRST_ATTEMPT, attempted);
  }

  /**
   * The reply to a command. It may never come: whoever asks must not wait for ever.
   *
   * @throws {Error} the server's error reply, or why there is no connection.
   */
  async send(...command: string[]): Promise<unknown> {
    try {
      return await this.#client.sendCommand(command);
    } catch (error) {
      throw error instanceof ClientOfflineError ? this.#fault ?? error : error;
    }
  }

  /** What a script gives for one key. @throws as `send` does. */
  async run(script: Script, key: string, ...args: readonly string[]): Promise<unknown> {
    try {
      return await this.send("EVALSHA", script.digest, "1", key, ...args);
    } catch (error) {
      if (replyCode(error) !== "NOSCRIPT") throw error;
      return await this.send("EVAL", script.text, "1", key, ...args);
    }
  }

  /** Ends at once; what waits for a reply fails. */
  close(): void {
    this.#client.destroy();
  }
}

/** The code of an error reply, such as `READONLY`; `undefined` for an error of another kind. */
export function replyCode(error: unknown): string | undefined {
  return error instanceof ErrorReply ? error.message.split(" ", 1)[0] : undefined;
}

function makeClient({ location, ca }: ValkeyConnectionOptions) {
  const { host, port, user, password, database, isTls } = location;
  return createClient({
    ...user === undefined ? {} : { username: user },
    ...password === undefined ? {} : { password },
    database,
    RESP: 2,
    // A command that cannot be sent now is of no use later.
    disableOfflineQueue: true,
    disableClientInfo: true,
    // It would read the environment.
    maintNotifications: "disabled",
    // Its timeout does not end the wait for a server that stands still, and costs each command.
    commandOptions: { timeout: 0 },
    socket: {
      host,
      port,
      connectTimeout: CONNECT_PATIENCE,
      socketTimeout: SILENCE,
      reconnectStrategy: (retries) => Math.min(FIRST_PAUSE * 2 ** retries, LONGEST_PAUSE),
      ...isTls ? { tls: true, ...ca === undefined ? {} : { ca } } : {},
    },
  });
}
