/** The one error of keys from elsewhere that may not join the ring. */

import { DomainError } from "../base/errors.ts";

/** For a key whose numbers contradict each other. */
export const DAMAGED = "it is damaged, or its halves do not belong together";

/** `reason` is a clause on the key or its file that quotes nothing private of it. */
export function refused(reason: string, hint?: string): DomainError {
  return new DomainError("key_refused", `The key is refused: ${reason}`, {
    hints: hint === undefined ? [] : [hint],
  });
}
