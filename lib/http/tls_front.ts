/**
 * TLS, with a certificate that can be renewed while connections go on. Deno binds a certificate to a
 * listener for its whole life, and whoever waits to be accepted by a listener that is closed is cut
 * off. So the public listener only accepts and stays, and hands the bytes of each connection on to
 * an HTTPS server on the loopback address, one for each certificate; one that is replaced ends with
 * its last connection.
 */

import type { MonotonicClock } from "../base/clock.ts";
import { DomainError } from "../base/errors.ts";
import { errorFields, type Log } from "../base/log.ts";
import { HandedInfo, HandOver, type Patience } from "./hand_over.ts";
import { inOneWrite } from "./one_write.ts";
import { errorResponse } from "./response.ts";

/** A certificate, with those that lead to its issuer, and its private key, all as PEM. */
export interface CertifiedKey {
  cert: string;
  key: string;
}

/** Answers a request of a client whose authority is none of `fallbacks`, which Deno makes up. */
export type FrontHandler = (
  request: Request,
  info: Deno.ServeHandlerInfo<Deno.NetAddr>,
  fallbacks: readonly string[],
) => Response | Promise<Response>;

export interface TlsFrontOptions {
  hostname: string;
  port: number;
  certificate: CertifiedKey;
  handler: FrontHandler;
  onError: (error: unknown) => Response;
  log: Log;
  patience?: Patience;
  now?: MonotonicClock;
}

/** Where the servers listen that only this process connects to. */
const LOOPBACK = "127.0.0.1";

const PATIENCE: Patience = { first: 10_000, next: 60_000 };

/** How often connections are looked over, in milliseconds. */
const SWEEP_INTERVAL = 1000;

/** How long to wait before trying again, in milliseconds. */
const RETRY_DELAY = 100;

/** An HTTPS server with one certificate. */
interface Inner {
  server: Deno.HttpServer<Deno.NetAddr>;
  /** Where it listens, on the loopback address. */
  port: number;
  certificate: CertifiedKey;
  /** The connections that are handed on to it, or about to be. */
  open: number;
}

export class TlsFront {
  readonly #options: Required<TlsFrontOptions>;
  readonly #socket: Deno.TcpListener;
  /** The connections by their two ports: to servers beside each other one port may lead twice. */
  readonly #handed = new Map<string, HandOver>();
  readonly #servers = new Set<Inner>();
  readonly #sweeping: ReturnType<typeof setInterval>;
  readonly #accepting: Promise<void>;
  #current: Inner;
  #ending: Promise<void> | undefined;
  #isInTrouble = false;
  #isClosed = false;

  /** @throws when the address cannot be bound or the certificate cannot be used. */
  constructor(options: TlsFrontOptions) {
    this.#options = { patience: PATIENCE, now: () => performance.now(), ...options };
    const { hostname, port, certificate } = options;
    this.#socket = Deno.listen({ hostname, port });
    try {
      this.#current = this.#serve(certificate);
    } catch (error) {
      this.#socket.close();
      throw error;
    }
    this.#accepting = this.#accept();
    this.#sweeping = setInterval(() => this.sweep(), SWEEP_INTERVAL);
  }

  /** The public address. */
  get addr(): Deno.NetAddr {
    return this.#socket.addr as Deno.NetAddr;
  }

  /** New connections get this certificate; those that are there go on. @throws when it cannot be used. */
  renew(certificate: CertifiedKey): void {
    const replaced = this.#current;
    this.#current = this.#serve(certificate);
    this.#retire(replaced);
  }

  /** Closes the connections that have been without a request for too long. */
  sweep(): void {
    for (const connection of this.#handed.values()) {
      if (connection.isOverdue) connection.close();
    }
  }

  /** Accepts no more, and resolves when what has been answered has left. */
  shutdown(): Promise<void> {
    return this.#ending ??= this.#end();
  }

