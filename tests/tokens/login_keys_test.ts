import assert from "node:assert/strict";
import { decodeProtectedHeader } from "jose";
import { Accounts } from "../../lib/accounts/accounts.ts";
import { revoke } from "../../lib/rotation/operations.ts";
import type { Storage } from "../../lib/storage/storage.ts";
import { createAssertionVerifier } from "../../lib/tokens/client_assertion.ts";
import { createLogin } from "../../lib/tokens/login.ts";
import { ReplayGuard } from "../../lib/tokens/replay_guard.ts";
import { TokenIssuer } from "../../lib/tokens/token_issuer.ts";
import {
  cheapHasher,
  CLIENT,
  FakeClock,
  ISSUER,
  makeRing,
  openStorage,
  POLICY,
  wrapStorage,
} from "../support.ts";

const ALICE = { username: "alice", email: "alice@example.com" };

/** A storage that is far away: what is known of its keys may be as old as it is allowed to be. */
function farStorage(own: Storage): { storage: Storage; asked: () => number } {
  let known: number | undefined;
  let asked = 0;
  const storage = wrapStorage(own, (own) => ({
    async revision(maxAge) {
      if (maxAge !== undefined && known !== undefined) return known;
      asked++;
      return known = await own.revision();
    },
    async readKeys() {
      const snapshot = await own.readKeys();
      known = snapshot.revision;
      return snapshot;
    },
  }));
  return { storage, asked: () => asked };
}

/** A login on such a storage, and another server's key ring on the same keys. */
async function makeLogin() {
  const time = new FakeClock();
  const own = openStorage();
  const { storage, asked } = farStorage(own);
  const { ring, log } = await makeRing({ storage, time });
  const other = await makeRing({ storage: own, time });
  const { clock } = time;
  const accounts = new Accounts({ storage, hasher: cheapHasher(), clock, log });
  const assertions = createAssertionVerifier({
    audiences: [ISSUER],
    replay: new ReplayGuard({ capacity: 10, clock }),
    clock,
  });
  const login = createLogin({ accounts, assertions, ring });
  const password = await accounts.register(ALICE, CLIENT.ip);
  const issuer = new TokenIssuer({ ring, clock, issuer: ISSUER, audience: ISSUER, ...POLICY });
  const proof = { method: "password", credentials: { username: "alice", password } } as const;
  const kid = async () => {
    const { token } = await login(proof, CLIENT, ({ user }) => issuer.issue(user.username));
    return decodeProtectedHeader(token).kid;
  };
  const rows = async () =>
    (await own.readAuthentications({ afterId: 0, since: 0, limit: 10 })).length;
  return { kid, rows, asked, other: other.ring, time, login, proof };
}

Deno.test("login() gives no token of a key that another server revoked before, without asking first", async () => {
  const { kid, rows, asked, other, time } = await makeLogin();
  const revoked = (await other.signer()).kid;
  assert.equal(await kid(), revoked);
  const before = asked();
  await other.change((keys) => ({
    change: revoke(keys.find((key) => key.kid === revoked)!, time.seconds),
  }));
  await other.maintain();
  const used = await kid();
  assert.notEqual(used, revoked);
  assert.equal(used, (await other.signer()).kid);
  assert.equal(await rows(), 2, "what is signed anew is no second login");
  assert.equal(await kid(), used);
  assert.equal(asked(), before);
});

Deno.test("login() asks once what is answered while the keys stay as they are", async () => {
  const { login, proof } = await makeLogin();
  let asked = 0;
  await login(proof, CLIENT, () => Promise.resolve(asked++));
  assert.equal(asked, 1);
});
