import assert from "node:assert/strict";
import project from "../../deno.json" with { type: "json" };
import { storageUnavailable } from "../../lib/base/errors.ts";
import { Presence } from "../../lib/server/presence.ts";
import type { ServerRecord } from "../../lib/storage/storage.ts";
import { FakeClock, recordingLog } from "../support.ts";

/** A server whose secret the test changes, and what it has told. */
function makePresence(tell?: (server: ServerRecord, time: FakeClock) => Promise<number>) {
  const told: ServerRecord[] = [];
  const time = new FakeClock();
  const keep = (server: ServerRecord) => {
    told.push(server);
    return tell ? tell(server, time) : Promise.resolve(time.now);
  };
  const ring = { check: new Uint8Array([1]) };
  const { log, lines } = recordingLog();
  const presence = new Presence({
    storage: { servers: { tell: keep, list: () => Promise.resolve([]) } },
    ring,
    port: 8080,
    issuer: "https://id.example",
    limitedAt: null,
    clock: time.clock,
    log,
    hostname: () => "tokens-1",
  });
  return { presence, told, time, ring, lines };
}

Deno.test("Presence.tell() says who the server is, its clock, and whose secret it has by then", async () => {
  const { presence, told, time, ring } = makePresence();
  await presence.tell();
  time.advance(10);
  ring.check = new Uint8Array([2]);
  await presence.tell();
  const [first, second] = told;
  assert.deepEqual(first, {
    id: first!.id,
    host: "tokens-1:8080",
    version: project.version,
    at: time.now - 10_000,
    check: new Uint8Array([1]),
    issuer: "https://id.example",
    limitedAt: null,
  });
  assert.deepEqual(second, { ...first!, at: time.now, check: new Uint8Array([2]) });
});

Deno.test("Presence gives each process an id of its own", async () => {
  const [one, other] = [makePresence(), makePresence()];
  await one.presence.tell();
  await other.presence.tell();
  assert.notEqual(one.told[0]!.id, other.told[0]!.id);
});

Deno.test("Presence.start() tells at once, and stop() waits for what is under way", async () => {
  const held = Promise.withResolvers<number>();
  let begun = 0;
  const { presence } = makePresence(() => {
    begun++;
    return held.promise;
  });
  presence.start();
  assert.equal(begun, 1);
  let isStopped = false;
  const stopped = presence.stop().then(() => isStopped = true);
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  assert.equal(isStopped, false);
  held.resolve(0);
  await stopped;
});

Deno.test("Presence.tell() logs a failure when it begins and when it is over", async () => {
  let isDown = true;
  const { presence, lines } = makePresence((_, { now }) =>
    isDown ? Promise.reject(storageUnavailable("unreachable")) : Promise.resolve(now)
  );
  for (let round = 0; round < 3; round++) await presence.tell();
  isDown = false;
  for (let round = 0; round < 3; round++) await presence.tell();
  const said = lines.map((line) => JSON.parse(line)).map(({ level, message }) => [level, message]);
  assert.deepEqual(said, [
    ["error", "telling other servers of this one fails and is tried again"],
    ["info", "telling other servers of this one works again"],
  ]);
});

Deno.test("Presence.tell() says once how far the clock is off, with the round trip taken off, and when that changes", async () => {
  let ahead = 0;
  const { presence, lines } = makePresence((_, time) => {
    time.advance(2); // half of it before the database looks at its clock
    return Promise.resolve(time.now - 1000 - ahead);
  });
  for (const offset of [0, 60, 61, 90, 120, 122, 300, 302, 480, 482, 200, 0, 0, -61, -302, 1]) {
    ahead = offset * 1000;
    await presence.tell();
  }
  const said = lines.map((line) => JSON.parse(line)).map(({ level, seconds_ahead: ahead }) =>
    `${level} ${ahead}`
  );
  assert.deepEqual(said, [
    ...["warn 61", "warn 122", "warn 300", "error 302", "error 480", "warn 200", "info 0"],
    ...["warn -61", "error -302", "info 1"],
  ]);
});

Deno.test("Presence.start() does nothing where a database is one machine's alone", async () => {
  const { log, lines } = recordingLog();
  const presence = new Presence({
    storage: { servers: undefined },
    ring: { check: new Uint8Array() },
    port: 8080,
    issuer: null,
    limitedAt: null,
    clock: Date.now,
    log,
    hostname: () => {
      throw new Error("nobody asks for it");
    },
  });
  presence.start();
  await presence.stop();
  assert.deepEqual(lines, []);
});
