import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { hash } from "@node-rs/argon2";
import { parsePhc } from "../../lib/accounts/phc.ts";

Deno.test("parsePhc() takes apart what the library puts together", async () => {
  const salt = Buffer.from("a salt of its own");
  const options = { memoryCost: 32, timeCost: 2, parallelism: 3, outputLen: 24, salt };
  const parsed = parsePhc(await hash("x", options))!;
  assert.deepEqual(parsed.cost, { memoryKib: 32, passes: 2, lanes: 3 });
  assert.equal(Buffer.from(parsed.salt).toString(), salt.toString());
  assert.equal(parsed.digest.length, 24);
});

Deno.test("parsePhc() refuses salts and digests that are too short, too long or not canonical", () => {
  const text = (salt: string, digest: string) => `$argon2id$v=19$m=8,t=1,p=1$${salt}$${digest}`;
  const of = (bytes: number) => Buffer.alloc(bytes, 1).toString("base64").replaceAll("=", "");
  assert.ok(parsePhc(text(of(8), of(16))));
  assert.ok(parsePhc(text(of(64), of(64))));
  const refused = [[of(7), of(32)], [of(65), of(32)], [of(16), of(15)], [of(16), of(65)]];
  refused.push([`${of(9)}B`, of(32)], [of(16), `${of(32).slice(0, -1)}F`], ["A", of(32)]);
  for (const [salt, digest] of refused) {
    assert.equal(parsePhc(text(salt!, digest!)), undefined, `${salt} ${digest}`);
  }
});
