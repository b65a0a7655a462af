import assert from "node:assert/strict";
import { DomainError, storageUnavailable } from "../../lib/base/errors.ts";
import { createLog } from "../../lib/base/log.ts";
import type { Observer } from "../../lib/http/observer.ts";
import type { Storage } from "../../lib/storage/storage.ts";
import { json, openStorage, wrapStorage } from "../support.ts";
import { makeClientKey } from "../tokens/signed.ts";
import { makeOAuthApp, read } from "./oauth_app.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const TRACEPARENT = { traceparent: `00-${TRACE}-00f067aa0ba902b7-01` };
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The app, with what its log and its observer were told. */
async function makeAudited(wrap: (storage: Storage) => Storage = (storage) => storage) {
  const told: string[] = [];
  const observer: Observer = {
    answered() {},
    limited: () => void told.push("limited"),
    authenticated: (outcome) => void told.push(outcome),
    issued: (grant, alg) => void told.push(`${grant} ${alg}`),
  };
  const made = await makeOAuthApp({ app: { observer }, storage: wrap(openStorage()) });
  const audit = () =>
    made.lines.map((line) => JSON.parse(line)).filter((line) => line.audit === true);
  const login = async (username: string, password: string, query = "") => {
    made.time.advance(1);
    return await made.send(`/auth${query}`, json({ username, password }));
  };
  return { ...made, audit, told, login };
}

/** The line that there is, without what differs each time. */
function single<Line extends { time: string; request_id: string }>([line, ...more]: Line[]) {
  assert.deepEqual(more, []);
  const { time: _, request_id, ...rest } = line!;
  assert.match(request_id, UUID);
  return rest;
}

Deno.test("A token of POST /auth leaves one line: whose, from where, which, and never the token", async () => {
  const { audit, login, password, told, lines } = await makeAudited();
  const { token } = await (await login("svc", password)).json();
  const { header, claims } = read(token);
  assert.deepEqual(single(audit()), {
    level: "info",
    message: "a token was issued",
    audit: true,
    outcome: "succeeded",
    address: "192.0.2.1",
    client: "svc",
    kid: header.kid,
    jti: claims.jti,
    audience: claims.aud,
    grant: "password",
  });
  assert.deepEqual(told, ["succeeded", "password ES256"]);
  for (const secret of [password, token, token.split(".")[2]]) {
    assert.ok(!lines.join("\n").includes(secret));
  }
});

Deno.test("Each way to a token is told apart, and an audience that is asked for is the one in the line", async () => {
  const { audit, login, token, password, setPolicy, told } = await makeAudited();
  await setPolicy({ audiences: ["https://one.example", "https://two.example"] });
  await login("svc", password, "?expired=true");
  const { body } = await token({ resource: "https://two.example" });
  const [expired, granted] = audit();
  assert.equal(expired.grant, "expired");
  assert.equal(expired.audience, "https://one.example");
  assert.equal(granted.grant, "client_credentials");
  assert.equal(granted.audience, "https://two.example");
  assert.equal(granted.jti, read(body.access_token).claims.jti);
  assert.notEqual(granted.request_id, expired.request_id);
  assert.deepEqual(told, [
    "succeeded",
    "expired ES256",
    "succeeded",
    "client_credentials ES256",
  ]);
});

Deno.test("A line has the trace that a valid traceparent names, and no other", async () => {
  const { audit, token } = await makeAudited();
  await token({}, TRACEPARENT);
  await token({}, { traceparent: TRACEPARENT.traceparent.toUpperCase() });
  await token({ client_secret: "wrong" }, TRACEPARENT);
  assert.deepEqual(audit().map(({ trace_id }) => trace_id), [TRACE, undefined, TRACE]);
});

