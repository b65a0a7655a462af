/** What may be registered: the rules for names and addresses. */

import { z } from "zod";

/** A member of a request that is a string; says so by the member's name when it is not. */
export function textMember(name: string) {
  return z.string({
    error: ({ input }) => input === undefined ? `${name} is missing` : `${name} must be a string`,
  });
}

/** What may stand in the local part of an address between its dots (RFC 5322 §3.2.3). */
const ATOM = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+";

/** A part of a domain name (RFC 1123 §2.1). */
const LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?";

/** An address as it is written without quotes and brackets (RFC 5321 §4.1.2, Dot-string). */
const ADDRESS = new RegExp(`^(?=[^@]{1,64}@)${ATOM}(?:\\.${ATOM})*@(?:${LABEL}\\.)+${LABEL}$`);

/** A user to be: no colon in the name (RFC 7617 §2), no control character, no look-alikes. */
export const Registration = z.object({
  username: textMember("username").regex(
    /^[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}$/,
    "username must be 1 to 64 letters, digits or . _ @ + -, and begin with a letter or a digit",
  ),
  email: textMember("email").max(254, "email must have at most 254 characters")
    .regex(ADDRESS, "email must be an e-mail address"),
}, "The body must be a JSON object");
export type Registration = z.infer<typeof Registration>;
