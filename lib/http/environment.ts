/** What the handlers of a request are given, and what they tell each other. */

import type { ClientAddress } from "../base/ip_address.ts";
import type { RequestIdentity } from "./request_context.ts";

/** Hono's environment. */
export interface AppEnv {
  /** What `Deno.serve` says of the request. */
  Bindings: { remoteAddr: { hostname: string } };
  Variables: { client: ClientAddress; request: RequestIdentity };
}
