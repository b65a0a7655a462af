import assert from "node:assert/strict";
import fc from "fast-check";
import { type ErrorCode, RequestError } from "../../lib/base/errors.ts";
import { BODY_LIMITS, Credentials, readJson } from "../../lib/http/request.ts";
import { failureOf } from "../support.ts";

const ALICE = { username: "alice", password: "secret" };

function post(body: BodyInit, headers: Record<string, string> = {}): Request {
  const own = { "content-type": "application/json", ...headers };
  return new Request("http://localhost/auth", { method: "POST", headers: own, body });
}

/** Asserts that it is refused with this code, in words that quote nothing of `hidden`. */
async function assertRefused(work: () => unknown, code: ErrorCode, what = ""): Promise<string> {
  const error = await failureOf(work, what);
  assert.ok(error instanceof RequestError, `${what}: ${error}`);
  assert.equal(error.code, code, what);
  return error.message;
}

/** A body that arrives piece by piece, and what was taken of it. */
function streamOf(next: (controller: ReadableStreamDefaultController<Uint8Array>) => void) {
  const seen = { pulls: 0, isCancelled: false };
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      seen.pulls++;
      next(controller);
    },
    cancel: () => void (seen.isCancelled = true),
  }, { highWaterMark: 0 });
  return { stream, seen };
}

Deno.test("readJson() gives the validated value and drops members that nobody asked for", async () => {
  const body = JSON.stringify({ ...ALICE, expired: true, admin: true, __proto__: { x: 1 } });
  assert.deepEqual(await readJson(post(body), Credentials), { ...ALICE, expired: true });
});

Deno.test("readJson() takes application/json in any case and with parameters", async () => {
  for (
    const type of ["application/json", "Application/JSON; charset=utf-8", "application/json ;"]
  ) {
    const request = post(JSON.stringify(ALICE), { "content-type": type });
    assert.deepEqual(await readJson(request, Credentials), ALICE, type);
  }
});

Deno.test("readJson() refuses every other media type", async () => {
  const others = ["", "text/plain", "application/jsonx", "text/json", "multipart/form-data"];
  for (const type of [...others, "text/plain; application/json", "application/json, text/plain"]) {
    const request = post(JSON.stringify(ALICE), { "content-type": type });
    await assertRefused(() => readJson(request, Credentials), "unsupported_media_type", type);
  }
});

Deno.test("readJson() refuses by Content-Length without reading the body", async () => {
  const { stream, seen } = streamOf((controller) => controller.enqueue(new Uint8Array(1)));
  const length = String(BODY_LIMITS.maxBytes + 1);
  const request = post(stream, { "content-length": length });
  await assertRefused(() => readJson(request, Credentials), "payload_too_large");
  assert.equal(seen.pulls, 0);
});

Deno.test("readJson() stops reading a chunked body as soon as it is too large", async () => {
  const { stream, seen } = streamOf((controller) => controller.enqueue(new Uint8Array(1024)));
  await assertRefused(() => readJson(post(stream), Credentials), "payload_too_large");
  assert.equal(seen.pulls, 9);
  assert.equal(seen.isCancelled, true);
});

Deno.test("readJson() does not believe a Content-Length that is too small", async () => {
  const { stream } = streamOf((controller) => controller.enqueue(new Uint8Array(1024)));
  const request = post(stream, { "content-length": "10" });
  await assertRefused(() => readJson(request, Credentials), "payload_too_large");
});

Deno.test("readJson() takes a body of exactly 8 KiB and refuses one byte more", async () => {
  const whole = JSON.stringify(ALICE).padEnd(8192, " ");
  assert.deepEqual(await readJson(post(whole), Credentials), ALICE);
  await assertRefused(() => readJson(post(`${whole} `), Credentials), "payload_too_large");
});

Deno.test("readJson() refuses a body that arrives too slowly, and lets go of it", async () => {
  const { stream, seen } = streamOf(() => {}); // nothing ever comes
  const limits = { maxBytes: 100, timeout: 5 };
  await assertRefused(() => readJson(post(stream), Credentials, limits), "request_timeout");
  assert.equal(seen.isCancelled, true);
});

Deno.test("readJson() refuses a body that breaks off, in words of its own", async () => {
  const { stream } = streamOf((controller) => controller.error(new Error("socket /tmp/s broke")));
  const message = await assertRefused(() => readJson(post(stream), Credentials), "invalid_request");
  assert.doesNotMatch(message, /socket|tmp/);
});

