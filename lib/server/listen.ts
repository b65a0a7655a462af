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
    const { message } = cause as Error;
    throw new DomainError("failed", `Cannot listen on ${hostname}:${port}: ${message}`, {
      cause,
      hints: [`${reasonOf(cause as Error, hostname)}: set ${variables} to another one`],
    });
  }
}

/** What most likely stands in the way. Deno has no class for a name that it finds no address of. */
function reasonOf(error: Error, hostname: string): string {
  if (error.message.startsWith("failed to lookup address")) {
    return `the name ${hostname} does not resolve to an address`;
  }
  if (error instanceof Deno.errors.AddrNotAvailable) return "this machine has no such address";
  return "another process may use this address";
}
