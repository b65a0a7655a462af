/** The header `DPoP` (RFC 9449 §5): which key a token is to be bound to. */

import { DomainError } from "../base/errors.ts";
import type { Proof, ProofVerifier } from "../tokens/dpop.ts";
import { VerificationError } from "../tokens/verification_error.ts";

/**
 * The key that a request for a token proves to have; `undefined` when it proves none. The proof is
 * only used up by its `remember`, which tells in the same way that it was used before.
 *
 * @throws {DomainError} `invalid_dpop_proof` when it is not valid, or there is more than one, with
 * the reason as data for the log.
 */
export async function readBinding(
  headers: Headers,
  proofs: ProofVerifier,
  url: string,
): Promise<Proof | undefined> {
  const header = headers.get("dpop");
  if (header === null) return undefined;
  const { jkt, remember } = await proofs.verify(header, { method: "POST", url }).catch(refuse);
  return { jkt, remember: () => remember().catch(refuse) };
}

function refuse(error: unknown): never {
  if (!(error instanceof VerificationError)) throw error;
  const { reason, message: detail } = error;
  const data = { reason: `dpop_${reason}`, detail };
  throw new DomainError("invalid_dpop_proof", "The DPoP proof is not valid", data);
}
