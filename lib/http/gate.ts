/** Where every request passes: what is wrong with it is told here, and who waits for an answer is known. */

import { DomainError } from "../base/errors.ts";
import { leaveUnread } from "./body.ts";
import { asLast, framingFault } from "./framing.ts";
import { LIVENESS } from "./health.ts";
import { HostCheck } from "./host.ts";
import type { Observer } from "./observer.ts";
import { pathOf } from "./path.ts";
import { errorResponse, okResponse } from "./response.ts";

/** What `Deno.serve` gives a handler. */
export type Handler = (
  request: Request,
  info: Deno.ServeHandlerInfo<Deno.NetAddr>,
) => Response | Promise<Response>;

export class Gate {
  #handler: Handler = startingResponse;
  #observer: Pick<Observer, "answered"> | undefined;
  readonly #inFlight = new Set<Promise<Response>>();
  readonly #hosts = new HostCheck();
  #isClosed = false;

  /** Hands requests to `handler` from now on, and tells the observer of each answer. */
  begin(handler: Handler, observer?: Pick<Observer, "answered">): void {
    this.#handler = handler;
    this.#observer = observer;
  }

  /** Refuses requests from now on; those in flight go on. */
  close(): void {
    this.#isClosed = true;
  }

  /** Resolves when nothing is in flight. */
  async drain(): Promise<void> {
    while (this.#inFlight.size > 0) await Promise.allSettled(this.#inFlight);
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
      this.#inFlight.add(response);
      const done = () => void this.#inFlight.delete(response);
      response.then(done, done);
    }
    return response;
  }
}

function startingResponse(request: Request): Response {
  if (pathOf(request) === LIVENESS) return okResponse();
  const starting = "The server is starting";
  return errorResponse(new DomainError("overloaded", starting, { retryAfter: 1 }));
}

function stoppingResponse(): Response {
  const stopping = "The server is stopping";
  const response = errorResponse(new DomainError("overloaded", stopping, { retryAfter: 1 }));
  response.headers.set("connection", "close");
  return response;
}
