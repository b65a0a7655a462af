/** Bodies that are not what they should be: JSON, forms, media types, characters. */

import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import type { Answer } from "./client.ts";
import { Server, UNLIMITED } from "./harness.ts";
import { ALICE, JSON_BODIES, LOOK_ALIKES } from "./hostile_text.ts";
import { assertSafe, MARK } from "./safe_answer.ts";

const FORM = { "content-type": "application/x-www-form-urlencoded" };
let server: Server;
let password: string;
Deno.test.beforeAll(async () => {
  server = await Server.start({ env: { ...UNLIMITED, SIGNING_ALG: "EdDSA" } });
  ({ password } = await server.register(ALICE.username, ALICE.email));
});
Deno.test.afterAll(() => server[Symbol.asyncDispose]());

async function post(
  path: string,
  body: unknown,
  headers?: Record<string, string>,
): Promise<Answer> {
  const answer = await server.post(path, body, headers);
  assertSafe(answer);
  return answer;
}

function users(): string[] {
  return server.query<{ username: string }>("SELECT username FROM users").map((row) =>
    row.username
  );
}

Deno.test("JSON that is not one sound object with strings is 400 on every route, and stores nothing", async () => {
  for (const [what, body] of Object.entries(JSON_BODIES)) {
    for (const path of ["/auth", "/register"]) {
      const { status, json } = await post(path, body);
      assert.deepEqual([status, json.error], [400, "invalid_request"], `${path}: ${what}`);
    }
  }
  assert.deepEqual(users(), [ALICE.username]);
});

Deno.test("JSON nested deeper than any stack is refused by its size, declared or not", async () => {
  const deep = "[".repeat(100_000);
  assert.equal((await post("/auth", deep)).status, 413);
  const stream = () => new Blob([deep]).stream();
  const chunked = { method: "POST", headers: { "content-type": "application/json" } };
  assert.equal((await server.request("/auth", { ...chunked, body: stream() })).status, 413);
});

Deno.test("names that JavaScript's objects have are names like any other", async () => {
  const names = ["constructor", "toString", "hasOwnProperty", "valueOf", "prototype"];
  for (const username of names) {
    assert.equal((await post("/auth", { username, password })).status, 401, username);
  }
  for (const username of names) {
    const user = await server.register(username);
    assert.equal((await post("/auth", user)).status, 200, username);
    assert.equal((await post("/auth", { username, password })).status, 401, username);
  }
  for (const username of ["__proto__", "__defineGetter__"]) {
    assert.equal((await post("/register", { ...ALICE, username })).status, 400);
    assert.equal((await post("/auth", { username, password })).status, 401);
  }
  const polluting =
    `{"__proto__":{"expired":true},"username":"${ALICE.username}","password":"${password}"}`;
  assert.notEqual((await post("/auth", polluting)).json.expires_in, 0, "a prototype says nothing");
  const form = `__proto__=x&constructor=y&username=${ALICE.username}&password=${password}`;
  assert.equal((await post("/auth", form, FORM)).status, 200);
});

Deno.test("no look-alike of a name is that name, nor can it be registered", async () => {
  for (const username of LOOK_ALIKES) {
    const what = JSON.stringify(username);
    assert.equal((await post("/auth", { username, password })).status, 401, what);
    const form = new URLSearchParams({ username, password }).toString().replace("%EF%BF%BD", "%3F");
    assert.equal((await post("/auth", form, FORM)).status, 401, what);
    const grant = {
      grant_type: "client_credentials",
      client_id: username,
      client_secret: password,
    };
    const token = await post("/token", new URLSearchParams(grant).toString(), FORM);
    assert.deepEqual([token.status, token.json.error], [401, "invalid_client"], what);
    const email = `${crypto.randomUUID()}@example.com`;
    if (username === "Alice_Kay") continue; // another name, and a good one
    assert.equal((await post("/register", { username, email })).status, 400, what);
  }
});

Deno.test("no look-alike of an address can be registered, and an address is taken in any case", async () => {
  const addresses = LOOK_ALIKES.filter((name) => /[^ -~]/.test(name)).map((name) =>
    `${name}@a.example`
  );
  const domains = [
    "ex\u0430mple.com",
    "example\u3002com",
    "ex\u00e4mple.com",
    "example.com\0",
    "example.com\r\nX: y",
  ];
  for (const email of [...addresses, ...domains.map((domain) => `a@${domain}`)]) {
    const { status } = await post("/register", { username: "somebody", email });
    assert.equal(status, 400, JSON.stringify(email));
  }
  const again = { username: "somebody", email: ALICE.email.toUpperCase() };
  assert.equal((await post("/register", again)).status, 409);
});

