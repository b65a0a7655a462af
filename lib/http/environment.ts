/** What the handlers of a request are given, and what they tell each other. */

import type { ClientAddress } from "../base/ip_address.ts";

/** Which request it is, in the log. */
export interface RequestIdentity {
  id: string;
  /** The trace that its client says it belongs to (W3C Trace Context). */
  traceId: string | undefined;
}

/** Hono's environment. */
export interface AppEnv {
  /** What `Deno.serve` says of the request. */
  Bindings: { remoteAddr: { hostname: string } };
  Variables: { client: ClientAddress; request: RequestIdentity };
}
