/** `healthcheck`: whether the server answers, for containers without curl. */

import { get, type IncomingMessage } from "node:http";
import { get as getSecurely } from "node:https";
import type { Command } from "commander";
import { DomainError } from "../base/errors.ts";
import { schemeOf, serverUrl } from "../server/address.ts";
import type { Config } from "../server/config.ts";
import { example } from "./arguments.ts";
import { type CommandContext, configOf } from "./context.ts";

export function addHealthcheck(program: Command, context: CommandContext): void {
  program.command("healthcheck")
    .description("exit 0 when the server on HOST and PORT is ready")
    .addHelpText("after", example("HOST=0.0.0.0 PORT=9000 jwks-server healthcheck"))
    .action(() => healthcheck(configOf(context)));
}

/** How long the server may take to answer, in milliseconds. */
const TIMEOUT = 3000;

/** @throws {DomainError} `failed` unless the server on `HOST` and `PORT` publishes its keys. */
async function healthcheck(config: Config): Promise<void> {
  const url = `${serverUrl(config.host, config.port, schemeOf(config))}/.well-known/jwks.json`;
  let status: number | undefined;
  try {
    status = await statusOf(url);
  } catch (error) {
    throw new DomainError("failed", `The server does not answer at ${url}`, {
      cause: error,
      hints: ["see that it runs, and that HOST and PORT are the same here and there"],
    });
  }
  if (status !== 200) {
    throw new DomainError("failed", `The server at ${url} is not ready: HTTP ${status}`);
  }
}

/**
 * Not by `fetch`, which goes through the proxy that the environment names for the outer world. The
 * certificate is not looked at: it is for the name by which others know the server, nothing secret
 * is sent, and one that has ended is no reason to start the server again.
 */
function statusOf(url: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const options = { agent: false, timeout: TIMEOUT } as const;
    const done = (response: IncomingMessage) => {
      response.resume();
      resolve(response.statusCode);
    };
    const request = url.startsWith("https:")
      ? getSecurely(url, { ...options, rejectUnauthorized: false }, done)
      : get(url, options, done);
    request.on("timeout", () => request.destroy(new Error("It took too long")));
    request.on("error", reject);
  });
}
