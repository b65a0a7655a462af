/** How often a storage could not do what it was asked, by the reason. */

import { DomainError, isDomainError } from "../base/errors.ts";
import type { StorageFailure } from "./storage.ts";
import { Superseded } from "./superseded.ts";

export type FailureCounts = Record<StorageFailure, number>;

export function noFailures(): FailureCounts {
  return {
    locked: 0,
    full: 0,
    "read-only": 0,
    damaged: 0,
    altered: 0,
    unreachable: 0,
    other: 0,
  };
}

/** Counts an error; what the domain refuses by itself is no failure of the storage. */
export function countFailure(counts: FailureCounts, error: unknown): void {
  if (isDomainError(error, "storage_unavailable")) counts[error.data.fault!]++;
  else if (!(error instanceof DomainError || error instanceof Superseded)) counts.other++;
}
