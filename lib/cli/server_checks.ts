/** What `doctor` asks the server that is at the issuer's URL. */

import { readAtMost } from "../base/bytes.ts";
import { schemeOf, serverUrl } from "../server/address.ts";
import type { Config } from "../server/config.ts";
import { TEST_MODE, TEST_MODE_ADVICE } from "../server/test_mode.ts";
import type { CheckParts } from "./checks.ts";
import { type Finding, ok, problem, warning } from "./finding.ts";

/** How much is read of what the issuer answers, in bytes. */
const LONGEST_ANSWER = 1024 * 1024;

/** How long the issuer may take to answer, in milliseconds. */
const TIMEOUT = 3000;

/** The environment of who calls the command may be another than the server's: that is asked, too. */
export async function checkTestTokens(config: Config): Promise<Finding> {
  const isGiven = config.testTokens || await givesTestTokens(config);
  if (isGiven) return warning("test tokens", TEST_MODE, TEST_MODE_ADVICE);
  const unknown = "TEST_TOKENS is off in this environment, and no server answers for its own";
  return ok("test tokens", isGiven === undefined ? unknown : "switched off");
}

/** What the description of a server says, as far as it matters here. */
interface Described {
  paths?: { "/auth"?: { post?: { parameters?: { name: string }[] } } };
}

/** Whether the server at the issuer's URL tells of test tokens; `undefined` when none tells anything. */
async function givesTestTokens(config: Config): Promise<boolean | undefined> {
  try {
    const text = await read(`${issuerOf(config)}/openapi.json`, config);
    const { paths }: Described = JSON.parse(text);
    return paths?.["/auth"]?.post?.parameters?.some(({ name }) => name === "defect");
  } catch {
    return undefined; // nobody is there, or another server; the check of the issuer tells of both
  }
}

export async function checkIssuer({ config, ring }: CheckParts): Promise<Finding> {
  const url = `${issuerOf(config)}/.well-known/jwks.json`;
  let theirs: string;
  try {
    theirs = await read(url, config);
  } catch (error) {
    const fault = certificateFault(error);
    if (fault !== undefined) {
      return warning(
        "issuer",
        `the certificate at ${url} is not trusted here: ${fault}`,
        "see that it names the host of ISSUER; if it does, set DENO_CERT to the certificate of its " +
          "authority, or DENO_TLS_CA_STORE=system where the system knows that",
      );
    }
    return warning(
      "issuer",
      `${url} cannot be reached from here`,
      "start the server, or set ISSUER",
    );
  }
  const ours = ring.published();
  const isEqual = ours !== undefined && theirs === ours.text;
  if (isEqual) return ok("issuer", `${url} publishes this database's keys`);
  return problem(
    "issuer",
    `${url} publishes other keys than this database's`,
    "see that ISSUER leads to this server, that it was started again after a rekey, and that no cache stands between",
  );
}

/** What the runtime has against the certificate of a server, if that is why it did not ask. */
function certificateFault(error: unknown): string | undefined {
  const told = [error, (error as Error).cause].map((own) =>
    own instanceof Error ? own.message : ""
  );
  return /invalid peer certificate: (.*\S)/.exec(told.join(" "))?.[1]; // Deno 2.4 has no cause
}

/** The URL of the server, without a slash at its end. */
function issuerOf(config: Config): string {
  const { issuer = serverUrl(config.host, config.port, schemeOf(config)) } = config;
  return issuer.replace(/\/$/, "");
}

/** What is at `url`, for who trusts the server's own certificate besides those that everybody does. */
async function read(url: string, { tls }: Config): Promise<string> {
  const caCerts = tls === undefined ? [] : [await Deno.readTextFile(tls.certFile)];
  using client = Deno.createHttpClient({ caCerts });
  const { body } = await fetch(url, { client, signal: AbortSignal.timeout(TIMEOUT) });
  const bytes = body === null ? new Uint8Array() : await readAtMost(LONGEST_ANSWER, body);
  return new TextDecoder().decode(bytes); // nothing when it was too long to be ours
}
