/** The driver's protocol: commands on standard input, answers on standard output. */

import { createInterface } from "node:readline";

/** What the driver says: who issues tokens, to whom, and what they must be like. */
export const { ISSUER, CLIENT_ID, CLIENT_SECRET, AUDIENCE, ALG } = process.env;

/**
 * Answers commands until they end.
 *
 * `getToken` gives a token, and is left out where the library has no such grant. `verify` gives the
 * claims of a token, and throws for one that is not to be taken.
 */
export async function converse({ getToken, verify }) {
  for await (const line of createInterface({ input: process.stdin })) {
    const [command, token] = line.split(" ");
    const answer = command === "token" ? await obtain(getToken) : await judge(verify, token);
    process.stdout.write(`${answer}\n`);
  }
}

async function obtain(getToken) {
  if (getToken === undefined) return "unsupported";
  try {
    return `token ${await getToken()}`;
  } catch (error) {
    return `error ${describe(error)}`;
  }
}

async function judge(verify, token) {
  try {
    return `valid ${(await verify(token)).sub}`;
  } catch (error) {
    return `invalid ${describe(error)}`;
  }
}

function describe(error) {
  return String(error).replaceAll(/\s+/g, " ");
}
