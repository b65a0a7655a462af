/** One connection, as the driver makes it: by the URL, and by nothing that stands elsewhere. */

import pg from "pg";
import type { PostgresLocation } from "./location.ts";
import { tlsOptions } from "./tls.ts";
import { VALUE_TYPES } from "./values.ts";

/** After how long the system asks whether a silent server is still there, in milliseconds. */
const KEEP_ALIVE_DELAY = 10_000;

/** What the server does by itself, in milliseconds. */
export interface ServerLimits {
  statement_timeout: number;
  idle_in_transaction_session_timeout: number;
}

export interface ClientOptions {
  ca?: string | undefined;
  /** How long making the connection may take, in milliseconds. */
  timeout: number;
}

/** The driver's options, each of them: those left out it would look for in its environment. */
export function clientOptions(location: PostgresLocation, options: ClientOptions): pg.ClientConfig {
  const { host, port, user, password = "", database } = location;
  return {
    host,
    port,
    user,
    password: () => password, // a function, so that even an empty one is what counts
    database,
    ssl: tlsOptions(location, options.ca),
    sslnegotiation: "postgres",
    application_name: "jwks-server",
    client_encoding: "utf8",
    connectionTimeoutMillis: options.timeout,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_DELAY,
    types: VALUE_TYPES as pg.CustomTypesConfig,
  };
}

/** What the server is told when a connection begins. */
interface StartupConfiguration {
  user: string;
  database: string;
}

/**
 * The driver's client, but for what it says when it begins: `limits` are asked for each time, and
 * what it has from PGOPTIONS and PGREPLICATION, which cannot be kept from it, is left out.
 */
export function clientClass(
  timeout: number,
  limits: () => ServerLimits | undefined,
): new () => pg.ClientBase {
  return class extends pg.Client {
    constructor(options?: pg.ClientConfig) {
      super(options);
      // Not every Deno tells of a connection that is given up while TLS begins: its place in the pool
      // would be taken for good.
      const giveUp = setTimeout(() => {
        this.connection.stream.destroy();
        this.connection.emit("end");
      }, timeout);
      for (const event of ["connect", "end"]) this.once(event, () => clearTimeout(giveUp));
    }

    getStartupConf(): Record<string, string> {
      const { user, database } = this as unknown as StartupConfiguration;
      const parts = { user, database, application_name: "jwks-server" };
      const ends = Object.entries(limits() ?? {}).map(([name, value]) => [name, String(value)]);
      return { ...parts, ...Object.fromEntries(ends) };
    }
  };
}
