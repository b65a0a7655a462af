/** Every route while the storage fails, and afterwards: refused, nothing lost, no restart. */

import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import type { Answer, Client, Credentials } from "../blackbox/client.ts";
import { Directory, eventually, Server, UNLIMITED } from "../blackbox/harness.ts";
import { canMount, FAULTS as DISK_FAULTS, inside, wrapper } from "../blackbox/small_disk.ts";
import { form } from "./form.ts";
import { CHEAP_KEYS, fill } from "./restarted.ts";
import { canTrace, tamperWith } from "./syscalls.ts";

const DATABASE = "totally_not_my_privateKeys.db";
const env = { ...CHEAP_KEYS, ...UNLIMITED };

const [FILL, EMPTY] = DISK_FAULTS.full;

/** For how long another process holds the lock, in milliseconds. */
const LOCKED = form(1500, 10_000);

interface Fault {
  /** What it takes to make it. */
  isPossible: boolean;
  /** Whether it is one of a disk, which then is the server's own. */
  isOnDisk?: boolean;
  /** Makes it, and gives what mends it. */
  begin(server: Server): Promise<() => Promise<void> | void>;
  /** For how long it lasts at least, in milliseconds. */
  lasts?: number;
  /** The routes on which it does not matter. */
  unhurt?: readonly Route[];
  /** Why requests are refused, as the log says. */
  reason: string;
}

/** What requests are made with. */
interface Caller {
  client: Client;
  user: Credentials;
  /** A user whose password changes. */
  changing: Credentials;
}

/** Requests that write, and need each a row on the disk before they are answered. */
const ROUTES = {
  "/register": ({ client }) => {
    const username = crypto.randomUUID();
    return client.post("/register", { username, email: `${username}@example.com` });
  },
  "/auth": ({ client, user }) => client.login(user),
  "/auth?expired=true": ({ client, user }) => client.post("/auth?expired=true", user),
  "/auth, wrong": ({ client, user }) => client.login({ ...user, password: "wrong" }),
  "/token": ({ client, user }) => postForm(client, "/token", user),
  "/introspect": ({ client, user }) => postForm(client, "/introspect", user),
  "/password": async ({ client, changing }) => {
    const answer = await postForm(client, "/password", changing);
    if (answer.status === 201) changing.password = answer.json.password;
    return answer;
  },
} satisfies Record<string, (caller: Caller) => Promise<Answer>>;
type Route = keyof typeof ROUTES;
const NAMES = Object.keys(ROUTES) as Route[];

const TABLE: Record<string, Fault> = {
  "a lock that another process holds": {
    isPossible: true,
    begin: (server) =>
      asAnother(server, (other) => {
        other.exec("BEGIN EXCLUSIVE");
        return () => other.exec("ROLLBACK");
      }),
    lasts: LOCKED,
    reason: '"fault":"locked"',
  },
  "a statement that fails": {
    isPossible: true,
    begin: (server) =>
      asAnother(server, (other) => {
        const fail = "BEGIN SELECT RAISE(ABORT, 'not today'); END";
        other.exec(`CREATE TRIGGER fault BEFORE INSERT ON auth_logs ${fail}`);
        return () => other.exec("DROP TRIGGER fault");
      }),
    unhurt: ["/register"],
    reason: "not today",
  },
  "a log that cannot be synchronized": {
    isPossible: canTrace,
    begin: (server) => tamperWith(server.pid, "fsync,fdatasync", "error=EIO", logOf(server)),
    reason: '"fault":"unreachable"',
  },
  "a log that cannot be written": {
    isPossible: canTrace,
    begin: (server) => tamperWith(server.pid, "pwrite64", "error=EIO", logOf(server)),
    reason: '"fault":"unreachable"',
  },
  "a disk that is full": {
    isPossible: canMount,
    isOnDisk: true,
    begin: async (server) => {
      await inside(server, FILL);
      return () => inside(server, EMPTY);
    },
    reason: '"fault":"full"',
  },
  "a disk that has become read-only": {
    isPossible: canTrace,
    begin: (server) =>
      tamperWith(server.pid, "pwrite64,fsync,fdatasync", "error=EROFS", logOf(server)),
    reason: '"fault":"unreachable"',
  },
};

