/** A limiter that servers share, and what decides when they cannot. */

import { DomainError } from "../../base/errors.ts";
import type { Admission, Limiter } from "../limiter.ts";
import type { Sharing } from "./sharing.ts";
import type { ValkeyWindow } from "./valkey_window.ts";

export interface SharedWindowOptions {
  shared: ValkeyWindow;
  sharing: Pick<Sharing, "attempt" | "countFallback">;
  /** Decides for this server alone; without one, nothing is admitted that is not decided by all. */
  own: Limiter | undefined;
}

export class SharedWindow implements Limiter {
  readonly limit: number;
  readonly window: number;
  readonly #options: SharedWindowOptions;

  constructor(options: SharedWindowOptions) {
    this.limit = options.shared.limit;
    this.window = options.shared.window;
    this.#options = options;
  }

  /**
   * What all servers admit counts here as well, so that a client whom this one has admitted does not
   * begin anew when sharing fails. What was admitted elsewhere is not known then.
   *
   * @throws {DomainError} `overloaded` when nothing is shared, and there is no window of its own.
   */
  async admit(client: string): Promise<Admission> {
    const { shared, sharing, own } = this.#options;
    const admission = await sharing.attempt(() => shared.admit(client));
    if (admission !== undefined) {
      if (admission.admitted) own?.admit(client);
      return admission;
    }
    sharing.countFallback();
    if (own !== undefined) return own.admit(client);
    throw new DomainError("overloaded", "The rate limit cannot be told just now", {
      retryAfter: 1,
    });
  }

  /** Nobody waits until it is taken back; if that fails, it counts until the window has passed. */
  withdraw(client: string, admission: Admission): void {
    const { shared, sharing, own } = this.#options;
    own?.withdraw(client, admission);
    if (admission.ticket === undefined) return;
    void sharing.attempt(() => shared.withdraw(client, admission));
  }
}
