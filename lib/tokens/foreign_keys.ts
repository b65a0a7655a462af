/** Keys that are in no ring: they forge test tokens, and nobody publishes or stores them. */

import type { SigningAlgorithm } from "../keys/algorithms.ts";
import { makeEphemeralKey, type SigningKey } from "../keys/signing_key.ts";

/** The foreign key for an algorithm, the same one each time. @throws as `make` does. */
export type ForeignKey = (alg: SigningAlgorithm) => Promise<SigningKey>;

/** Makes each key when it is first asked for. */
export function createForeignKeys(make: ForeignKey = makeEphemeralKey): ForeignKey {
  const keys = new Map<SigningAlgorithm, Promise<SigningKey>>();
  return (alg) => {
    const known = keys.get(alg);
    if (known !== undefined) return known;
    const key = make(alg);
    keys.set(alg, key);
    key.catch(() => keys.delete(alg)); // told to who asked; the next one may have more luck
    return key;
  };
}
