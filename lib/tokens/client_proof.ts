/** How a client proves who it is, whichever way the proof came. */

import type { Credentials } from "../accounts/accounts.ts";

/** A password (RFC 6749 §2.3.1), or an assertion signed with the client's key (RFC 7523 §2.2). */
export type ClientProof =
  | { method: "password"; credentials: Credentials }
  | {
    method: "assertion";
    assertion: string;
    /** The client that the request names beside it, which must be the same (RFC 7521 §4.2). */
    clientId: string | undefined;
  };
