import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { type Declaration, readDeclaration } from "../../../lib/accounts/declared/file.ts";
import { declarationJsonSchema } from "../../../lib/accounts/declared/schema.ts";
import { isNoPassword, noPasswordHash } from "../../../lib/accounts/declared/no_password.ts";
import { DomainError, isDomainError } from "../../../lib/base/errors.ts";
import { CHEAP, cheapHasher, failureOf, withTempDir } from "../../support.ts";

const HASH = await cheapHasher().hash("a password of these tests", "");
const A = { username: "a", password_hash: HASH };

/** Takes what has a kid. */
function checkKey(jwk: Readonly<Record<string, unknown>>) {
  if (typeof jwk.kid === "string") return Promise.resolve({ ...jwk, kid: jwk.kid });
  return Promise.reject(new DomainError("key_refused", "the key is refused"));
}

/** Reads `content` as the file of a directory with these other files. */
async function read(content: unknown, files: Record<string, string | Uint8Array> = {}) {
  let declaration: Declaration | undefined;
  await withTempDir(async (directory) => {
    const text = typeof content === "string" ? content : JSON.stringify(content);
    const all = Object.entries({ ...files, "clients.json": text });
    for (const [name, bytes] of all) {
      await Deno.writeFile(`${directory}/${name}`, Buffer.from(bytes as string));
    }
    declaration = await readDeclaration(`${directory}/clients.json`, { checkKey, tokenTtl: 3600 });
  });
  return declaration!.clients;
}

/** The problems for which `content` is refused. */
async function problemsOf(content: unknown, files: Record<string, string | Uint8Array> = {}) {
  const error = await failureOf(() => read(content, files), JSON.stringify(content));
  assert.ok(isDomainError(error, "configuration"), String(error));
  return error.hints;
}

/** The JSON paths of the problems. */
async function pathsOf(content: unknown, files: Record<string, string | Uint8Array> = {}) {
  return (await problemsOf(content, files)).map((problem) => /^(\$\S*): ./.exec(problem)![1]);
}

Deno.test("readDeclaration() gives each client as it is declared", async () => {
  const policy = {
    scopes: ["read"],
    audiences: ["urn:x"],
    claims: { team: ["a", { b: 1 }] },
    token_ttl: "15m",
    require_dpop: true,
    note: "n",
  };
  const key = { kty: "EC", kid: "one" };
  const [one, two, three] = await read({
    clients: [
      { username: "a", email: "a@b.c", password_file: "pw", keys: [key], policy, disabled: true },
      { username: "b", password_hash: HASH, policy: {} },
      { username: "c", keys: [key] },
    ],
  }, { pw: "0123456789abcdef\r\n" });
  const { token_ttl: _, require_dpop: requireDpop, ...rest } = policy;
  assert.deepEqual(one, {
    path: ["clients", 0],
    username: "a",
    email: "a@b.c",
    password: { text: "0123456789abcdef" },
    keys: [key],
    policy: { ...rest, tokenTtl: 900, requireDpop },
    disabled: true,
  });
  assert.deepEqual([two!.password, two!.keys, two!.disabled], [{ hash: HASH }, [], undefined]);
  assert.deepEqual(two!.policy, { scopes: [], audiences: [], claims: {}, requireDpop: false });
  assert.deepEqual([three!.password, three!.policy], [undefined, undefined]);
});

Deno.test("readDeclaration() names every problem of a file by its JSON path, all at once", async () => {
  const paths = await pathsOf({
    clients: [
      { ...A, username: "-", odd: 1 },
      { username: "b" },
      {
        ...A,
        username: "c",
        policy: { scopes: ["a b", "ok"], claims: { sub: 1 }, token_ttl: "2h" },
      },
      { username: "B", email: "x", password_hash: "$argon2id$", password_file: "none" },
      { username: "d", keys: [{}, { kid: "one" }], policy: { tokenTtl: 1 } },
      { username: "e", keys: [{ kid: "one" }, { kid: "one" }], policy: { token_ttl: "0s" } },
    ],
    more: [],
  });
  assert.deepEqual(
    new Set(paths),
    new Set([
      "$.more",
      "$.clients[0].username",
      "$.clients[0].odd",
      "$.clients[1]",
      "$.clients[2].policy.scopes[0]",
      "$.clients[2].policy.claims.sub",
      "$.clients[2].policy.token_ttl",
      "$.clients[3]",
      "$.clients[3].username",
      "$.clients[3].email",
      "$.clients[3].password_hash",
      "$.clients[3].password_file",
      "$.clients[4].keys[0]",
      "$.clients[4].policy.tokenTtl",
      "$.clients[5].keys[1].kid",
      "$.clients[5].policy.token_ttl",
    ]),
  );
  assert.equal(paths.length, 16);
});

Deno.test("readDeclaration() refuses names and addresses that differ in ASCII case alone", async () => {
  const clients = [{ ...A, email: "x@b.c" }, { ...A, username: "A", email: "X@B.c" }];
  assert.deepEqual(await pathsOf({ clients }), ["$.clients[1].username", "$.clients[1].email"]);
});

Deno.test("readDeclaration() refuses one key under two kids, which would outlive its removal", async () => {
  const keys = [{ kid: "one", x: "a" }, { kid: "two", x: "b" }, { x: "a", kid: "three" }];
  const paths = await pathsOf({ $schema: "clients.schema.json", clients: [{ ...A, keys }] });
  assert.deepEqual(paths, ["$.clients[0].keys[2]"]);
});