  async #end(): Promise<void> {
    this.#isClosed = true;
    this.#socket.close();
    clearInterval(this.#sweeping);
    await Promise.all([
      this.#accepting,
      ...[...this.#servers].map(({ server }) => server.shutdown()),
    ]);
    const connections = [...this.#handed.values()];
    await Promise.all(connections.map(({ answered }) => answered));
    for (const connection of connections) connection.close();
  }

  #serve(certificate: CertifiedKey): Inner {
    const { onError } = this.#options;
    const options = { hostname: LOOPBACK, port: 0, ...certificate, onListen() {}, onError };
    const server: Deno.HttpServer<Deno.NetAddr> = Deno.serve(
      options,
      (request, info) => this.#answer(request, info, port, fallbacks),
    );
    const { port } = server.addr;
    const fallbacks = [`localhost:${port}`]; // a client names the public port
    const inner = { server, port, certificate, open: 0 };
    this.#servers.add(inner);
    const ended = (error?: unknown) => this.#ended(inner, error);
    server.finished.then(() => ended(), ended);
    return inner;
  }

  /** A server that ends by itself had no file descriptor to accept with: it is begun anew. */
  #ended(inner: Inner, error: unknown): void {
    this.#servers.delete(inner);
    if (this.#isClosed || inner !== this.#current) return;
    this.#tellTrouble(error);
    setTimeout(() => {
      if (this.#isClosed || inner !== this.#current) return;
      try {
        this.#current = this.#serve(inner.certificate);
      } catch (failure) {
        this.#ended(inner, failure);
      }
    }, RETRY_DELAY);
  }

  #retire(inner: Inner): void {
    if (inner.open === 0 && inner !== this.#current) inner.server.shutdown();
  }

  async #accept(): Promise<void> {
    while (!this.#isClosed) {
      try {
        this.#take(await this.#socket.accept());
      } catch (error) {
        if (this.#isClosed) return;
        this.#tellTrouble(error);
        await new Promise((resolve) => setTimeout(resolve, RETRY_DELAY));
      }
    }
  }

  async #take(outer: Deno.TcpConn): Promise<void> {
    const inner = this.#current;
    inner.open++;
    try {
      await this.#handOver(outer, inner.port);
    } catch (error) {
      outer.close();
      this.#tellTrouble(error);
    }
    inner.open--;
    this.#retire(inner);
  }

  async #handOver(outer: Deno.TcpConn, port: number): Promise<void> {
    const inner = await Deno.connect({ hostname: LOOPBACK, port });
    this.#isInTrouble = false;
    const connection = new HandOver(outer, inner, this.#options);
    const id = idOf(port, connection.port);
    this.#handed.set(id, connection);
    await connection.ended;
    this.#handed.delete(id);
  }

  /** Once, until it works again: what lacks a file descriptor would say so ten times a second. */
  #tellTrouble(error: unknown): void {
    if (this.#isInTrouble || this.#isClosed) return;
    this.#isInTrouble = true;
    const fields = error === undefined ? {} : errorFields(error);
    this.#options.log.error("the server stopped accepting connections; it begins anew", fields);
  }

  async #answer(
    request: Request,
    info: Deno.ServeHandlerInfo<Deno.NetAddr>,
    port: number,
    fallbacks: readonly string[],
  ): Promise<Response> {
    const connection = this.#handed.get(idOf(port, info.remoteAddr.port));
    if (connection === undefined) return strangerResponse();
    connection.asks();
    const handed = new HandedInfo(connection.client, info);
    return inOneWrite(request, await this.#options.handler(request, handed, fallbacks));
  }
}

/** What a connection to the server at `port` goes by, which sees it come from another one. */
function idOf(port: number, from: number): string {
  return `${port} ${from}`;
}

/** Whoever on this machine connects to a loopback port would hide where it comes from. */
function strangerResponse(): Response {
  const stranger = "This is not the address of the server";
  return errorResponse(new DomainError("invalid_request", stranger));
}
