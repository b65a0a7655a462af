/** The HTTP server's life: it listens, survives the end of its accept loop, and stops gracefully. */

import { isIPv4 } from "node:net";
import { within } from "../base/deadline.ts";
import { errorFields, type Log } from "../base/log.ts";
import { Gate, type Handler } from "./gate.ts";
import { fallbacksOf } from "./host.ts";
import type { Observer } from "./observer.ts";
import { failureResponse } from "./response.ts";
import { type CertifiedKey, type FrontHandler, TlsFront } from "./tls_front.ts";

export interface ServerOptions {
  hostname: string;
  /** 0 takes a free port. */
  port: number;
  /** With one it speaks HTTPS, else HTTP. */
  certificate?: CertifiedKey | undefined;
  log: Log;
}

/** What accepts connections. */
type Listener = Deno.HttpServer<Deno.NetAddr> | TlsFront;

/** How long to wait before serving again, in milliseconds. */
const RESTART_DELAY = 100;

/** How long a server that stops goes on at the least, in milliseconds: what has arrived is answered. */
const LINGER = 100;

/** How long after that it waits for a moment with nothing in flight, in milliseconds. */
const LULL_PATIENCE = 1000;

/** How an IPv4 address is written as an IPv6 one (RFC 4291 §2.5.5.2). */
const MAPPED = "::ffff:";

export class Server {
  readonly #options: ServerOptions;
  #listener: Listener;
  readonly #gate = new Gate();
  #isStopping = false;

  /** Starts to listen; all but `/healthz` is put off until `begin`. @throws when the address cannot be bound. */
  constructor(options: ServerOptions) {
    this.#options = options;
    this.#listener = this.#listen(options.port);
    this.#watch();
  }

  /** Answers requests from now on, and tells the observer of each answer. */
  begin(handler: Handler, observer?: Pick<Observer, "answered">): void {
    this.#gate.begin(handler, observer);
  }

  /** The address it listens on. */
  get host(): string {
    return this.#listener.addr.hostname.replace(MAPPED, "");
  }

  /** The port it listens on. */
  get port(): number {
    return this.#listener.addr.port;
  }

  /**
   * Gives new connections this certificate; those that are there go on.
   *
   * @throws when it cannot be used, or when the server speaks HTTP.
   */
  renew(certificate: CertifiedKey): void {
    if (!(this.#listener instanceof TlsFront)) throw new TypeError("The server has no certificate");
    this.#listener.renew(certificate);
  }

  /**
   * Goes on for a moment, each answer the last one on its connection: who finds the listener closed
   * has sent nothing and can ask another server, who is refused by an answer must begin anew. Then
   * waits for what is in flight; all that takes `grace` milliseconds at most.
   */
  async stop(grace: number): Promise<void> {
    this.#isStopping = true;
    this.#gate.endConnections();
    await within(grace, this.#end());
  }

  /**
   * The listener is shut down when nothing is in flight: Deno makes the bodies that still arrive
   * unreadable. Where there is no such moment, requests are refused until there is.
   */
  async #end(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, LINGER));
    await within(LULL_PATIENCE, this.#gate.lull());
    this.#gate.close();
    await this.#gate.lull();
    await this.#listener.shutdown();
  }

  #listen(port: number): Listener {
    const { hostname, certificate, log } = this.#options;
    if (certificate === undefined) return this.#listenInTheClear(port);
    const onError = (error: unknown) => failureResponse(error, log);
    const handler: FrontHandler = (...request) => this.#gate.answer(...request);
    return new TlsFront({ hostname, port, certificate, handler, onError, log });
  }

  /**
   * An IPv4 address is bound as the IPv6 address that means it, where the system can: for a loopback
   * address Deno gives requests without an authority the one that HTTP/2 clients send most,
   * `localhost`, and for this one it does not.
   */
  #listenInTheClear(port: number): Deno.HttpServer<Deno.NetAddr> {
    const { hostname } = this.#options;
    if (!isIPv4(hostname)) return this.#listenOn(hostname, port);
    try {
      return this.#listenOn(`${MAPPED}${hostname}`, port);
    } catch (error) {
      if (error instanceof Deno.errors.AddrInUse) throw error;
      return this.#listenOn(hostname, port);
    }
  }

  #listenOn(hostname: string, port: number): Deno.HttpServer<Deno.NetAddr> {
    const server: Deno.HttpServer<Deno.NetAddr> = Deno.serve({
      hostname,
      port,
      onListen() {},
      onError: (error) => failureResponse(error, this.#options.log),
    }, (request, info) => this.#gate.answer(request, info, fallbacks));
    const fallbacks = fallbacksOf(server.addr);
    return server;
  }

  /** The accept loop ends when the process runs out of file descriptors: then it is begun anew. */
  #watch(): void {
    const ended = (fields = {}) => {
      if (this.#isStopping) return;
      this.#options.log.error("the server stopped accepting connections; it begins anew", fields);
      setTimeout(() => this.#restart(), RESTART_DELAY);
    };
    if (this.#listener instanceof TlsFront) return; // which does this itself
    this.#listener.finished.then(() => ended(), (error) => ended(errorFields(error)));
  }

  #restart(): void {
    if (this.#isStopping) return;
    try {
      this.#listener = this.#listen(this.port);
      this.#watch();
    } catch (error) {
      this.#options.log.error("the server cannot listen yet", errorFields(error));
      setTimeout(() => this.#restart(), RESTART_DELAY);
    }
  }
}
