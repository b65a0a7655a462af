/** The server put together from its parts, from the configuration to the last signal. */

import { Accounts } from "../accounts/accounts.ts";
import { createApp } from "../http/app.ts";
import { createClientAddress } from "../http/client_address.ts";
import { CLOCK_SKEW, type Config } from "./config.ts";
import { CommandError, EXIT } from "../base/errors.ts";
import { KeyRing } from "../keys/key_ring.ts";
import { BufferedSink, createLog, errorFields, type Log } from "../base/log.ts";
import { Maintenance } from "./maintenance.ts";
import { PasswordHasher } from "../accounts/password.ts";
import { within } from "../base/deadline.ts";
import { type Handler, Server } from "../http/listener.ts";
import { TokenIssuer } from "../tokens/token_issuer.ts";
import { type OpenedKeys, openKeys } from "./open.ts";
import { serverUrl } from "../cli/words.ts";

/** How long requests in flight may take once the server is told to stop, in milliseconds. */
const PATIENCE = 8000;

/** Password checks that may wait; each one that runs takes `ARGON2_MEMORY_KIB` of memory. */
const PASSWORD_QUEUE = 64;

/** How long the log's last lines may take to be written, in milliseconds. */
const LOG_PATIENCE = 1000;

/**
 * Serves until SIGTERM or SIGINT, and then ends the process.
 *
 * @throws {CommandError} when the server cannot start.
 */
export async function serve(config: Config): Promise<void> {
  Deno.umask(0o077);
  const sink = new BufferedSink((bytes) => writeAll(Deno.stderr, bytes));
  try {
    await run(config, createLog(config.logLevel, sink.push));
  } finally {
    await within(LOG_PATIENCE, sink.flush());
  }
  Deno.exit(0); // whatever may still be under way
}

async function run(config: Config, log: Log): Promise<void> {
  logUnhandledRejections(log);
  const keys = await openKeys(config, log);
  const ring = await KeyRing.open(keys);
  const hasher = new PasswordHasher(config.argon2, {
    concurrency: navigator.hardwareConcurrency,
    queue: PASSWORD_QUEUE,
  });
  const signal = stopSignal();
  const server = listen(config, (port) => createHandler(config, { keys, ring, hasher, port }), log);
  const maintenance = new Maintenance({ ...keys, ring, authLogRetention: config.authLogRetention });
  const completed = maintenance.start();
  hasher.prepare().catch((error) => log.warn("the decoy hash is made later", errorFields(error)));
  // It serves already; who waits for the line also finds every key in the database.
  within(PATIENCE, completed).then(() => welcome(config.host, server.port));

  log.info("stopping", { signal: await signal });
  await within(PATIENCE, Promise.all([server.stop(PATIENCE), maintenance.stop()]));
  await keys.storage.close();
  log.info("stopped");
}

function createHandler(
  config: Config,
  { keys, ring, hasher, port }: {
    keys: OpenedKeys;
    ring: KeyRing;
    hasher: PasswordHasher;
    port: number;
  },
): Handler {
  const { storage, clock, log } = keys;
  const issuer = config.issuer ?? `http://localhost:${port}`;
  const { tokenTtl } = config.rotation;
  const audience = config.audience ?? issuer;
  const app = createApp({
    ring,
    accounts: new Accounts({ storage, hasher, clock }),
    issuer: new TokenIssuer({ ring, clock, issuer, audience, tokenTtl, clockSkew: CLOCK_SKEW }),
    clientAddress: createClientAddress(config.trustedProxies),
    registration: config.registration,
    expiredTokens: config.rotation.expiredTokens,
    rateLimit: {
      limit: config.rateLimit,
      window: config.rateWindow * 1000,
      now: () => performance.now(),
    },
    clock,
    log,
  });
  // Whole, not in parts: asking for the peer's address costs, and few routes want it.
  return (request, info) => app.fetch(request, info);
}

function listen(config: Config, handler: (port: number) => Handler, log: Log): Server {
  try {
    return new Server({ hostname: config.host, port: config.port, handler, log });
  } catch (error) {
    throw new CommandError(
      EXIT.failed,
      `cannot listen on ${config.host}:${config.port}: ${(error as Error).message}`,
      ["another process may use this address: set PORT or HOST to another one"],
      { cause: error },
    );
  }
}

function welcome(host: string, port: number): void {
  const url = serverUrl(host, port);
  const line = `jwks-server listens on ${url}; try: curl ${url}/.well-known/jwks.json\n`;
  writeAll(Deno.stdout, new TextEncoder().encode(line)).catch(() => {}); // nobody may be listening
}

/** The first SIGTERM or SIGINT; a second one ends the process at once. */
function stopSignal(): Promise<string> {
  return new Promise((resolve) => {
    let seen = 0;
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      Deno.addSignalListener(signal, () => {
        if (++seen > 1) Deno.exit(EXIT.failed);
        resolve(signal);
      });
    }
  });
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
