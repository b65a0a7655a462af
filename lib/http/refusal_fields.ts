/** What a line of the log says of why a request was refused. */

import { isDomainError } from "../base/errors.ts";
import type { LogFields } from "../base/log.ts";

/** A stable word, and where the error has more to say than its code, that in a clause. */
export function refusalFields(error: unknown): LogFields {
  if (!isDomainError(error)) return {};
  const { reason = error.code, detail } = error.data;
  return { reason, ...(detail === undefined ? {} : { detail }) };
}
