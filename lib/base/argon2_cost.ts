/** The cost of Argon2id (RFC 9106), for passwords and for the key-encryption key. */

import { z } from "zod";

/** The cost of an Argon2id run. */
export interface Argon2Cost {
  memoryKib: number;
  passes: number;
  lanes: number;
}

/**
 * The most that is ever paid: what a row of the database asks for is obeyed only within these
 * bounds, so that nobody who can write there can ask for 8 GiB or for years.
 */
export const MOST_EXPENSIVE: Argon2Cost = { memoryKib: 1_048_576, passes: 64, lanes: 255 };

/** Memory that each lane needs at least, in KiB (RFC 9106 §3.1). */
export const KIB_A_LANE = 8;

/** RFC 9106 §4, the second recommended option. */
export const RECOMMENDED_COST: Argon2Cost = { memoryKib: 65_536, passes: 3, lanes: 4 };

/** A cost within the bounds. */
export const Argon2CostSchema = z.object({
  memoryKib: z.int().min(KIB_A_LANE).max(MOST_EXPENSIVE.memoryKib),
  passes: z.int().min(1).max(MOST_EXPENSIVE.passes),
  lanes: z.int().min(1).max(MOST_EXPENSIVE.lanes),
}).refine(({ memoryKib, lanes }) => memoryKib >= KIB_A_LANE * lanes);