Deno.test("A refused authentication leaves a line on every route, with the name that was claimed", async () => {
  const { audit, login, post, secret, grant, told } = await makeAudited();
  const wrong = { ...secret, client_secret: "wrong horse battery" };
  await login("svc", "wrong horse battery");
  await post("/token", { ...grant, ...wrong });
  await post("/introspect", { ...wrong, token: "x" });
  await post("/password", wrong);
  const expected = {
    level: "info",
    message: "an authentication was refused",
    audit: true,
    outcome: "refused",
    address: "192.0.2.1",
    client: "svc",
    reason: "wrong_password",
  };
  const found = audit();
  assert.equal(found.length, 4);
  for (const line of found) assert.deepEqual(single([line]), expected);
  assert.ok(!JSON.stringify(found).includes("wrong horse"));
  assert.deepEqual(told, ["refused", "refused", "refused", "refused"]);
});

Deno.test("A name that was claimed is told only where it surely is one, and no password instead of it", async () => {
  const { audit, login, password } = await makeAudited();
  for (const name of ["a b", "x\u001b[2J", "<script>", "x".repeat(65), password, "nobody"]) {
    await login(name, "wrong");
  }
  assert.deepEqual(
    audit().map(({ client }) => client),
    [undefined, undefined, undefined, undefined, undefined, "nobody"],
  );
  assert.ok(!JSON.stringify(audit()).includes(password));
});

Deno.test("A refused assertion leaves a line with the client that it speaks of, and nothing of it", async () => {
  const { audit, post, grant, addKey, assertion } = await makeAudited();
  const key = await addKey("one");
  const late = await assertion(key, { exp: 1 });
  assert.equal((await post("/token", { ...grant, ...late })).status, 401);
  const none = { ...late, client_assertion: "no assertion at all" };
  assert.equal((await post("/token", { ...grant, ...none })).status, 401);
  assert.deepEqual(audit().map(({ client, outcome }) => [client, outcome]), [
    ["svc", "refused"],
    [undefined, "refused"],
  ]);
  const [, , signature] = late.client_assertion!.split(".");
  assert.ok(!JSON.stringify(audit()).includes(signature!));
});

Deno.test("The line of a refused assertion says why; the answer does not", async () => {
  const { audit, post, grant, addKey, assertion, time, storage, id } = await makeAudited();
  const key = await addKey("one");
  const replayed = await assertion(key);
  assert.equal((await post("/token", { ...grant, ...replayed })).status, 200);
  const bad = [
    [await assertion(key, { aud: "https://x.example" }), "claims", /is for another audience/],
    [await assertion(key, { exp: time.seconds + 3600 }), "claims", /more than 300 seconds ahead/],
    [await assertion(key, {}, { kid: "two" }), "unknown_key", /no such key/],
    [replayed, "replayed", /was used before/],
    [await assertion(key, { iss: "nobody", sub: "nobody" }), "unknown_client", /no client/],
    [{ ...await assertion(key), client_id: "other" }, "claims", /than client_id names/],
  ] as const;
  const answers = new Set<string>();
  const refused = async (form: Record<string, string>) => {
    const { status, body } = await post("/token", { ...grant, ...form });
    answers.add(JSON.stringify([status, body]));
    return audit().at(-1);
  };
  for (const [form, reason, words] of bad) {
    const line = await refused(form);
    assert.deepEqual([line.outcome, line.reason], ["refused", reason]);
    assert.match(line.detail, words);
  }
  const { passwordHash } = (await storage.findUser("svc"))!;
  await storage.replacePasswordHash(id, passwordHash, `!${passwordHash}`);
  assert.equal((await refused(await assertion(key))).reason, "disabled");
  assert.equal(answers.size, 1, [...answers].join());
});

Deno.test("The line of a refused password says whether there is such a client; the answer does not", async () => {
  const { audit, login, storage, id, password } = await makeAudited();
  const answers = [await login("svc", "wrong"), await login("nobody", "wrong")];
  const { passwordHash } = (await storage.findUser("svc"))!;
  await storage.replacePasswordHash(id, passwordHash, `!${passwordHash}`);
  answers.push(await login("svc", password));
  assert.deepEqual(audit().map(({ reason }) => reason), [
    "wrong_password",
    "unknown_client",
    "disabled",
  ]);
  assert.equal(new Set(await Promise.all(answers.map((answer) => answer.text()))).size, 1);
});

