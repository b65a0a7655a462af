/** The codes of errors as clients see them. */

import { ERROR_STATUS, UNKNOWN_FAILURE } from "../response.ts";

/** The codes of errors that a client may see. */
export type ErrorName = keyof typeof ERROR_STATUS | typeof UNKNOWN_FAILURE.code;

/** Each code with its status. */
export const STATUSES: Readonly<Record<ErrorName, number>> = {
  ...ERROR_STATUS,
  [UNKNOWN_FAILURE.code]: UNKNOWN_FAILURE.status,
};
