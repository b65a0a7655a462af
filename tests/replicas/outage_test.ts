/** Replicas whose PostgreSQL is stopped, stands still, or does not do what it is asked. */

import { eventually } from "../blackbox/harness.ts";
import { hasPostgres, ROLE, ROLE_PASSWORD } from "../servers/postgres.ts";
import { form } from "./form.ts";
import { type Outage, undergo } from "./outage.ts";
import { Site } from "./site.ts";

/** For how long the database is away, in milliseconds. */
const AWAY = form(500, 5000);

/** The same of one that stands still: longer than any request waits for it. */
const FROZEN = form(3000, 10_000);

/** Few connections, so that others can soon have taken all of them. */
const MAX_CONNECTIONS = 50;

/** How many of them are kept for superusers. */
const RESERVED = 20;

const OUTAGES: Record<string, Outage> = {
  "was stopped": {
    async begin({ postgres }) {
      await postgres.stop("fast");
      return () => postgres.start();
    },
    lasts: AWAY,
  },
  "was stopped as in a crash": {
    async begin({ postgres }) {
      await postgres.stop("immediate");
      return () => postgres.start();
    },
    lasts: AWAY,
  },
  "stands still": {
    async begin({ postgres }) {
      await postgres.freeze();
      return () => postgres.thaw();
    },
    lasts: FROZEN,
  },
  "is read-only": {
    begin: (site) => withSetting(site, "default_transaction_read_only", "on"),
    lasts: AWAY,
  },
  "has another password for its role": {
    async begin({ postgres }) {
      await postgres.psql(`ALTER ROLE ${ROLE} PASSWORD 'another one'`);
      await postgres.terminateAll();
      return () => postgres.psql(`ALTER ROLE ${ROLE} PASSWORD '${ROLE_PASSWORD}'`);
    },
    lasts: AWAY,
  },
  "has no connection left": {
    begin: takeConnections,
    lasts: AWAY,
  },
  "has no room on its disk": {
    async begin(site) {
      await site.psql(
        "CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS " +
          "$$BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END$$; " +
          "CREATE TRIGGER full_disk BEFORE INSERT ON auth_logs EXECUTE FUNCTION fill()",
      );
      return () => site.psql("DROP TRIGGER full_disk ON auth_logs; DROP FUNCTION fill");
    },
    lasts: AWAY,
    isFoundOut: false,
  },
  "holds a lock for somebody else": {
    begin: lockUsers,
    lasts: FROZEN,
    isFoundOut: false,
  },
};

Deno.test({
  name: "replicas refuse what needs a PostgreSQL that",
  ignore: !await hasPostgres("how replicas do without their database"),
}, async (test) => {
  const settings = {
    max_connections: String(MAX_CONNECTIONS),
    superuser_reserved_connections: String(RESERVED),
  };
  // What is acknowledged must also be on the disk when the server ends as in a crash.
  await using site = await Site.start({ postgres: { fsync: true, settings } });
  for (const [name, outage] of Object.entries(OUTAGES)) {
    await test.step(`${name}, publish their keys, and go on by themselves`, () =>
      undergo(site, outage));
  }
});

/** Changes a setting of the server for all sessions, and gives what undoes it. */
async function withSetting({ postgres }: Site, name: string, value: string) {
  const alter = async (command: string) => {
    await postgres.psql(command);
    await postgres.psql("SELECT pg_reload_conf()");
  };
  await alter(`ALTER SYSTEM SET ${name} = ${value}`);
  return () => alter(`ALTER SYSTEM RESET ${name}`);
}

/** Takes every connection that is not a superuser's, by saying who it is and nothing more. */
async function takeConnections({ postgres, database }: Site) {
  const taken: Deno.TcpConn[] = [];
  const greeting = startupMessage({ user: ROLE, database });
  await eventually("all connections are taken", async () => {
    // The servers have some as well, and at once want others for those that they lose: so many that
    // there may be none for whoever ends them.
    const isCleared = await postgres.terminateAll().then(() => true, () => false);
    if (isCleared) taken.push(await Deno.connect({ hostname: "127.0.0.1", port: postgres.port }));
    if (isCleared) await taken.at(-1)!.write(greeting);
    return taken.length === MAX_CONNECTIONS - RESERVED || undefined;
  }, { every: 0 });
  return () => taken.forEach((connection) => connection.close());
}

/** What a client says first (https://www.postgresql.org/docs/current/protocol-message-formats.html). */
function startupMessage(parameters: Record<string, string>): Uint8Array {
  const PROTOCOL = 196_608; // version 3.0
  const text = Object.entries(parameters).flat().map((part) => `${part}\0`).join("") + "\0";
  const message = new Uint8Array(8 + text.length);
  const view = new DataView(message.buffer);
  view.setUint32(0, message.length);
  view.setUint32(4, PROTOCOL);
  message.set(new TextEncoder().encode(text), 8);
  return message;
}

/** Locks the users as a migration or a dump of somebody's might, until it is told to end. */
async function lockUsers(site: Site) {
  const session = site.psql("BEGIN; LOCK TABLE users; SELECT pg_sleep(600)").catch(() => {});
  const holder = "FROM pg_locks JOIN pg_class ON pg_class.oid = relation " +
    "WHERE relname = 'users' AND mode = 'AccessExclusiveLock' AND granted";
  await eventually("the lock is held", async () => {
    return await site.psql(`SELECT count(*) ${holder}`) === "1" || undefined;
  });
  return async () => {
    await site.psql(`SELECT pg_terminate_backend(pid) ${holder}`);
    await session;
  };
}
