import assert from "node:assert/strict";
import { Server, UNLIMITED } from "./harness.ts";

const UUID_V4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

let server: Server;
Deno.test.beforeAll(async () => void (server = await Server.start({ env: UNLIMITED })));
Deno.test.afterAll(() => server[Symbol.asyncDispose]());

interface User {
  username: string;
  password_hash: string;
  email: string;
  date_registered: string;
  last_login: string | null;
}

function stored(username: string): User[] {
  return server.query<User>("SELECT * FROM users WHERE username = ?", username);
}

Deno.test("registration answers 201 with a UUIDv4 as the password and nothing else", async () => {
  const answer = await server.post("/register", { username: "ada", email: "ada@example.com" });
  assert.equal(answer.status, 201);
  assert.deepEqual(Object.keys(answer.json), ["password"]);
  assert.match(answer.json.password, UUID_V4);
  assert.equal(answer.headers.get("cache-control"), "no-store");
});

Deno.test("registration gives every user another password", async () => {
  const users = await Promise.all(Array.from({ length: 10 }, () => server.register()));
  assert.equal(new Set(users.map(({ password }) => password)).size, users.length);
});

Deno.test("registration stores the user with an Argon2id hash and the time", async () => {
  const before = Math.floor(Date.now() / 1000);
  const { username, email, password } = await server.register();
  const [user] = stored(username);
  assert.equal(user!.email, email);
  assert.equal(user!.last_login, null);
  assert.match(user!.password_hash, /^\$argon2id\$v=19\$m=64,t=1,p=1\$[\w+/]{22,}\$[\w+/]{43}$/);
  assert.ok(!user!.password_hash.includes(password));
  assert.match(user!.date_registered, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
  const registered = Date.parse(`${user!.date_registered.replace(" ", "T")}Z`) / 1000;
  assert.ok(before <= registered && registered <= Date.now() / 1000);
});

Deno.test("registration stores no password in clear anywhere", async () => {
  const { password } = await server.register();
  for (const [name, bytes] of await server.directory.files()) {
    assert.ok(!new TextDecoder("latin1").decode(bytes).includes(password), name);
  }
  assert.ok(!server.stderr.includes(password));
});

Deno.test("registration refuses a taken name and a taken address in the same words", async () => {
  const { username, email } = await server.register();
  const other = `other-${username}`;
  const taken = [
    { username, email: `${other}@example.com` },
    { username: other, email },
    { username: username.toUpperCase(), email: `${other}@example.com` },
    { username: other, email: email.toUpperCase() },
  ];
  const answers = await Promise.all(taken.map((body) => server.post("/register", body)));
  for (const answer of answers) {
    assert.equal(answer.status, 409);
    assert.equal(answer.json.error, "already_registered");
    assert.equal(answer.text, answers[0]!.text);
  }
  assert.deepEqual(stored(other), []);
});

Deno.test("registration of one name by many at once succeeds for exactly one", async () => {
  const bodies = Array.from({ length: 20 }, (_, i) => ({
    username: "contested",
    email: `contested-${i}@example.com`,
  }));
  const answers = await Promise.all(bodies.map((body) => server.post("/register", body)));
  const statuses = answers.map(({ status }) => status).sort();
  assert.deepEqual(statuses, [201, ...Array(19).fill(409)]);
  const password = answers.find(({ status }) => status === 201)!.json.password;
  await server.token({ username: "contested", password });
});

Deno.test("registration refuses names and addresses of any other form", async () => {
  const email = "fine@example.com";
  const bodies = [
    ...["", "a:b", "a b", "-a", "a\u0000", "аda", "a".repeat(65), 7, null, {}, ["a"]].map(
      (username) => ({ username, email }),
    ),
    ...["", "a", "a@", 7, null, { $: 1 }, `${"a".repeat(250)}@example.com`].map(
      (address) => ({ username: "fine", email: address }),
    ),
    { username: "fine" },
    { email },
    [],
    null,
    "{",
    '{"username":"fine","username":"fine","email":"fine@example.com"}',
    new Uint8Array([0x7b, 0xff, 0x7d]),
  ];
  for (const body of bodies) {
    const answer = await server.post("/register", body);
    assert.equal(answer.status, 400, JSON.stringify(body));
    assert.equal(answer.json.error, "invalid_request");
  }
  assert.deepEqual(stored("fine"), []);
});
