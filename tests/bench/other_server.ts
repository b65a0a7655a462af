/** How many tokens a server gives beside one of another project, in the same run. */

import { decodeProtectedHeader } from "jose";
import { Client } from "../blackbox/client.ts";
import { Server, UNLIMITED } from "../blackbox/harness.ts";
import { settled } from "../blackbox/keys.ts";
import { withTempDir } from "../support.ts";
import { LineProcess } from "./helper.ts";
import { formLoad, type Load, requestsPerSecond } from "./load.ts";
import { OTHER_PROGRAM, OTHER_SECRET } from "./oidc_provider.ts";
import type { Row, Unmeasured } from "./row.ts";
import { inTurns, median } from "./statistics.ts";

const ROUNDS = 4;
const SECONDS = 3;
const SCRIPT = "other.mjs";
const OTHER = "oidc-provider@9.13.3";
const WHAT = "Tokens by client_credentials, against oidc-provider on Node";

/** Deno signs with RSA and P-256 many times slower than Node does: these two only inform. */
const GOALS = { EdDSA: ["at least", 1], ES256: undefined, RS256: undefined } as const;

/** Tokens a second by the client's secret, with each of three algorithms. */
export async function measureOtherServer(): Promise<(Row | Unmeasured)[]> {
  const rows: (Row | Unmeasured)[] = [];
  await withTempDir(async (directory) => {
    if (!await install(directory)) {
      rows.push({ what: WHAT, reason: "skipped: npm cannot install it", isFailure: false });
      return;
    }
    for (const alg of Object.keys(GOALS) as (keyof typeof GOALS)[]) {
      rows.push(await compare(directory, alg));
    }
  });
  return rows;
}

async function compare(directory: string, alg: keyof typeof GOALS): Promise<Row> {
  const env = { ...UNLIMITED, SIGNING_ALG: alg };
  await using server = await Server.start({ isFullCost: true, env });
  await settled(server);
  await using other = new LineProcess("node", [`${directory}/${SCRIPT}`, alg]);
  const { username, password } = await server.register();
  const own = loadOf(server.url, username, password);
  const theirs = loadOf(`http://127.0.0.1:${await other.line()}`, "client", OTHER_SECRET);
  for (const load of [own, theirs]) await assertToken(load, alg);
  const [measured, baseline] = await inTurns(
    ROUNDS,
    () => requestsPerSecond(own, SECONDS),
    () => requestsPerSecond(theirs, SECONDS),
  );
  const goal = GOALS[alg];
  return {
    what: `${WHAT}, ${alg}`,
    unit: "/s",
    measured: median(measured),
    baseline: median(baseline),
    ...(goal === undefined ? {} : { goal }),
  };
}

function loadOf(url: string, id: string, secret: string): Load {
  const form = { grant_type: "client_credentials", client_id: id, client_secret: secret };
  return formLoad(`${url}/token`, form);
}

/** Both give a JWT that is signed by this algorithm. */
async function assertToken({ url, headers, body }: Load, alg: string): Promise<void> {
  using client = new Client(url);
  const answer = await client.request("", { method: "POST", headers: headers!, body: body! });
  const found = decodeProtectedHeader(answer.json.access_token).alg;
  if (found !== alg) throw new Error(`A token is signed by ${found}, not ${alg}`);
}

async function install(directory: string): Promise<boolean> {
  await Deno.writeTextFile(`${directory}/${SCRIPT}`, OTHER_PROGRAM);
  const command = new Deno.Command("npm", {
    args: ["install", "--silent", "--no-audit", "--no-fund", "--prefix", directory, OTHER],
    stdout: "null",
    stderr: "null",
  });
  return await command.output().then(({ success }) => success, () => false);
}
