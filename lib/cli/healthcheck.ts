/** `healthcheck`: whether the server answers, for containers without curl. */

import { get } from "node:http";
import type { Config } from "../server/config.ts";
import { CommandError, EXIT } from "../base/errors.ts";
import { serverUrl } from "./words.ts";

/** How long the server may take to answer, in milliseconds. */
const PATIENCE = 3000;

/** @throws {CommandError} unless the server on `HOST` and `PORT` publishes its keys. */
export async function healthcheck({ host, port }: Config): Promise<void> {
  const url = `${serverUrl(reachable(host), port)}/.well-known/jwks.json`;
  let status: number | undefined;
  try {
    status = await statusOf(url);
  } catch (error) {
    throw new CommandError(EXIT.failed, `the server does not answer at ${url}`, [
      "see that it runs, and that HOST and PORT are the same here and there",
    ], { cause: error });
  }
  if (status !== 200) {
    throw new CommandError(EXIT.failed, `the server is not ready: HTTP ${status}`);
  }
}

/** Not by `fetch`, which goes through the proxy that the environment names for the outer world. */
function statusOf(url: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent: false, timeout: PATIENCE }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    request.on("timeout", () => request.destroy(new Error("It took too long")));
    request.on("error", reject);
  });
}

/** An address to connect to, for one to listen on: the wildcard addresses mean every own one. */
function reachable(host: string): string {
  if (host === "0.0.0.0") return "127.0.0.1";
  return host === "::" ? "::1" : host;
}
