/** What somebody who tests a verifier may ask of a token, and what of that excludes each other. */

import { DomainError } from "../base/errors.ts";
import { type DefectName, DEFECTS } from "./defects.ts";

/** A token that is not as usual; what is left out is. */
export interface TestWish {
  /** The one way in which it is wrong. */
  defect?: DefectName | undefined;
  /** Claims that are added, or said otherwise; those that are `null` are left out (RFC 7396). */
  claims?: Readonly<Record<string, unknown>> | undefined;
  /** In how many seconds from now it ends; or has ended, when negative. */
  expiresIn?: number | undefined;
  /** Since when it is said to be there, in seconds since the epoch. */
  issuedAt?: number | undefined;
}

const YEAR = 365 * 86_400;

/** How far from now a test token may end, in seconds: beyond 2038, where some clocks stop. */
export const FARTHEST_END = 50 * YEAR;

/** The last second that four digits for the year can tell, in seconds since the epoch. */
export const LATEST_ISSUE = 253_402_300_799;

/**
 * Sees that no claim is decided on twice.
 *
 * @throws {DomainError} `invalid_request` that names the claim.
 */
export function assertConsistent({ defect, claims = {}, expiresIn, issuedAt }: TestWish): void {
  const decided = [
    ...(defect === undefined ? [] : DEFECTS[defect].claims),
    ...(expiresIn === undefined ? [] : ["exp"]),
    ...(issuedAt === undefined ? [] : ["iat"]),
    ...Object.keys(claims),
  ];
  const twice = decided.find((name, place) => decided.indexOf(name) !== place);
  if (twice === undefined) return;
  throw new DomainError("invalid_request", `The request decides on the claim ${twice} in two ways`);
}
