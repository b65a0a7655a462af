/** The HTTP server's life: it listens, survives the end of its accept loop, and stops gracefully. */

import { RequestError } from "../base/errors.ts";
import { errorFields, type Log } from "../base/log.ts";
import { within } from "../base/deadline.ts";
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
  /** Makes the handler, once the port is known. */
  handler: (port: number) => Handler;
  log: Log;
}

/** How long to wait before serving again, in milliseconds. */
const RESTART_DELAY = 100;

export class Server {
  readonly #options: ServerOptions;
  #listener: Deno.HttpServer<Deno.NetAddr>;
  #handler: Handler;
  readonly #inFlight = new Set<Promise<Response>>();
  /** The last Host that was found valid: the next one is most likely the same. */
  #validHost: string | null | undefined;
  #isStopping = false;

  /** Starts to listen. @throws when the address cannot be bound. */
  constructor(options: ServerOptions) {
    this.#options = options;
    this.#handler = () =>
      errorResponse(new RequestError("overloaded", "The server is starting", 1));
    this.#listener = this.#listen(options.port);
    this.#handler = options.handler(this.port);
    this.#watch();
  }

  /** The port it listens on. */
  get port(): number {
    return this.#listener.addr.port;
  }

  /**
   * Refuses new requests, and waits for those in flight, `patience` milliseconds at most. The
   * listener is shut down only then: Deno makes the bodies that still arrive unreadable.
   */
  async stop(patience: number): Promise<void> {
    this.#isStopping = true;
    const drained = this.#drain().then(() => this.#listener.shutdown());
    await within(patience, drained);
  }

  async #drain(): Promise<void> {
    while (this.#inFlight.size > 0) await Promise.allSettled(this.#inFlight);
  }

  #listen(port: number): Deno.HttpServer<Deno.NetAddr> {
    const { hostname, log } = this.#options;
    return Deno.serve({
      hostname,
      port,
      onListen() {},
      onError: (error) => failureResponse(error, log),
    }, (request, info) => this.#answer(request, info));
  }

  #answer(request: Request, info: Deno.ServeHandlerInfo<Deno.NetAddr>): ReturnType<Handler> {
    const host = request.headers.get("host");
    if (host !== this.#validHost && !isValidHost(host)) {
      return errorResponse(new RequestError("invalid_request", "The Host header is not valid"));
    }
    if (!hasPath(request.url)) {
      return errorResponse(new RequestError("invalid_request", "The request target is not valid"));
    }
    this.#validHost = host;
    if (this.#isStopping) return stoppingResponse();
    const response = this.#handler(request, info);
    if (response instanceof Promise) {
      this.#inFlight.add(response);
      const done = () => void this.#inFlight.delete(response);
      response.then(done, done);
    }
    return response;
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

function stoppingResponse(): Response {
  const response = errorResponse(new RequestError("overloaded", "The server is stopping", 1));
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
 * Whether a path follows right after the authority of a request's URL. A target in absolute form
 * (RFC 9112 §3.2.2) stands in for the Host header, and `http://x?/auth` has `/auth` in its query.
 */
export function hasPath(url: string): boolean {
  return /^https?:\/\/[A-Za-z0-9._~:[\]-]+\//.test(url);
}
