import assert from "node:assert/strict";
import { Accounts } from "../../lib/accounts/accounts.ts";
import { isDomainError } from "../../lib/base/errors.ts";
import { cheapHasher, CLIENT, FakeClock, recordingLog } from "../support.ts";
import { withWorkplace, type Workplace } from "./workplace.ts";

const ADD = ["users", "add", "alice", "--email", "alice@example.com"];
const ROTATE = ["users", "rotate-password", "alice"];
const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g;

/** The one password that a command printed. */
function passwordIn(text: string): string {
  const [password, ...others] = text.match(UUID) ?? [];
  assert.ok(password !== undefined && others.length === 0, text);
  return password;
}

/** Whether the server lets alice in with each of these, so many seconds from now. */
async function logins(workplace: Workplace, passwords: string[], later = 0): Promise<boolean[]> {
  const results: boolean[] = [];
  await workplace.withStorage(async (storage) => {
    const { clock } = new FakeClock(Date.now() + later * 1000);
    const { log } = recordingLog();
    const accounts = new Accounts({ storage, hasher: cheapHasher(), clock, log });
    for (const password of passwords) {
      try {
        await accounts.authentication.authenticate({ username: "alice", password }, CLIENT);
        results.push(true);
      } catch (error) {
        if (!isDomainError(error, "invalid_credentials")) throw error;
        results.push(false);
      }
    }
  });
  return results;
}

Deno.test("users rotate-password gives a second password, and the old one stays valid as long as it says", async () => {
  await withWorkplace(async (workplace) => {
    const old = passwordIn(await workplace.run(ADD));
    const text = await workplace.run([...ROTATE, "--overlap", "7d"]);
    const fresh = passwordIn(text);
    const until = Date.parse(/stays valid until (\S+ \S+)$/m.exec(text)![1]!.replace(" ", "T"));
    const seconds = (until - Date.now()) / 1000;
    assert.ok(Math.abs(seconds - 7 * 86_400) < 60, text);
    assert.deepEqual(await logins(workplace, [old, fresh]), [true, true]);
    assert.deepEqual(await logins(workplace, [old, fresh], seconds - 1), [true, true]);
    assert.deepEqual(await logins(workplace, [old, fresh], seconds + 60), [false, true]);
  }, { alg: "ES256" });
});

Deno.test("users rotate-password keeps the old password for PASSWORD_OVERLAP when nothing else is said", async () => {
  await withWorkplace(async (workplace) => {
    const first = passwordIn(await workplace.run(ADD));
    const second = passwordIn(await workplace.run(ROTATE, { PASSWORD_OVERLAP: "2h" }));
    assert.deepEqual(await logins(workplace, [first, second], 7100), [true, true]);
    assert.deepEqual(await logins(workplace, [first, second], 7300), [false, true]);
    const text = await workplace.run(ROTATE, { PASSWORD_OVERLAP: "0s" });
    assert.match(text, /^The password before is not valid any more$/m);
    assert.deepEqual(await logins(workplace, [first, second, passwordIn(text)]), [
      false,
      false,
      true,
    ]);
  }, { alg: "ES256" });
});

Deno.test("users rotate-password refuses an overlap that is none, with exit code 2, and rotates nothing", async () => {
  await withWorkplace(async (workplace) => {
    const old = passwordIn(await workplace.run(ADD));
    for (const overlap of ["", "0s", "soon", "-1d", "101y"]) {
      assert.equal(await workplace.exitCode([...ROTATE, "--overlap", overlap]), 2, overlap);
    }
    assert.deepEqual(await logins(workplace, [old], 10 * 86_400), [true]);
  }, { alg: "ES256" });
});

Deno.test("users delete ends every credential, and the name is never given again", async () => {
  await withWorkplace(async (workplace) => {
    const old = passwordIn(await workplace.run(ADD));
    const fresh = passwordIn(await workplace.run(ROTATE));
    await workplace.run(["users", "set", "alice", "--note", "x"]);
    const text = await workplace.run(["users", "delete", "alice"]);
    assert.match(text, /^User alice is deleted: .*the name is never given again$/);
    assert.deepEqual(await logins(workplace, [old, fresh]), [false, false]);
    assert.equal(await workplace.run(["users", "list"]), "There are no users yet");
    for (const name of ["alice", "ALICE"]) {
      const { code } = await workplace.refused(ADD.with(2, name).with(4, "new@example.com"));
      assert.equal(code, "already_registered");
    }
    const left = workplace.tamper((database) => [
      ...database.all("SELECT * FROM client_policies"),
      ...database.all("SELECT * FROM client_credentials"),
    ]);
    assert.deepEqual(left, []);
  }, { alg: "ES256" });
});
