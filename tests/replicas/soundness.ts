/** What holds after every run, whatever the replicas went through. */

import assert from "node:assert/strict";
import { createLocalJWKSet, decodeJwt, jwtVerify } from "jose";
import { kidOf, NOTICED } from "../blackbox/commands.ts";
import { eventually, type Server } from "../blackbox/harness.ts";
import type { Load, Told } from "./load.ts";
import type { Operator } from "./operator.ts";
import { ISSUER, type Replicas } from "./replicas.ts";

/** How much later than it happens something may be said to happen, in whole seconds. */
const ROUNDING = 1;

export interface Expectations {
  /** Those that were killed, and may therefore have been silent. */
  killed?: ReadonlySet<Server>;
  /** How far the clocks of the replicas may be off, in seconds. */
  skew?: number;
  /** Whether the database was away for a while, in which requests are refused. */
  isRefused?: boolean;
}

/** What a server logs that fell over something that it should have seen coming. */
const UNFORESEEN = /"message":"(an error was not handled|a request failed)"/;

/**
 * Asserts that whatever was answered stands: nobody was refused, every token verifies with the JWKS
 * of each replica and has its row, one key signs, one is next.
 */
export async function assertSound(
  replicas: Replicas,
  load: Load,
  { killed = new Set(), skew = 0, isRefused = false }: Expectations = {},
): Promise<void> {
  const operator = await replicas.operator();
  const isUndone = ({ status, server }: Told) =>
    (status === 0 && killed.has(server)) || (status === 503 && isRefused);
  for (const told of load.told) {
    const { status } = told;
    assert.ok(status === 200 || status === 201 || isUndone(told), `${status}`);
  }
  await assertKeys(replicas, operator);
  await assertTokens(replicas, operator, load.tokens, skew + ROUNDING);
  await assertRows(operator, load, isUndone);
  const unforeseen = isRefused ? UNFORESEEN : /"level":"error"/;
  for (const { stderr } of replicas.servers) assert.doesNotMatch(stderr, unforeseen);
}

/** One key signs and one is next by the operator's clock, and all replicas publish the same. */
export async function assertKeys({ servers }: Replicas, operator: Operator): Promise<void> {
  for (const state of ["active", "next", "born expired"] as const) {
    assert.equal((await operator.kids(state)).length, 1, state);
  }
  await eventually("the replicas publish the same keys", async () => {
    const sets = await Promise.all(servers.map(async (server) => (await server.jwks()).text));
    return new Set(sets).size === 1 || undefined;
  }, NOTICED);
}

/** Every token verifies, and was signed while that was its key's turn, which outlives it. */
async function assertTokens(
  { servers: [server] }: Replicas,
  operator: Operator,
  tokens: readonly string[],
  tolerance: number,
): Promise<void> {
  const set = createLocalJWKSet((await server!.jwks()).json);
  const keys = new Map((await operator.keys()).map((key) => [key.kid, key]));
  for (const token of tokens) {
    await jwtVerify(token, set, { issuer: ISSUER });
    const { signFrom, signUntil, exp: end } = keys.get(kidOf(token))!;
    const { iat, exp } = decodeJwt(token);
    const isInTurn = signFrom <= iat! + tolerance && iat! <= signUntil + tolerance;
    assert.ok(isInTurn && exp! <= end, `${signFrom} ${iat} ${signUntil}, ${exp} ${end}`);
  }
}

/** Each token has one row; a login of which nobody knows whether it was done may have one. */
async function assertRows(
  operator: Operator,
  load: Load,
  isUndone: (told: Told) => boolean,
): Promise<void> {
  const told = Map.groupBy(load.told, ({ username }) => username);
  for (const { username } of load.users) {
    const logins = told.get(username)!;
    const rows = await operator.countLogins(username);
    const tokens = logins.filter(({ token }) => token !== undefined).length;
    const undone = logins.filter(isUndone).length;
    assert.ok(tokens <= rows && rows <= tokens + undone, `${rows} rows of ${tokens} tokens`);
  }
}

/** Every user that was told so is registered: it can log in. */
export async function assertRegistered({ servers }: Replicas, { users }: Load): Promise<void> {
  for (const [place, user] of users.entries()) {
    const answer = await servers[place % servers.length]!.login(user);
    assert.equal(answer.status, 200, answer.text);
  }
}