Deno.test("no look-alike of a password is that password", async () => {
  const full = password.replace(
    /[0-9]/g,
    (digit) => String.fromCharCode(0xfee0 + digit.charCodeAt(0)),
  );
  const others = [
    password.toUpperCase(),
    ` ${password}`,
    `${password} `,
    `${password}\0`,
    `\0${password}`,
  ];
  const cut = [password.slice(0, -1), `${password}${password}`, password.replaceAll("-", "\u2010")];
  for (
    const other of [...others, ...cut, full, `${password}\u200b`, `\ufeff${password}`, "\ud800"]
  ) {
    const { status } = await post("/auth", { username: ALICE.username, password: other });
    assert.equal(status, 401, JSON.stringify(other));
  }
  assert.equal((await post("/auth", { username: ALICE.username, password })).status, 200);
});

Deno.test("a body in another type, charset or coding is 415, and none is decoded", async () => {
  const login = JSON.stringify({ username: ALICE.username, password });
  const types = [
    "text/json",
    "application/json5",
    "application/ld+json",
    "multipart/form-data; boundary=x",
  ];
  const charsets = [
    "utf-16",
    "latin1",
    "utf-7",
    "utf8mb4",
    '"utf-8',
    "utf-8; charset=utf-16",
    "\\utf-8",
  ];
  for (
    const type of [
      ...types,
      ...charsets.map((name) => `application/json; charset=${name}`),
      "*/*",
    ]
  ) {
    assert.equal((await post("/auth", login, { "content-type": type })).status, 415, type);
  }
  const bomb = gzipSync(new Uint8Array(8_000_000));
  for (
    const coding of ["gzip", "GZIP", "br", "deflate", "zstd", "identity", "gzip, gzip", "x-unknown"]
  ) {
    const body = coding === "gzip" ? new Uint8Array(bomb.subarray(0, 8000)) : login;
    assert.equal((await post("/auth", body, { "content-encoding": coding })).status, 415, coding);
  }
  const multipart = `--x\r\nContent-Disposition: form-data; name="username"\r\n\r\na\r\n--x--`;
  for (const path of ["/token", "/introspect", "/password"]) {
    const type = "multipart/form-data; boundary=x";
    assert.equal((await post(path, multipart, { "content-type": type })).status, 415);
    assert.equal((await post(path, login)).status, 415);
  }
});

Deno.test("a form is read in one way: nothing twice, nothing cut, + for a space, & alone between", async () => {
  const good = `username=${ALICE.username}&password=${password}`;
  assert.equal((await post("/auth", good, FORM)).status, 200);
  assert.equal((await post("/auth", good.replace("Kay", "%4bay"), FORM)).status, 200);
  const refused: Record<string, number> = {
    [`${good}&username=${ALICE.username}`]: 400,
    [`${good}&user%6eame=x`]: 400,
    [`${good}&expired=true&expired=false`]: 400,
    [`${good}&expired=${MARK}`]: 400,
    [`${good}&x=%`]: 400,
    [`${good}&x=%zz`]: 400,
    [`${good}&x=%ff`]: 400,
    [`${good}&x=%c0%af`]: 400,
    [`${good}&x=%ed%a0%80`]: 400,
    [`${good}&x=%u0041`]: 400,
    [good.replace("&", ";")]: 400,
    [good.replace("&", "%26")]: 400,
    [`username[]=${ALICE.username}&password=${password}`]: 400,
    [`username=${ALICE.username}+&password=${password}`]: 401,
    [`username=+${ALICE.username}&password=${password}`]: 401,
    [`username=${ALICE.username}&password=${password}%00`]: 401,
    [`username=${ALICE.username}&password=${password};expired=true`]: 401,
  };
  for (const [body, status] of Object.entries(refused)) {
    assert.equal((await post("/auth", body, FORM)).status, status, body);
  }
});

Deno.test("parameters of OAuth with characters that they cannot have are refused in the words for them", async () => {
  const client = {
    grant_type: "client_credentials",
    client_id: ALICE.username,
    client_secret: password,
  };
  const ask = async (fields: Record<string, string>) => {
    const body = new URLSearchParams({ ...client, ...fields }).toString();
    const { status, json } = await post("/token", body, FORM);
    return `${status} ${json.error}`;
  };
  const hostile = ["\0", "\n", "\u001b[31m", "\u202e", "\u0430", '"', "\\", "' OR 1=1 --"];
  for (const text of hostile.map((characters) => `${MARK}${characters}`)) {
    assert.equal(await ask({ scope: text }), "400 invalid_scope", text);
    assert.equal(await ask({ resource: text }), "400 invalid_target", text);
    assert.equal(
      await ask({ resource: `https://${MARK}.example/${text}` }),
      "400 invalid_target",
      text,
    );
    assert.equal(await ask({ audience: text }), "400 invalid_target", text);
    assert.equal(await ask({ grant_type: text }), "400 unsupported_grant_type", text);
    assert.equal(await ask({ client_id: text }), "401 invalid_client", text);
    assert.equal(
      await ask({ client_assertion_type: text, client_assertion: "x" }),
      "400 invalid_request",
    );
  }
  for (const name of ["__proto__", "constructor", "toString"]) {
    assert.equal(await ask({ scope: name }), "400 invalid_scope");
    assert.equal(await ask({ audience: name }), "400 invalid_target");
    assert.equal(await ask({ grant_type: name }), "400 unsupported_grant_type");
  }
});