Deno.test("A DPoP proof that is not valid leaves one line that says why, whoever sent it", async () => {
  const { audit, token, proof, told, time } = await makeAudited();
  const key = await makeClientKey();
  const old = await proof(key, { iat: time.seconds - 3600 });
  assert.equal((await token({}, old)).body.error, "invalid_dpop_proof");
  const { outcome, client, message, reason, detail } = single(audit());
  assert.deepEqual([outcome, client, message], ["refused", "svc", "an authentication was refused"]);
  assert.deepEqual([reason, detail], ["dpop_expired", "the proof is too old"]);
  await token({ client_secret: "wrong" }, old);
  assert.deepEqual({ ...audit()[1], time: 0, request_id: 0 }, {
    ...audit()[0],
    time: 0,
    request_id: 0,
  });
  assert.deepEqual(told, ["refused", "refused"]);
  assert.ok(!JSON.stringify(audit()).includes(old.dpop!.split(".")[1]!));
});

Deno.test("A DPoP proof that was used before is denied to who is known, and the line says so", async () => {
  const { audit, token, proof } = await makeAudited();
  const made = await proof(await makeClientKey());
  assert.equal((await token({}, made)).status, 200);
  assert.equal((await token({}, made)).status, 400);
  const { outcome, reason } = audit().at(-1);
  assert.deepEqual([outcome, reason], ["denied", "dpop_replayed"]);
});

Deno.test("Who is known and asks for too much is denied, and has no token's line", async () => {
  const { audit, token, told } = await makeAudited();
  assert.equal((await token({ scope: "everything" })).body.error, "invalid_scope");
  const { message, client, outcome, reason } = single(audit());
  assert.deepEqual([message, client, outcome], ["an authentication was denied", "svc", "denied"]);
  assert.equal(reason, "invalid_scope");
  assert.deepEqual(told, ["denied"]);
});

Deno.test("What could not be checked is counted, and its line is that of the failure, of the same request", async () => {
  let error: Error | undefined;
  const { audit, login, token, password, told, lines } = await makeAudited((storage) =>
    wrapStorage(storage, (own) => ({
      recordAuthentication: (record) =>
        error ? Promise.reject(error) : own.recordAuthentication(record),
    }))
  );
  const attempts = [() => login("svc", password), () => token()];
  for (const attempt of attempts) {
    for (error of [storageUnavailable("full"), new Error("unexpected")]) {
      lines.length = 0;
      assert.ok((await attempt()).status >= 500);
      assert.deepEqual(audit(), []);
      const [line, ...more] = lines.map((text) => JSON.parse(text));
      assert.deepEqual(more, []);
      assert.match(line.request_id, UUID);
    }
  }
  assert.deepEqual(told, ["failed", "failed", "failed", "failed"]);
});

Deno.test("Requests over the limit are told to the observer, and leave no line", async () => {
  const { audit, send, told } = await makeAudited();
  const wrong = json({ username: "svc", password: "wrong" });
  for (let count = 0; count < 12; count++) await send("/auth", wrong);
  assert.deepEqual(told.filter((what) => what === "limited").length, 2);
  assert.equal(audit().length, 10);
});

Deno.test("A log from level warn upwards has no line of the audit", async () => {
  const lines: string[] = [];
  const log = createLog("warn", (line) => void lines.push(line));
  const { token } = await makeOAuthApp({ app: { log } });
  assert.equal((await token()).status, 200);
  assert.equal((await token({ client_secret: "wrong" })).status, 401);
  assert.deepEqual(lines, []);
});

Deno.test("A name that is tried too often is told to the observer, and leaves no line", async () => {
  const { told, audit, login } = await makeAudited((own) =>
    wrapStorage(own, () => ({
      findClient: () =>
        Promise.reject(new DomainError("rate_limited", "Too many", { retryAfter: 2 })),
    }))
  );
  const { status, headers } = await login("svc", "a guess");
  assert.equal(status, 429);
  assert.equal(headers.get("retry-after"), "2");
  assert.deepEqual(told, ["limited", "limited"]); // how it ended, and a request over a limit
  assert.deepEqual(audit(), []);
});
