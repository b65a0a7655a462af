import assert from "node:assert/strict";
import fc from "fast-check";
import { z } from "zod";
import { DomainError } from "../../lib/base/errors.ts";
import { readJson } from "../../lib/http/parsed_body.ts";
import { readAuthRequest } from "../../lib/http/request.ts";
import { ALICE, assertRefused, close, post, streamOf } from "./posted.ts";

/** What stands in the body of a `POST /auth`. */
async function readAuthBody(request: Request) {
  const { credentials, isExpired } = await readAuthRequest(request);
  return { ...credentials, ...(isExpired ? { expired: true } : {}) };
}

/** A schema that is not the one of any route. */
const Named = z.object({ username: z.string(), expired: z.boolean().optional() });

Deno.test("readJson() gives the validated value and drops members that nobody asked for", async () => {
  const body = JSON.stringify({ ...ALICE, expired: true, admin: true, __proto__: { x: 1 } });
  assert.deepEqual(await readAuthBody(post(body)), { ...ALICE, expired: true });
  assert.deepEqual(await readJson(post(body), Named), { username: "alice", expired: true });
});

Deno.test("readJson() reads within the limits that it is given", async () => {
  const body = JSON.stringify({ username: "alice" });
  const [fits, tooSmall] = [body.length, body.length - 1]
    .map((maxBytes) => () => readJson(post(body), Named, { maxBytes, timeout: 1000 }));
  assert.deepEqual(await fits!(), { username: "alice" });
  await assertRefused(tooSmall!, "payload_too_large");
});

Deno.test("readJson() takes application/json in any case and with parameters", async () => {
  for (
    const type of ["application/json", "Application/JSON; charset=utf-8", "application/json ;"]
  ) {
    const request = post(JSON.stringify(ALICE), { "content-type": type });
    assert.deepEqual(await readAuthBody(request), ALICE, type);
  }
});

Deno.test("readJson() refuses every other media type", async () => {
  const others = ["", "text/plain", "application/jsonx", "text/json", "multipart/form-data"];
  for (const type of [...others, "text/plain; application/json", "application/json, text/plain"]) {
    const request = post(JSON.stringify(ALICE), { "content-type": type });
    await assertRefused(() => readAuthBody(request), "unsupported_media_type", type);
  }
});

Deno.test("readJson() takes a body of exactly 8 KiB and refuses one byte more", async () => {
  const whole = JSON.stringify(ALICE).padEnd(8192, " ");
  assert.deepEqual(await readAuthBody(post(whole)), ALICE);
  await assertRefused(() => readAuthBody(post(`${whole} `)), "payload_too_large");
});

Deno.test("readJson() puts a body in pieces together, also within a character", async () => {
  const bytes = new TextEncoder().encode(JSON.stringify({ ...ALICE, password: "pässwörd→𝔛" }));
  const { stream, seen } = streamOf((controller) => {
    if (seen.pulls > 1) return close(controller);
    for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
  });
  assert.equal((await readAuthBody(post(stream))).password, "pässwörd→𝔛");
});

Deno.test("readJson() refuses what is not UTF-8", async () => {
  const encoded = new TextEncoder().encode(JSON.stringify(ALICE));
  for (const bytes of [[0xff], [0xc3, 0x28], [0xed, 0xa0, 0x80], [0xc0, 0xaf]]) {
    const body = new Uint8Array([...encoded.slice(0, 14), ...bytes, ...encoded.slice(14)]);
    await assertRefused(() => readAuthBody(post(body)), "invalid_request");
  }
});

Deno.test("readJson() refuses what is not one JSON object", async () => {
  const texts = ["", " ", "null", "1", '"text"', "[]", `[${JSON.stringify(ALICE)}]`, "{", "{}{}"];
  const jsonc = ['{"username":"a","password":"b",}', '{"username":"a",/**/"password":"b"}'];
  for (const text of [...texts, ...jsonc, "username=a&password=b", "\ufeff\ufeff{}", "{'a':1}"]) {
    await assertRefused(() => readAuthBody(post(text)), "invalid_request", text);
  }
  const bodyless = new Request("http://localhost/auth", {
    method: "POST",
    headers: { "content-type": "application/json" },
  });
  await assertRefused(() => readAuthBody(bodyless), "invalid_request", "no body");
});

Deno.test("readJson() refuses a repeated name, at any depth and however it is written", async () => {
  for (
    const text of [
      '{"username":"a","username":"b","password":"c"}',
      '{"username":"a","password":"c","us\\u0065rname":"a"}',
      '{"\\u0075sername":"a","username":"a","password":"c"}',
      '{"username":"a","password":"c","more":{"x":1,"x":1}}',
      '{"username":"a","password":"c","more":[{"x":[]},{"y":1,"y":2}]}',
      '{"username":"a","password":"c","__proto__":1,"__proto__":1}',
    ]
  ) await assertRefused(() => readAuthBody(post(text)), "invalid_request", text);
});

Deno.test("readJson() takes the same name in different objects", async () => {
  const text =
    '{"username":"a","password":"b","x":{"username":1,"y":{"username":1}},"z":[{"x":1}]}';
  assert.deepEqual(await readAuthBody(post(text)), { username: "a", password: "b" });
});

Deno.test("readJson() refuses members of the wrong type, which SQLite might bind as names", async () => {
  for (const value of [{ a: 1 }, ["alice"], 1, true, null, {}, ""]) {
    for (const member of ["username", "password"]) {
      const text = JSON.stringify({ ...ALICE, [member]: value });
      await assertRefused(() => readAuthBody(post(text)), "invalid_request", text);
    }
  }
  for (const expired of ["true", 1, null, {}]) {
    const text = JSON.stringify({ ...ALICE, expired });
    await assertRefused(() => readAuthBody(post(text)), "invalid_request", text);
  }
  for (const member of ["username", "password"]) {
    const text = JSON.stringify({ ...ALICE, [member]: undefined });
    const message = await assertRefused(() => readAuthBody(post(text)), "invalid_request");
    assert.match(message, new RegExp(`${member} is missing`));
  }
});

Deno.test("readJson() is not brought down by deep nesting", async () => {
  for (const open of ["[", '{"a":', "[{"]) {
    const text = open.repeat(8192).slice(0, 8192);
    await assertRefused(() => readAuthBody(post(text)), "invalid_request", open);
  }
  const arrays = `${"[".repeat(4000)}${"]".repeat(4000)}`;
  const objects = `${'{"a":'.repeat(1300)}0${"}".repeat(1300)}`;
  for (const deep of [arrays, objects]) {
    const text = `{"username":"alice","password":"secret","deep":${deep}}`;
    assert.deepEqual(await readAuthBody(post(text)), ALICE);
  }
});

Deno.test("readJson() gives a value or a DomainError, whatever arrives", async () => {
  const bodies = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.json().map((text) => new TextEncoder().encode(text)),
    fc.json().map((text) => new TextEncoder().encode(`{"username":${text},"password":${text}}`)),
  );
  await fc.assert(fc.asyncProperty(bodies, async (body) => {
    try {
      const { username, password } = await readAuthBody(post(new Uint8Array(body)));
      assert.equal(typeof username, "string");
      assert.equal(typeof password, "string");
    } catch (error) {
      assert.ok(error instanceof DomainError, String(error));
    }
  }));
});
