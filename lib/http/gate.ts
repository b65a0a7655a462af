/** Where every request passes: what is wrong with it is told here, and who waits for an answer is known. */

import { within } from "../base/deadline.ts";
import { DomainError } from "../base/errors.ts";
import { leaveUnread } from "./body.ts";
import { asLast, framingFault } from "./framing.ts";
import { LIVENESS, READINESS } from "./health.ts";
import { HostCheck } from "./host.ts";
import type { Observer } from "./observer.ts";
import { pathOf } from "./path.ts";
import { errorResponse, okResponse } from "./response.ts";

/** What `Deno.serve` gives a handler. */
export type Handler = (
  request: Request,
  info: Deno.ServeHandlerInfo<Deno.NetAddr>,
) => Response | Promise<Response>;

/** How long a request waits for a server that starts, in milliseconds. */
const START_PATIENCE = 2000;

export class Gate {
  #handler: Handler = (request, info) => this.#awaitBegin(request, info);
  readonly #begun = Promise.withResolvers<void>();
  #observer: Pick<Observer, "answered"> | undefined;
  #inFlight = 0;
  /** Resolves as soon as nothing is in flight, when somebody waits for that. */
  #lull: PromiseWithResolvers<void> | undefined;
  readonly #hosts = new HostCheck();
  #endsConnections = false;
  #isClosed = false;

  /** Hands requests to `handler` from now on, and tells the observer of each answer. */
  begin(handler: Handler, observer?: Pick<Observer, "answered">): void {
    this.#handler = handler;
    this.#observer = observer;
    this.#begun.resolve();
  }

  /** Refuses requests from now on; those in flight go on. */
  close(): void {
    this.#isClosed = true;
  }

  /** Makes the answer to each request that comes from now on the last one on its connection. */
  endConnections(): void {
    this.#endsConnections = true;
  }

  /** Resolves at the first moment with nothing in flight, before another request is read. */
  lull(): Promise<void> {
    if (this.#inFlight === 0) return Promise.resolve();
    this.#lull ??= Promise.withResolvers();
    return this.#lull.promise;
  }

  /**
   * An answer that is there at once stays so: to wait for a promise costs more than to count.
   *
   * @param fallbacks the authorities that Deno gives a request that has none.
   */
  answer(
    request: Request,
    info: Deno.ServeHandlerInfo<Deno.NetAddr>,
    fallbacks: readonly string[],
  ): ReturnType<Handler> {
    const observer = this.#observer;
    if (observer === undefined) return this.#finish(request, info, fallbacks);
    const start = performance.now();
    const response = this.#finish(request, info, fallbacks);
    const tell = (status: number) => observer.answered(request, status, performance.now() - start);
    if (response instanceof Response) tell(response.status);
    else response.then(({ status }) => tell(status), () => tell(500));
    return response;
  }

  #finish(
    request: Request,
    info: Deno.ServeHandlerInfo<Deno.NetAddr>,
    fallbacks: readonly string[],
  ): ReturnType<Handler> {
    const { method, headers } = request;
    const isChunked = headers.has("transfer-encoding");
    const refusal = this.#hosts.refusalOf(request, fallbacks) ??
      (isChunked ? framingFault(headers) : undefined);
    const response = this.#respond(request, info, refusal);
    if (!isChunked && (method === "GET" || method === "HEAD")) return response;
    const last = isChunked ? Promise.resolve(response).then(asLast) : Promise.resolve(response);
    return last.finally(() => leaveUnread(request));
  }

  /** @param refusal what is wrong with the request, if anything is. */
  #respond(
    request: Request,
    info: Deno.ServeHandlerInfo<Deno.NetAddr>,
    refusal: string | undefined,
  ): ReturnType<Handler> {
    if (refusal !== undefined) return errorResponse(new DomainError("invalid_request", refusal));
    if (this.#isClosed) return stoppingResponse();
    const response = this.#handler(request, info);
    if (response instanceof Promise) {
      this.#inFlight++;
      const done = () => this.#answered();
      response.then(done, done);
    }
    if (!this.#endsConnections) return response;
    return response instanceof Promise ? response.then(asLast) : asLast(response);
  }

  /** Who asks a server that starts waits, because a proxy that has sent it a POST asks no other one. */
  #awaitBegin(request: Request, info: Deno.ServeHandlerInfo<Deno.NetAddr>): ReturnType<Handler> {
    const path = pathOf(request);
    if (path === LIVENESS) return okResponse();
    if (path === READINESS) return startingResponse();
    return within(START_PATIENCE, this.#begun.promise)
      .then((hasBegun) => hasBegun ? this.#handler(request, info) : startingResponse());
  }

  #answered(): void {
    if (--this.#inFlight > 0) return;
    this.#lull?.resolve();
    this.#lull = undefined;
  }
}

function startingResponse(): Response {
  const starting = "The server is starting";
  return errorResponse(new DomainError("overloaded", starting, { retryAfter: 1 }));
}

function stoppingResponse(): Response {
  const stopping = "The server is stopping";
  return asLast(errorResponse(new DomainError("overloaded", stopping, { retryAfter: 1 })));
}
