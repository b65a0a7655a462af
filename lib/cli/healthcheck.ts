/** `healthcheck`: whether the server is ready, for containers without curl. */

import { get } from "node:http";
import type { Command } from "commander";
import { DomainError } from "../base/errors.ts";
import { serverUrl } from "../server/address.ts";
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

/** @throws {DomainError} `failed` unless the server on `HOST` and `PORT` says that it is ready. */
async function healthcheck({ host, port }: Config): Promise<void> {
  const url = `${serverUrl(host, port)}/readyz`;
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

/** Not by `fetch`, which goes through the proxy that the environment names for the outer world. */
function statusOf(url: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent: false, timeout: TIMEOUT }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    request.on("timeout", () => request.destroy(new Error("It took too long")));
    request.on("error", reject);
  });
}
