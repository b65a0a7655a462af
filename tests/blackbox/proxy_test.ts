/** The examples of proxies: valid, and what is promised of them when they are in front. */

import assert from "node:assert/strict";
import { decodeJwt } from "jose";
import { canMakeCertificates, makeCertificate, writePair } from "../certificates.ts";
import { within } from "../../lib/base/deadline.ts";
import { type Answer, Client, connect, receive, send } from "./client.ts";
import { converse, request } from "./conversation.ts";
import { Directory, freePort, Server } from "./harness.ts";
import { type Kind, KINDS, Proxy, writeConfiguration } from "./proxies.ts";
import { works } from "./skip.ts";

const LIMIT = 4;
const ENV = {
  TRUSTED_PROXIES: "127.0.0.1",
  ISSUER: "https://auth.example",
  RATE_LIMIT: String(LIMIT),
  RATE_WINDOW: "1h",
  SIGNING_ALG: "EdDSA",
};

/** How long a proxy may take to close what is slow, in milliseconds; the server itself takes 10 s. */
const PATIENCE = 6000;

/** How long who trickles waits between two bytes, in milliseconds: less than any timeout. */
const PACE = 200;

const canCertify = await canMakeCertificates();

for (const kind of KINDS) {
  const isThere = await works(kind.version, `the example of ${kind.name}`);

  Deno.test({
    name: `${kind.name} finds nothing to say against the example, but for where its certificate is`,
    ignore: !isThere || !canCertify,
  }, () => examine(kind));

  Deno.test({
    name: `behind ${kind.name} clients are told apart, answers are unharmed, slow ones are closed`,
    ignore: !isThere,
  }, async (test) => {
    await using server = await Server.start({ env: ENV });
    await using proxy = await Proxy.start(kind, { servers: [server.port], proxy: freePort() });
    const parts = { server, proxy, kind };
    await test.step("clients are who they are, whatever they claim", () => tellApart(parts));
    await test.step("the JWK set is as the server gives it", () => passUnharmed(parts));
    await test.step("errors are the server's own, and large bodies end", () => refuse(parts));
    await test.step("slow clients are closed", () => closeSlow(parts));
  });
}

interface Parts {
  kind: Kind;
  server: Server;
  proxy: Proxy;
}

async function examine(kind: Kind): Promise<void> {
  await using directory = new Directory();
  const { path } = directory;
  const files = await writePair(path, await makeCertificate({ name: "auth.example" }));
  const [cert, key] = kind.certificate ?? [];
  let example = kind.example;
  if (cert && key) example = example.replace(cert, files.certFile).replace(key, files.keyFile);
  const place = { path, port: freePort() };
  await writeConfiguration(kind, example, place);
  const [command, ...args] = kind.check(place);
  const { success, stdout, stderr } = await new Deno.Command(command!, { args }).output();
  const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  assert.ok(success, said);
  assert.doesNotMatch(said, /warn|not formatted/i);
}

async function tellApart({ server, proxy }: Parts): Promise<void> {
  using client = new Client(proxy.url, "127.0.5.1");
  using other = new Client(proxy.url, "127.0.5.2");
  const user = await client.register();
  const forged = ["203.0.113.1", "127.0.0.1", "::1, 203.0.113.2", "no address"];
  for (const address of forged) {
    const answer = await client.post("/auth", user, { "x-forwarded-for": address });
    assert.equal(answer.status, 200, answer.text);
    assert.equal(decodeJwt(answer.json.token).iss, "https://auth.example");
  }
  const last = await client.post("/auth", user, { "x-forwarded-for": "203.0.113.3" });
  assert.equal(last.status, 429);
  assert.match(last.headers.get("retry-after")!, /^\d+$/);
  assert.equal((await other.post("/auth", user)).status, 200);
  const rows = server.query<{ request_ip: string; count: number }>(
    "SELECT request_ip, count(*) AS count FROM auth_logs GROUP BY request_ip ORDER BY request_ip",
  );
  assert.deepEqual(rows.map(({ request_ip, count }) => [request_ip, count]), [
    ["127.0.5.1", LIMIT],
    ["127.0.5.2", 1],
  ]);
}

/** The headers of the server's own, which no proxy may take away or change. */
function ownHeaders({ headers }: Pick<Answer, "headers">): Record<string, string | null> {
  const names = ["cache-control", "content-type", "etag", "access-control-allow-origin"];
  names.push("x-content-type-options", "www-authenticate", "allow", "ratelimit-policy");
  return Object.fromEntries(names.map((name) => [name, headers.get(name)]));
}

async function passUnharmed({ server, proxy }: Parts): Promise<void> {
  const client = new Client(proxy.url);
  const [direct, through] = [await server.jwks(), await client.jwks()];
  assert.equal(through.text, direct.text);
  assert.deepEqual(ownHeaders(through), ownHeaders(direct));
  const etag = direct.headers.get("etag")!;
  const known = await client.jwks({ "if-none-match": etag });
  assert.deepEqual([known.status, known.text, known.headers.get("etag")], [304, "", etag]);
  const head = await converse(proxy.url, request("HEAD /.well-known/jwks.json"), { isHead: true });
  assert.deepEqual([head.answers.length, head.rest, head.isClosed], [1, "", true]);
  assert.deepEqual(ownHeaders(head.answers[0]!), ownHeaders(direct));
  assert.equal(head.answers[0]!.headers.get("content-length"), String(direct.bytes.length));
}

async function refuse({ server, proxy, kind }: Parts): Promise<void> {
  using client = new Client(proxy.url, "127.0.5.3");
  const nobody = { username: "nobody", password: "nothing" };
  for (const [path, body] of [["/auth", nobody], ["/auth", "{"], ["/token", "x"]] as const) {
    const [direct, through] = [await server.post(path, body), await client.post(path, body)];
    assert.equal(through.status, direct.status);
    assert.equal(through.text, direct.text);
    assert.deepEqual(ownHeaders(through), ownHeaders(direct));
  }
  const notAllowed = await client.request("/auth");
  assert.deepEqual([notAllowed.status, notAllowed.headers.get("allow")], [405, "POST"]);
  const large = JSON.stringify({ ...nobody, more: "x".repeat(8192) });
  const tooLarge = await client.post("/auth", large);
  assert.equal(tooLarge.status, 413);
  if (!kind.tellsErrors) return;
  assert.equal(tooLarge.headers.get("content-type"), "application/json");
  assert.equal(tooLarge.text, (await server.post("/auth", large)).text);
}

/** What a slow client has sent when it stops, or begins to send a byte at a time. */
const HEAD = "POST /auth HTTP/1.1\r\nHost: auth.example\r\nContent-Type: application/json\r\n";
const BODY = `${HEAD}Content-Length: 1000\r\n\r\n{`;

async function closeSlow({ proxy, kind }: Parts): Promise<void> {
  const trickled = kind.endsTrickledBodies ? [`${HEAD}X-A: `, BODY] : [`${HEAD}X-A: `];
  const closed = await Promise.all([
    ...["", HEAD, BODY].map((start) => isClosed(proxy.url, start)),
    ...trickled.map((start) => isClosed(proxy.url, start, "a")),
  ]);
  assert.deepEqual(closed, closed.map(() => true));
}

/** Whether a connection is closed to which nothing more comes, or one piece after the other. */
async function isClosed(url: string, start: string, piece = ""): Promise<boolean> {
  using connection = await connect(url);
  await send(connection, start);
  const pace = setInterval(() => void send(connection, piece), PACE);
  try {
    return await within(PATIENCE, receive(connection));
  } finally {
    clearInterval(pace);
  }
}
