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
import { HandOver } from "./hand_over.ts";
import { errorResponse } from "./response.ts";

/** A certificate, with those that lead to its issuer, and its private key, all as PEM. */
export interface CertifiedKey {
  cert: string;
  key: string;
}

/** For how long a connection may be without a request, in milliseconds. */
export interface Patience {
  /** Until the first one has arrived, the handshake of TLS included. */
  first: number;
  /** From the beginning of one to the beginning of the next. */
  next: number;
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
  certificate: CertifiedKey;
  /** The connections that are handed on to it, or about to be. */
  open: number;
}

/** A connection, and since when it is waited for its next request. */
interface Client {
  connection: HandOver;
  since: number;
  hasAsked: boolean;
}

export class TlsFront {
  readonly #options: Required<TlsFrontOptions>;
  readonly #socket: Deno.TcpListener;
  readonly #clients = new Map<number, Client>();
  readonly #servers = new Set<Inner>();
  readonly #sweeping: ReturnType<typeof setInterval>;
  readonly #accepting: Promise<void>;
  #current: Inner;
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
    const { now, patience } = this.#options;
    for (const { connection, since, hasAsked } of this.#clients.values()) {
      if (now() - since > (hasAsked ? patience.next : patience.first)) connection.close();
    }
  }

  /** Accepts no more, and resolves when what has been answered has left. */
  async shutdown(): Promise<void> {
    this.#isClosed = true;
    this.#socket.close();
    clearInterval(this.#sweeping);
    await Promise.all([
      this.#accepting,
      ...[...this.#servers].map(({ server }) => server.shutdown()),
    ]);
    const connections = [...this.#clients.values()].map(({ connection }) => connection);
    await Promise.all(connections.map(({ answered }) => answered));
    for (const connection of connections) connection.close();
  }

  #serve(certificate: CertifiedKey): Inner {
    const { onError } = this.#options;
    const options = { hostname: LOOPBACK, port: 0, ...certificate, onListen() {}, onError };
    const server: Deno.HttpServer<Deno.NetAddr> = Deno.serve(
      options,
      (request, info) => this.#answer(request, info, fallbacks),
    );
    const fallbacks = [`localhost:${server.addr.port}`]; // a client names the public port
    const inner = { server, certificate, open: 0 };
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
      await this.#handOver(outer, inner.server.addr.port);
      this.#isInTrouble = false;
    } catch (error) {
      outer.close();
      this.#tellTrouble(error);
    }
    inner.open--;
    this.#retire(inner);
  }

  async #handOver(outer: Deno.TcpConn, port: number): Promise<void> {
    const connection = new HandOver(outer, await Deno.connect({ hostname: LOOPBACK, port }));
    const client = { connection, since: this.#options.now(), hasAsked: false };
    this.#clients.set(connection.port, client);
    await connection.ended;
    this.#clients.delete(connection.port);
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
    fallbacks: readonly string[],
  ): Promise<Response> {
    const client = this.#clients.get(info.remoteAddr.port);
    if (client === undefined) return strangerResponse();
    client.since = this.#options.now();
    client.hasAsked = true;
    const handed = new HandedInfo(client.connection.client, info);
    const response = await this.#options.handler(request, handed, fallbacks);
    return request.headers.has("host") ? inOneWrite(request, response) : response;
  }
}

/** What `Deno.serve` says of a request, with the address of the client itself. */
class HandedInfo implements Deno.ServeHandlerInfo<Deno.NetAddr> {
  readonly #info: Deno.ServeHandlerInfo<Deno.NetAddr>;

  constructor(readonly remoteAddr: Deno.NetAddr, info: Deno.ServeHandlerInfo<Deno.NetAddr>) {
    this.#info = info;
  }

  get completed(): Promise<void> {
    return this.#info.completed;
  }
}

/** Whoever on this machine connects to a loopback port would hide where it comes from. */
function strangerResponse(): Response {
  const stranger = "This is not the address of the server";
  return errorResponse(new DomainError("invalid_request", stranger));
}

/**
 * The same answer in chunks. Of a body whose length is known Deno 2.9 writes the head by itself under
 * HTTP/1.1 and TLS, and the rest then waits 40 ms for the client to acknowledge that (RFC 896).
 */
function inOneWrite(request: Request, response: Response): Response {
  if (response.body === null || request.method === "HEAD") return response;
  const headers = new Headers(response.headers);
  headers.delete("content-length");
  const body = new ReadableStream({
    type: "bytes",
    async start(controller) {
      controller.enqueue(await response.bytes());
      controller.close();
    },
  });
  return new Response(body, { status: response.status, headers });
}