for (const [name, fault] of Object.entries(TABLE)) {
  Deno.test({
    name: `with ${name} every request that writes is refused, the JWK set is served, and all is ` +
      "well afterwards",
    ignore: !fault.isPossible,
  }, async () => {
    await using directory = new Directory();
    const isOnDisk = fault.isOnDisk ?? false;
    await using server = await start(directory, isOnDisk);
    const users = [await server.register(), await server.register()] as const;
    const caller: Caller = { client: server, user: users[0], changing: users[1] };
    for (const route of NAMES) await assertServed(route, await ROUTES[route](caller));
    const before = await countRows(server, isOnDisk);

    const mend = await fault.begin(server);
    const begin = performance.now();
    let given = 0;
    do {
      for (const route of NAMES) {
        const [answer, jwks] = await Promise.all([ROUTES[route](caller), server.jwks()]);
        assert.equal(jwks.status, 200, route);
        if (fault.unhurt?.includes(route)) assertServed(route, answer);
        else assertRefused(route, answer);
        given += /token"/.test(answer.text) ? 1 : 0;
      }
    } while (performance.now() - begin < (fault.lasts ?? 0));
    await mend();
    assert.equal(given, 0, "a token without its row");

    for (const route of NAMES) {
      await eventually(`${route} is served`, async () => {
        const answer = await ROUTES[route](caller);
        return answer.status === 503 ? undefined : assertServed(route, answer);
      });
    }
    assert.ok(server.stderr.includes(fault.reason), server.stderr);
    assert.ok(await countRows(server, isOnDisk) >= before + NAMES.length - 1, "a row is lost");
    assert.equal((await server.stop()).code, 0);
  });
}

function logOf({ directory }: Server): string[] {
  return [`${directory.database}-wal`];
}

/** A clear refusal: what it is, when to come again, and nothing of what is inside. */
function assertRefused(route: string, { status, json, text, headers }: Answer): void {
  assert.deepEqual([status, json?.error], [503, "overloaded"], `${route}: ${text}`);
  assert.match(headers.get("retry-after") ?? "", /^[1-9]\d*$/, route);
  assert.ok(!/sqlite|disk|not today|lock/i.test(text), text);
}

function assertServed(route: Route, { status, text }: Answer): true {
  const expected = { "/register": 201, "/password": 201, "/auth, wrong": 401 } as const;
  assert.equal(status, expected[route as keyof typeof expected] ?? 200, `${route}: ${text}`);
  return true;
}

function postForm(
  client: Client,
  path: string,
  { username, password }: Credentials,
): Promise<Answer> {
  return client.request(path, {
    method: "POST",
    headers: { authorization: `Basic ${btoa(`${username}:${password}`)}` },
    body: new URLSearchParams({ grant_type: "client_credentials", token: "none" }),
  });
}

/** Starts a server, on a disk that can be spoilt when it is to be. */
async function start(directory: Directory, isOnDisk: boolean): Promise<Server> {
  if (!isOnDisk) {
    await fill(directory);
    return await Server.start({ directory, env });
  }
  await using filled = new Directory();
  await fill(filled);
  for (const name of ["disk", "seed", "seen"]) await Deno.mkdir(`${directory.path}/${name}`);
  for (const [name, bytes] of await filled.files()) {
    await Deno.writeFile(`${directory.path}/seed/${name}`, bytes, { mode: 0o600 });
  }
  const there = { ...env, DATABASE: `disk/${DATABASE}` };
  return await Server.start({ directory, env: there, wrapper: wrapper("true") });
}

/** How many rows the authentication log has. */
async function countRows(server: Server, isOnDisk: boolean): Promise<number> {
  if (isOnDisk) await inside(server, "cp disk/*.db* seen/"); // only the server sees its disk
  const { path } = server.directory;
  const file = isOnDisk ? `${path}/seen/${DATABASE}` : server.directory.database;
  using database = new DatabaseSync(file);
  return Number(database.prepare("SELECT count(*) AS count FROM auth_logs").get()!.count);
}

function asAnother(
  server: Server,
  begin: (database: DatabaseSync) => () => void,
): Promise<() => void> {
  const other = server.openDatabase();
  other.exec("PRAGMA busy_timeout = 2000");
  const mend = begin(other);
  return Promise.resolve(() => {
    mend();
    other.close();
  });
}
