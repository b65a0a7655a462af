import assert from "node:assert/strict";
import { isDomainError, storageUnavailable } from "../../lib/base/errors.ts";
import type { KeyEncryptionRecord } from "../../lib/storage/storage.ts";
import { failureOf, wrapStorage } from "../support.ts";
import {
  type Moment,
  type SealedDatabase,
  stoppingDisk,
  stoppingStorage,
  withSealedDatabase,
} from "./sealed_database.ts";
import { contentsOf } from "./secret_files.ts";

const MOMENTS: readonly Moment[] = ["before", "after"];

/**
 * Asserts what must hold after a process was killed: the next start opens the database, the old
 * secret is there for older backups, and the secret can be renewed again.
 */
async function assertSound(
  sealed: SealedDatabase,
  directory: string,
  before: { value: string; record: KeyEncryptionRecord },
): Promise<void> {
  for (let start = 0; start < 2; start++) {
    await sealed.assertOpens();
    const texts = Object.values(await contentsOf(directory));
    assert.ok(texts.includes(`${before.value}\n`), "the old secret is in no file");
    assert.equal((await sealed.unlock(before.record)).secret.value, before.value);
  }
  await sealed.renew();
  await sealed.assertOpens();
  assert.equal((await sealed.unlock(before.record)).secret.value, before.value);
}

async function secretOf(sealed: SealedDatabase) {
  return { value: (await sealed.unlock()).secret.value, record: await sealed.record() };
}

Deno.test("renewSecret() stopped at any operation on a file leaves what opens the database and its backups", async () => {
  let steps = 0;
  for (const moment of MOMENTS) {
    let isStopped = true;
    for (let step = 1; isStopped; step++) {
      await withSealedDatabase(async (sealed, directory) => {
        const before = await secretOf(sealed);
        const { disk, stopped } = stoppingDisk(step, moment);
        const outcome = await Promise.race([sealed.renew({ disk }), stopped]);
        isStopped = outcome === "stopped";
        if (isStopped) steps++;
        await assertSound(sealed, directory, before);
      });
    }
  }
  assert.ok(steps >= 2 * 8, "it writes two files and renames one");
});

Deno.test("renewSecret() stopped in its transaction leaves what opens the database and its backups", async () => {
  for (const moment of MOMENTS) {
    await withSealedDatabase(async (sealed, directory) => {
      const before = await secretOf(sealed);
      const { storage, stopped } = stoppingStorage(sealed.storage, moment);
      assert.equal(await Promise.race([sealed.renew({ storage }), stopped]), "stopped");
      const { check } = await sealed.record();
      const isTaken = !check.every((byte, place) => byte === before.record.check[place]);
      assert.equal(isTaken, moment === "after");
      await assertSound(sealed, directory, before);
    });
  }
});

Deno.test("renewSecret() that fails after its transaction took effect leaves the secret that is needed", async () => {
  await withSealedDatabase(async (sealed, directory) => {
    const before = await secretOf(sealed);
    const storage = wrapStorage(sealed.storage, (own) => ({
      async rekey(...change) {
        assert.ok(await own.rekey(...change));
        throw storageUnavailable("unreachable");
      },
    }));
    const error = await failureOf(() => sealed.renew({ storage }));
    assert.ok(isDomainError(error, "storage_unavailable"));
    await assertSound(sealed, directory, before);
  });
});

Deno.test("a start that is stopped while it puts a pending secret in its place leaves it for the next", async () => {
  for (const moment of MOMENTS) {
    for (const step of [1, 2]) {
      await withSealedDatabase(async (sealed, directory) => {
        const before = await secretOf(sealed);
        const killed = stoppingStorage(sealed.storage, "after");
        await Promise.race([sealed.renew({ storage: killed.storage }), killed.stopped]);
        const { disk, stopped } = stoppingDisk(step, moment);
        const outcome = await Promise.race([sealed.unlock(undefined, disk), stopped]);
        assert.equal(outcome, "stopped");
        await assertSound(sealed, directory, before);
      });
    }
  }
});
