/** Verifiers, and a supervisor, that ask every replica over and over for what needs no database. */

import assert from "node:assert/strict";
import type { Server } from "../blackbox/harness.ts";
import type { Replicas } from "./replicas.ts";

/** Between two rounds at a replica, in milliseconds. */
const PAUSE = 20;

/**
 * How long an answer may take, in milliseconds: on a busy machine more than usual, and yet less than
 * anything that waits for a database or a limiter that stands still.
 */
const PATIENCE = 1000;

export class Verifiers {
  readonly #work: Promise<void>[];
  readonly #etags = new Set<string>();
  #rounds = 0;
  #isOver = false;

  /** Begins at once. */
  constructor({ servers }: Replicas) {
    this.#work = servers.map((server) => this.#keepOn(server));
    for (const work of this.#work) work.catch(() => this.#isOver = true); // `stop` tells of it
  }

  /** The entity tags that were seen. */
  get etags(): readonly string[] {
    return [...this.#etags];
  }

  /** How often the replicas were asked. */
  get rounds(): number {
    return this.#rounds;
  }

  /** Ends; throws when an answer was wrong, or late. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#work);
  }

  async #keepOn(server: Server): Promise<void> {
    while (!this.#isOver) {
      const set = await inTime(() => server.jwks());
      assert.ok(set.json.keys.length > 0, set.text);
      this.#etags.add(set.headers.get("etag")!);
      const held = { "if-none-match": set.headers.get("etag")! };
      await inTime(() => server.jwks(held), 304);
      await inTime(() => server.request("/healthz"));
      this.#rounds++;
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  }
}

async function inTime<Answer extends { status: number }>(
  ask: () => Promise<Answer>,
  status = 200,
): Promise<Answer> {
  const begun = performance.now();
  const answer = await ask();
  const elapsed = performance.now() - begun;
  assert.equal(answer.status, status);
  assert.ok(elapsed < PATIENCE, `an answer without a database took ${Math.round(elapsed)} ms`);
  return answer;
}