Deno.test("readDeclaration() refuses a client without a credential", async () => {
  for (const client of [{ username: "a" }, { username: "a", keys: [] }]) {
    assert.deepEqual(await pathsOf({ clients: [client] }), ["$.clients[0]"]);
  }
});

Deno.test("readDeclaration() takes a password file of 16 to 1024 bytes of UTF-8, and no other", async () => {
  const content = { clients: [{ username: "a", password_file: "pw" }] };
  for (const password of ["0".repeat(16), "0".repeat(1024), "é".repeat(8), `${"0".repeat(15)}\n`]) {
    const [client] = await read(content, { pw: `${password}\n` });
    assert.deepEqual(client!.password, { text: password });
  }
  const bad = ["0".repeat(15), `${"0".repeat(15)}\n`, "0".repeat(1025), "0".repeat(100_000)];
  for (const pw of [...bad, new Uint8Array(20).fill(0xff)]) {
    const [problem = "", ...more] = await problemsOf(content, { pw });
    assert.match(problem, /^\$\.clients\[0\]\.password_file: /);
    assert.ok(more.length === 0 && !problem.includes("000"), problem);
  }
});

Deno.test("readDeclaration() refuses JSON that two readers could take for different things", async () => {
  const text = (inner: string) =>
    `{"clients":[{"username":"a","password_hash":"${HASH}"${inner}}]}`;
  const cases = {
    [text(',"disabled":true,"disabled":false')]: "$.clients[0].disabled",
    [text(',"policy":{"claims":{"__proto__":1}}')]: "$.clients[0].policy.claims.__proto__",
    [text(',"policy":{"claims":{"n":9007199254740993}}')]: "$.clients[0].policy.claims.n",
  };
  for (const [content, path] of Object.entries(cases)) {
    assert.deepEqual(await pathsOf(content), [path], content);
  }
  for (const content of ["", "{", text(","), `\ufeff${text("")}`, `${text("")} // x`]) {
    const [problem = "", ...others] = await problemsOf(content);
    assert.match(problem, /^\$: is not JSON \(line 1, column \d+\)$/);
    assert.deepEqual(others, []);
  }
  for (const depth of [65, 5000, 100_000]) {
    const nested = `${"[".repeat(depth)}${"]".repeat(depth)}`;
    assert.deepEqual(await problemsOf(text(`,"policy":{"claims":{"x":${nested}}}`)), [
      "$: is nested too deeply",
    ]);
  }
});

Deno.test("readDeclaration() says in plain words what must stand where something else does", async () => {
  assert.deepEqual(await problemsOf("{}"), ["$.clients: is missing: it must be an array"]);
  assert.deepEqual(await problemsOf("[]"), ["$: must be an object"]);
  assert.deepEqual(await problemsOf({ clients: [3] }), [
    "$.clients[0]: must be an object",
    "$.clients[0]: needs a credential: password_hash, password_file or keys",
  ]);
  const policy = {
    scopes: "read",
    audiences: [1],
    claims: [],
    token_ttl: 3,
    require_dpop: 1,
    note: "n".repeat(1025),
  };
  const wrong = { username: 1, email: [], password_file: "", disabled: "no", policy };
  assert.deepEqual(await problemsOf({ clients: [wrong] }), [
    "$.clients[0].username: username must be a string",
    "$.clients[0].email: email must be a string",
    "$.clients[0].password_file: must not be empty",
    "$.clients[0].policy.scopes: must be an array",
    "$.clients[0].policy.audiences[0]: must be a string",
    "$.clients[0].policy.claims: must be an object",
    "$.clients[0].policy.token_ttl: must be a string",
    "$.clients[0].policy.require_dpop: must be true or false",
    "$.clients[0].policy.note: must have at most 1024 characters",
    "$.clients[0].disabled: must be true or false",
  ]);
  const many = { ...A, policy: { scopes: Array.from({ length: 65 }, (_, i) => `s${i}`) } };
  assert.deepEqual(await problemsOf({ clients: [many] }), [
    "$.clients[0].policy.scopes: must have at most 64 elements",
  ]);
});

Deno.test("declarationJsonSchema() describes every member of the file, and allows no other", () => {
  // deno-lint-ignore no-explicit-any -- a JSON document
  const schema = declarationJsonSchema() as any;
  const client = schema.properties.clients.items;
  assert.deepEqual(
    Object.keys(client.properties).join(" "),
    "username email password_hash password_file keys policy disabled",
  );
  assert.deepEqual(
    Object.keys(client.properties.policy.properties).join(" "),
    "scopes audiences claims token_ttl require_dpop note",
  );
  const objects = [schema, client, client.properties.policy];
  assert.deepEqual(objects.map((one) => one.additionalProperties), [false, false, false]);
  assert.deepEqual(client.required, ["username"]);
});

Deno.test("isNoPassword() tells what noPasswordHash() gives from the hash of any password", async () => {
  const none = noPasswordHash(CHEAP);
  assert.equal(isNoPassword(none), true);
  assert.notEqual(noPasswordHash(CHEAP), none);
  // A later password is hashed with the salt of the one before.
  for (const hash of [HASH, await cheapHasher().hashLike(none, "x", "")]) {
    assert.equal(isNoPassword(hash), false);
  }
  const { isUsable, right } = await cheapHasher().verify([none], "", "");
  assert.deepEqual([isUsable, right], [true, undefined]);
});
