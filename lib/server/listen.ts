/** A listener, or what to do when there is none to be had. */

import { DomainError } from "../base/errors.ts";
import { Server, type ServerOptions } from "../http/listener.ts";

/**
 * Starts to listen.
 *
 * @param variables the variables that name the address.
 * @throws {DomainError} `failed` when the address cannot be bound.
 */
export function listen(options: ServerOptions, variables: string): Server {
  try {
    return new Server(options);
  } catch (cause) {
    const { hostname, port } = options;
    throw new DomainError(
      "failed",
      `Cannot listen on ${hostname}:${port}: ${(cause as Error).message}`,
      {
        cause,
        hints: [`another process may use this address: set ${variables} to another one`],
      },
    );
  }
}
