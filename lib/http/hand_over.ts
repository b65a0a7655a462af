/** A connection whose bytes are handed on to another one, and what comes back to the first. */

import type { MonotonicClock } from "../base/clock.ts";

/** For how long a connection may be without a request, in milliseconds. */
export interface Patience {
  /** Until the first one has arrived, the handshake of TLS included. */
  first: number;
  /** From the beginning of one to the beginning of the next. */
  next: number;
}

/** What a connection goes by. */
export interface HandOverRules {
  patience: Patience;
  now: MonotonicClock;
}

/** How much is read at a time from the client, in bytes: its requests are small. */
const FROM_CLIENT = 4096;

/** And from the server: a TLS record, with what stands around it (RFC 8446 §5.2). */
const FROM_SERVER = 16_384 + 256;

export class HandOver {
  /** Where the client is. */
  readonly client: Deno.NetAddr;
  /** The port by which the server knows this connection. */
  readonly port: number;
  /** Resolves when everything the server has said is handed on. */
  readonly answered: Promise<void>;
  /** Resolves when both connections are closed. */
  readonly ended: Promise<void>;
  readonly #outer: Deno.TcpConn;
  readonly #inner: Deno.TcpConn;
  readonly #rules: HandOverRules;
  /** When it may be closed, unless a request has come by then. */
  #deadline: number;
  #isClosed = false;

  /** Begins to hand over between the client's connection and one to the server. */
  constructor(outer: Deno.TcpConn, inner: Deno.TcpConn, rules: HandOverRules) {
    this.#rules = rules;
    this.#deadline = rules.now() + rules.patience.first;
    this.client = outer.remoteAddr as Deno.NetAddr;
    this.port = (inner.localAddr as Deno.NetAddr).port;
    this.#outer = outer;
    this.#inner = inner;
    this.answered = this.#hand(inner, outer, FROM_SERVER);
    const asked = this.#hand(outer, inner, FROM_CLIENT);
    this.ended = Promise.all([this.answered, asked]).then(() => this.close());
  }

  /** Takes note of a request on it. */
  asks(): void {
    const { now, patience } = this.#rules;
    this.#deadline = now() + patience.next;
  }

  /** Whether it has been without a request for too long. */
  get isOverdue(): boolean {
    return this.#rules.now() > this.#deadline;
  }

  /** Closes both connections, whatever may still be under way. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#outer.close();
    this.#inner.close();
  }

  /** Hands on until `from` has no more to say; when either is cut, both are closed. */
  async #hand(from: Deno.TcpConn, to: Deno.TcpConn, size: number): Promise<void> {
    const buffer = new Uint8Array(size);
    try {
      to.setNoDelay();
      for (let read; (read = await from.read(buffer)) !== null;) {
        for (let place = 0; place < read;) place += await to.write(buffer.subarray(place, read));
      }
      await to.closeWrite();
    } catch {
      this.close(); // cut by the other side, or closed here: nobody is left to be told
    }
  }
}

/** What `Deno.serve` says of a request, with the address of the client itself. */
export class HandedInfo implements Deno.ServeHandlerInfo<Deno.NetAddr> {
  readonly #info: Deno.ServeHandlerInfo<Deno.NetAddr>;

  constructor(readonly remoteAddr: Deno.NetAddr, info: Deno.ServeHandlerInfo<Deno.NetAddr>) {
    this.#info = info;
  }

  get completed(): Promise<void> {
    return this.#info.completed;
  }
}