Deno.test("readJson() puts a body in pieces together, also within a character", async () => {
  const bytes = new TextEncoder().encode(JSON.stringify({ ...ALICE, password: "pässwörd→𝔛" }));
  let sent = 0;
  const { stream } = streamOf((controller) => {
    if (sent < bytes.length) controller.enqueue(bytes.slice(sent, ++sent));
    else controller.close();
  });
  assert.equal((await readJson(post(stream), Credentials)).password, "pässwörd→𝔛");
});

Deno.test("readJson() refuses what is not UTF-8", async () => {
  const encoded = new TextEncoder().encode(JSON.stringify(ALICE));
  for (const bytes of [[0xff], [0xc3, 0x28], [0xed, 0xa0, 0x80], [0xc0, 0xaf]]) {
    const body = new Uint8Array([...encoded.slice(0, 14), ...bytes, ...encoded.slice(14)]);
    await assertRefused(() => readJson(post(body), Credentials), "invalid_request");
  }
});

Deno.test("readJson() refuses what is not one JSON object", async () => {
  const texts = ["", " ", "null", "1", '"text"', "[]", `[${JSON.stringify(ALICE)}]`, "{", "{}{}"];
  const jsonc = ['{"username":"a","password":"b",}', '{"username":"a",/**/"password":"b"}'];
  for (const text of [...texts, ...jsonc, "username=a&password=b", "\ufeff\ufeff{}", "{'a':1}"]) {
    await assertRefused(() => readJson(post(text), Credentials), "invalid_request", text);
  }
  const bodyless = new Request("http://localhost/auth", {
    method: "POST",
    headers: { "content-type": "application/json" },
  });
  await assertRefused(() => readJson(bodyless, Credentials), "invalid_request", "no body");
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
  ) await assertRefused(() => readJson(post(text), Credentials), "invalid_request", text);
});

Deno.test("readJson() takes the same name in different objects", async () => {
  const text =
    '{"username":"a","password":"b","x":{"username":1,"y":{"username":1}},"z":[{"x":1}]}';
  assert.deepEqual(await readJson(post(text), Credentials), { username: "a", password: "b" });
});

Deno.test("readJson() refuses members of the wrong type, which SQLite might bind as names", async () => {
  for (const value of [{ a: 1 }, ["alice"], 1, true, null, {}, ""]) {
    for (const member of ["username", "password"]) {
      const text = JSON.stringify({ ...ALICE, [member]: value });
      await assertRefused(() => readJson(post(text), Credentials), "invalid_request", text);
    }
  }
  for (const expired of ["true", 1, null, {}]) {
    const text = JSON.stringify({ ...ALICE, expired });
    await assertRefused(() => readJson(post(text), Credentials), "invalid_request", text);
  }
  for (const member of ["username", "password"]) {
    const text = JSON.stringify({ ...ALICE, [member]: undefined });
    const message = await assertRefused(() => readJson(post(text), Credentials), "invalid_request");
    assert.match(message, new RegExp(`${member} is missing`));
  }
});

Deno.test("readJson() is not brought down by deep nesting", async () => {
  for (const open of ["[", '{"a":', "[{"]) {
    const text = open.repeat(8192).slice(0, 8192);
    await assertRefused(() => readJson(post(text), Credentials), "invalid_request", open);
  }
  const arrays = `${"[".repeat(4000)}${"]".repeat(4000)}`;
  const objects = `${'{"a":'.repeat(1300)}0${"}".repeat(1300)}`;
  for (const deep of [arrays, objects]) {
    const text = `{"username":"alice","password":"secret","deep":${deep}}`;
    assert.deepEqual(await readJson(post(text), Credentials), ALICE);
  }
});

Deno.test("readJson() gives a value or a RequestError, whatever arrives", async () => {
  const bodies = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.json().map((text) => new TextEncoder().encode(text)),
    fc.json().map((text) => new TextEncoder().encode(`{"username":${text},"password":${text}}`)),
  );
  await fc.assert(fc.asyncProperty(bodies, async (body) => {
    try {
      const { username, password } = await readJson(post(new Uint8Array(body)), Credentials);
      assert.equal(typeof username, "string");
      assert.equal(typeof password, "string");
    } catch (error) {
      assert.ok(error instanceof RequestError, String(error));
    }
  }));
});
