/**
 * The server put together from its parts, from the configuration to the last signal. This room
 * chooses the parts and holds no rule of theirs; it imports every room but `lib/cli`.
 */

import { Accounts } from "../accounts/accounts.ts";
import type { Declaration } from "../accounts/declared_file.ts";
import { FairQueue } from "../accounts/fair_queue.ts";
import { PasswordHasher } from "../accounts/password.ts";
import { within } from "../base/deadline.ts";
import { DomainError } from "../base/errors.ts";
import { BufferedSink, createLog, errorFields, type Log } from "../base/log.ts";
import { createApp } from "../http/app.ts";
import { createFindClient } from "../http/client_address.ts";
import { type Handler, Server } from "../http/listener.ts";
import { KeyRing } from "../keys/key_ring.ts";
import { SlidingWindow } from "../limits/sliding_window.ts";
import { createAssertionVerifier } from "../tokens/client_assertion.ts";
import { createProofVerifier } from "../tokens/dpop.ts";
import { createIntrospection } from "../tokens/introspection.ts";
import { createLogin } from "../tokens/login.ts";
import { ReplayGuard } from "../tokens/replay_guard.ts";
import { TokenIssuer } from "../tokens/token_issuer.ts";
import { serverUrl } from "./address.ts";
import { applyClientsFile, readLastingClientsFile } from "./clients_file.ts";
import type { Config } from "./config.ts";
import { Maintenance } from "./maintenance.ts";
import { openDatabase, type OpenedDatabase } from "./open.ts";
import type { StopSignal } from "./stop_signal.ts";

/** How long requests in flight may take once the server is told to stop, in milliseconds. */
const GRACE = 8000;

/** In what time a password that is admitted has to be checked, in milliseconds. */
const HASH_PATIENCE = 1500;

/** Password checks that may wait at the most, however quick they are. */
const HASH_QUEUE = 512;

/** How long the log's last lines may take to be written, in milliseconds. */
const LOG_GRACE = 1000;

/** Assertions and proofs that are remembered until they are over, so that none is used twice. */
const REPLAY_CAPACITY = 100_000;

const now = () => performance.now();

/**
 * Serves until a signal asks it to stop, and then ends the process.
 *
 * @throws {DomainError} when the server cannot start: as `openDatabase` and `KeyRing.open` do, and
 * `failed` when the address cannot be bound, with nothing written.
 */
export async function serve(config: Config, stop: StopSignal): Promise<void> {
  Deno.umask(0o077);
  const sink = new BufferedSink((bytes) => writeAll(Deno.stderr, bytes));
  try {
    await run(config, stop, createLog(config.logLevel, sink.push));
  } finally {
    await within(LOG_GRACE, sink.flush());
  }
  Deno.exit(0); // whatever may still be under way
}

async function run(config: Config, stop: StopSignal, log: Log): Promise<void> {
  logUnhandledRejections(log);
  const server = listen(config, log);
  const { clientsFile, policy: { tokenTtl } } = config;
  const declaration = clientsFile && await readLastingClientsFile(clientsFile, tokenTtl);
  const database = await openDatabase(config, log);
  if (declaration) await applyAtStart(config, declaration, database);
  const maintenance = stop.isReceived ? undefined : await begin(config, server, database);
  log.info("stopping", { signal: await stop.received });
  await within(GRACE, Promise.all([server.stop(GRACE), maintenance?.stop()]));
  await database.storage.close();
  log.info("stopped");
}

/** Applies the declared clients before anything is served, and tells the log what changed. */
async function applyAtStart(
  config: Config,
  declaration: Declaration,
  { storage, log }: OpenedDatabase,
): Promise<void> {
  const changes = await applyClientsFile(storage, config, declaration);
  for (const change of changes) log.info("a declared client was changed", { change });
}

/** Answers requests from now on, and keeps the keys on schedule. */
async function begin(
  config: Config,
  server: Server,
  database: OpenedDatabase,
): Promise<Maintenance> {
  const { log } = database;
  const ring = await KeyRing.open(database);
  const hasher = new PasswordHasher(
    config.argon2,
    new FairQueue({
      concurrency: navigator.hardwareConcurrency,
      patience: HASH_PATIENCE,
      capacity: HASH_QUEUE,
      now,
    }),
  );
  server.begin(createHandler(config, { database, ring, hasher, port: server.port }));
  const { authLogRetention } = config;
  const maintenance = new Maintenance({ ...database, ring, authLogRetention });
  const completed = maintenance.start();
  hasher.prepare().catch((error) => log.warn("the decoy hash is made later", errorFields(error)));
  // It serves already; who waits for the line also finds every key in the database.
  within(GRACE, completed).then(() => welcome(serverUrl(server.host, server.port)));
  return maintenance;
}

function createHandler(
  config: Config,
  { database, ring, hasher, port }: {
    database: OpenedDatabase;
    ring: KeyRing;
    hasher: PasswordHasher;
    port: number;
  },
): Handler {
  const { storage, clock, log } = database;
  const { policy: { tokenTtl, clockSkew, expiredTokens }, registration } = config;
  const issuer = config.issuer ?? `http://localhost:${port}`;
  const audience = config.audience ?? issuer;
  const accounts = new Accounts({ storage, hasher, clock, log });
  const replay = new ReplayGuard({ capacity: REPLAY_CAPACITY, clock });
  const audiences = [issuer, `${issuer.replace(/\/$/, "")}/token`];
  const limit = { limit: config.rateLimit, window: config.rateWindow * 1000, now };
  const app = createApp({
    ring,
    accounts,
    login: createLogin({
      accounts,
      assertions: createAssertionVerifier({ audiences, replay, clock }),
    }),
    issuer: new TokenIssuer({ ring, clock, issuer, audience, tokenTtl, clockSkew }),
    introspect: createIntrospection({ ring, storage, issuer, clock }),
    proofs: createProofVerifier({ replay, clock }),
    issuerUrl: issuer,
    jwksUri: config.jwksUri,
    audience,
    passwordOverlap: config.passwordOverlap,
    findClient: createFindClient(config.trustedProxies),
    registration,
    expiredTokens,
    limiter: () => new SlidingWindow(limit),
    caching: { staleIfError: config.staleIfError, tokenTtl },
    clock,
    log,
  });
  // Whole, not in parts: asking for the peer's address costs, and few routes want it.
  return (request, info) => app.fetch(request, info);
}

function listen({ host, port }: Config, log: Log): Server {
  try {
    return new Server({ hostname: host, port, log });
  } catch (cause) {
    throw new DomainError(
      "failed",
      `Cannot listen on ${host}:${port}: ${(cause as Error).message}`,
      {
        cause,
        hints: ["another process may use this address: set PORT or HOST to another one"],
      },
    );
  }
}

function welcome(url: string): void {
  const line = `jwks-server listens on ${url}; try: curl ${url}/.well-known/jwks.json\n`;
  writeAll(Deno.stdout, new TextEncoder().encode(line)).catch(() => {}); // nobody may be listening
}

function logUnhandledRejections(log: Log): void {
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    log.error("an error was not handled", errorFields(event.reason));
  });
}

async function writeAll(
  stream: { write(bytes: Uint8Array): Promise<number> },
  bytes: Uint8Array,
): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    written += await stream.write(bytes.subarray(written));
  }
}
