/** `healthcheck`: whether the server is ready, for containers without curl. */

import { get } from "node:http";
import { connect } from "node:tls";
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

/** @throws {DomainError} `failed` unless the server on `HOST` and `PORT` says that it is ready. */
async function healthcheck(config: Config): Promise<void> {
  const url = `${serverUrl(config.host, config.port, schemeOf(config))}/readyz`;
  let status: number | undefined;
  try {
    status = await (config.tls === undefined ? statusOf(url) : secureStatusOf(new URL(url)));
  } catch (error) {
    throw new DomainError("failed", `The server does not answer at ${url}`, {
      cause: error,
      hints: [
        "see that it runs, and that HOST, PORT and TLS_CERT_FILE are the same here and there",
      ],
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

/**
 * The certificate is not looked at: it is made out to the name by which others know the server, what
 * is asked is no secret, and one that has ended is no reason to start the server again. Not by
 * `node:https`, which would need a permission of its own for the system's certificates.
 */
function secureStatusOf({ hostname, host, port, pathname }: URL): Promise<number> {
  return new Promise((resolve, reject) => {
    const address = { host: hostname.replace(/^\[|\]$/g, ""), port: Number(port || 443) };
    const socket = connect({ ...address, rejectUnauthorized: false });
    socket.once("secureConnect", () => {
      socket.write(`GET ${pathname} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    });
    socket.once("data", (bytes: Uint8Array) => {
      resolve(Number(/^HTTP\/1\.1 (\d{3})/.exec(new TextDecoder().decode(bytes))?.[1]));
      socket.destroy();
    });
    socket.setTimeout(TIMEOUT, () => socket.destroy(new Error("It took too long")));
    socket.on("error", reject);
    socket.on("close", () => reject(new Error("It ended without an answer")));
  });
}
