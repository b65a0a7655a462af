/**
 * The server put together from its parts, from the configuration to the last signal. This room
 * chooses the parts and holds no rule of theirs; it imports every room but `lib/cli`.
 */

import type { Declaration } from "../accounts/declared/file.ts";
import { within } from "../base/deadline.ts";
import { BufferedSink, createLog, errorFields, type Log, type LogFormat } from "../base/log.ts";
import type { Server } from "../http/listener.ts";
import { KeyRing } from "../keys/key_ring.ts";
import { describeValkey } from "../limits/valkey/location.ts";
import { createAccounts } from "./accounts.ts";
import { defaultIssuer, schemeOf, serverUrl } from "./address.ts";
import { type Certificate, readCertificate } from "./certificate.ts";
import { CertificateWatch } from "./certificate_watch.ts";
import { applyClientsFile, readLastingClientsFile } from "./clients_file.ts";
import type { Config } from "./config.ts";
import { createHandler } from "./handler.ts";
import { type Limits, openLimits } from "./limits.ts";
import { listen } from "./listen.ts";
import { Maintenance } from "./maintenance.ts";
import { openDatabase, type OpenedDatabase } from "./open.ts";
import { Presence } from "./presence.ts";
import { Readiness } from "./readiness.ts";
import { beginRun, endRun } from "./run_mark.ts";
import { tellStart } from "./start_line.ts";
import { warnOfTestMode } from "./test_mode.ts";
import type { StopSignal } from "./stop_signal.ts";
import { Watch } from "./watch.ts";

/** How long requests in flight may take once the server is told to stop, in milliseconds. */
const GRACE = 8000;

/** How long the log's last lines may take to be written, in milliseconds. */
const LOG_GRACE = 1000;

const now = () => performance.now();

/**
 * Serves until a signal asks it to stop, and then ends the process.
 *
 * @param format how the log is written on standard error.
 * @throws {DomainError} when the server cannot start: as `openDatabase` and `KeyRing.open` do, and
 * `failed` when the address cannot be bound, with nothing written.
 */
export async function serve(config: Config, stop: StopSignal, format: LogFormat): Promise<void> {
  Deno.umask(0o077);
  const sink = new BufferedSink((bytes) => writeAll(Deno.stderr, bytes), { format });
  try {
    await run(config, stop, createLog(config.logLevel, sink.push, Date.now, format));
  } finally {
    await within(LOG_GRACE, sink.flush());
  }
  Deno.exit(0); // whatever may still be under way
}

async function run(config: Config, stop: StopSignal, log: Log): Promise<void> {
  logUnhandledRejections(log);
  warnOfTestMode(config, log);
  const { host: hostname, port } = config;
  const certificate = config.tls && await readCertificate(config.tls);
  const limits = await openLimits(config, log);
  const server = listen({ hostname, port, certificate, log }, "HOST and PORT");
  const watch = Watch.listen(config, log);
  const { clientsFile, policy: { tokenTtl } } = config;
  const declaration = clientsFile && await readLastingClientsFile(clientsFile, tokenTtl);
  const database = await openDatabase(config, log);
  if (declaration) await applyAtStart(config, declaration, database);
  const work = stop.isReceived ? [] : await begin(config, { server, watch, limits }, database);
  const certificateWatch = followCertificate(config, { certificate, server, database });
  log.info("stopping", { signal: await stop.received });
  const listeners = [server.stop(GRACE), watch?.stop(GRACE)];
  const others = [...work, certificateWatch].map((own) => own?.stop());
  await within(GRACE, Promise.all([...listeners, ...others]));
  await limits.sharing?.stop();
  await endRun(database);
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

/** Answers requests from now on, and gives what it does by itself beside that, until it is stopped. */
async function begin(
  config: Config,
  { server, watch, limits }: { server: Server; watch: Watch | undefined; limits: Limits },
  database: OpenedDatabase,
): Promise<[Maintenance, Presence]> {
  const scheme = schemeOf(config);
  const issuer = config.issuer ?? defaultIssuer(config, server.port);
  const metrics = watch?.createMetrics(issuer);
  const ring = await KeyRing.open(database);
  await beginRun(database);
  const made = createAccounts(config, database, limits.guesses, metrics?.waited);
  const { accounts, queue, loginCache } = made;
  await limits.sharing?.start();
  const { findHindrance } = new Readiness({ ...database, ring, now });
  const parts = { database, ring, accounts, limits, issuer, findHindrance, observer: metrics };
  server.begin(createHandler(config, parts), metrics);
  tellStart(config, issuer, database.log);
  const { authLogRetention } = config;
  const maintenance = new Maintenance({ ...database, ring, authLogRetention, now });
  const { sharing } = limits;
  watch?.begin({ ...database, ring, queue, loginCache, sharing, maintenance, findHindrance });
  const completed = maintenance.start();
  // It serves already; who waits for the line also finds every key in the database.
  within(GRACE, completed).then(() => welcome(serverUrl(server.host, server.port, scheme)));
  const presence = new Presence({
    ...database,
    ring,
    port: server.port,
    issuer: config.issuerFromRequest ? null : issuer,
    limitedAt: config.sharedLimit ? describeValkey(config.sharedLimit.location) : null,
  });
  presence.start();
  return [maintenance, presence];
}

/** Follows the files of the certificate, when there is one. */
function followCertificate(
  { tls }: Config,
  { certificate, server, database: { clock, log } }: {
    certificate: Certificate | undefined;
    server: Server;
    database: OpenedDatabase;
  },
): CertificateWatch | undefined {
  if (tls === undefined || certificate === undefined) return undefined;
  const watch = new CertificateWatch({ files: tls, certificate, server, clock, log });
  watch.start();
  return watch;
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
