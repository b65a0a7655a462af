/** The HTTP server's life: it listens, survives the end of its accept loop, and stops gracefully. */

import { isIPv4 } from "node:net";
import { within } from "../base/deadline.ts";
import { DomainError } from "../base/errors.ts";
import { errorFields, type Log } from "../base/log.ts";
import { leaveUnread } from "./body.ts";
import { errorResponse, failureResponse } from "./response.ts";

/** What `Deno.serve` gives a handler. */
export type Handler = (
  request: Request,
  info: Deno.ServeHandlerInfo<Deno.NetAddr>,
) => Response | Promise<Response>;

export interface ServerOptions {
  hostname: string;
  /** 0 takes a free port. */
  port: number;
  log: Log;
}

/** How long to wait before serving again, in milliseconds. */
const RESTART_DELAY = 100;

/** How long a server that stops goes on reading what has arrived, in milliseconds. */
const LINGER = 100;

/** How an IPv4 address is written as an IPv6 one (RFC 4291 §2.5.5.2). */
const MAPPED = "::ffff:";

export class Server {
  readonly #options: ServerOptions;
  #listener: Deno.HttpServer<Deno.NetAddr>;
  #handler: Handler = startingResponse;
  readonly #inFlight = new Set<Promise<Response>>();
  /** The authority that Deno gives a request that has none. */
  readonly #noAuthority: string;
  /** The host that was found valid last: the next one is most likely the same. */
  #validHost: string | null | undefined;
  #isStopping = false;

  /** Starts to listen; requests are put off until `begin`. @throws when the address cannot be bound. */
  constructor(options: ServerOptions) {
    this.#options = options;
    this.#listener = this.#listen(options.port);
    this.#noAuthority = fallbackFor(this.#listener.addr.hostname);
    this.#watch();
  }

  /** Answers requests from now on. */
  begin(handler: Handler): void {
    this.#handler = handler;
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
   * Refuses new requests, and waits for those in flight, `grace` milliseconds at most. The listener
   * is shut down only then: Deno makes the bodies that still arrive unreadable.
   */
  async stop(grace: number): Promise<void> {
    this.#isStopping = true;
    await within(grace, this.#drain().then(() => this.#end()));
  }

  /** Shutting down closes connections on which a request has arrived and is not read yet. */
  async #end(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, LINGER));
    await this.#drain();
    await this.#listener.shutdown();
  }

  async #drain(): Promise<void> {
    while (this.#inFlight.size > 0) await Promise.allSettled(this.#inFlight);
  }

  /**
   * An IPv4 address is bound as the IPv6 address that means it, where the system can: for a loopback
   * address Deno gives requests without an authority the one that HTTP/2 clients send most,
   * `localhost`, and for this one it does not.
   */
  #listen(port: number): Deno.HttpServer<Deno.NetAddr> {
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
    return Deno.serve({
      hostname,
      port,
      onListen() {},
      onError: (error) => failureResponse(error, this.#options.log),
    }, (request, info) => this.#answer(request, info));
  }

  #answer(request: Request, info: Deno.ServeHandlerInfo<Deno.NetAddr>): ReturnType<Handler> {
    const response = this.#respond(request, info);
    const { method } = request;
    if (method === "GET" || method === "HEAD") return response;
    return Promise.resolve(response).finally(() => leaveUnread(request));
  }

  #respond(request: Request, info: Deno.ServeHandlerInfo<Deno.NetAddr>): ReturnType<Handler> {
    const refusal = this.#refusalOf(request);
    if (refusal !== undefined) return errorResponse(new DomainError("invalid_request", refusal));
    if (this.#isStopping) return stoppingResponse();
    const response = this.#handler(request, info);
    if (response instanceof Promise) {
      this.#inFlight.add(response);
      const done = () => void this.#inFlight.delete(response);
      response.then(done, done);
    }
    return response;
  }

  /**
   * What is wrong with how a request names this server, in a Host header (RFC 9112 §3.2) or as the
   * authority of HTTP/2 (RFC 9113 §8.3.1), which Deno tells in the URL alone.
   */
  #refusalOf(request: Request): string | undefined {
    const authority = authorityOf(request.url);
    if (authority === undefined) return "The request target is not valid";
    const host = request.headers.get("host") ?? this.#withoutFallback(authority);
    if (!this.#isValid(host)) return "The Host header is not valid";
    return this.#isValid(authority) ? undefined : "The request target is not valid";
  }

  #isValid(host: string | null): boolean {
    if (host === this.#validHost) return true;
    if (!isValidHost(host)) return false;
    this.#validHost = host;
    return true;
  }

  #withoutFallback(authority: string): string | null {
    const isFallback = authority === `${this.#noAuthority}:${this.port}` ||
      authority === this.#noAuthority;
    return isFallback ? null : authority;
  }

  /** The accept loop ends when the process runs out of file descriptors: then it is begun anew. */
  #watch(): void {
    const ended = (fields = {}) => {
      if (this.#isStopping) return;
      this.#options.log.error("the server stopped accepting connections; it begins anew", fields);
      setTimeout(() => this.#restart(), RESTART_DELAY);
    };
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

/** The authority, but for the port, that Deno gives requests to a listener on this address. */
function fallbackFor(hostname: string): string {
  const isOwn = ["::", "::1", "0.0.0.0"].includes(hostname) || hostname.startsWith("127.");
  if (isOwn) return "localhost";
  return hostname.includes(":") ? `[${hostname}]` : hostname;
}

function startingResponse(): Response {
  const starting = "The server is starting";
  return errorResponse(new DomainError("overloaded", starting, { retryAfter: 1 }));
}

function stoppingResponse(): Response {
  const stopping = "The server is stopping";
  const response = errorResponse(new DomainError("overloaded", stopping, { retryAfter: 1 }));
  response.headers.set("connection", "close");
  return response;
}

/**
 * Whether a Host header is one host with an optional port (RFC 9110 §7.2). Deno builds the URL of a
 * request from it, so that `Host: x/auth?` would otherwise choose the route.
 */
export function isValidHost(host: string | null): boolean {
  return host !== null &&
    /^(?:[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(?::\d{0,5})?$/.test(host) &&
    URL.canParse(`http://${host}/`);
}

/**
 * The authority in a request's URL, when a path follows right after it. A target in absolute form
 * (RFC 9112 §3.2.2) stands in for the Host header, and `http://x?/auth` has `/auth` in its query.
 */
export function authorityOf(url: string): string | undefined {
  return /^https?:\/\/([A-Za-z0-9._~:[\]-]+)\//.exec(url)?.[1];
}
