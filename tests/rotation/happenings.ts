/** What may happen to keys over the years: any policy, outages, clocks set back, operators. */

import fc from "fast-check";
import { CLOCK_SKEW, type RotationPolicy } from "../../lib/rotation/policy.ts";

const DAY = 86_400;

/** Any policy that the configuration accepts. */
export const policies: fc.Arbitrary<RotationPolicy> = fc.record({
  prepublish: fc.integer({ min: 360, max: 3 * DAY }),
  beyond: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 60 * DAY })),
  lives: fc.oneof(
    fc.double({ min: 0, max: 1, noNaN: true }),
    fc.double({ min: 0, max: 6, noNaN: true }),
  ),
  retention: fc.integer({ min: 0, max: 30 * DAY }),
  expiredTokens: fc.boolean(),
}).map(({ beyond, lives, ...policy }) => {
  const rotation = policy.prepublish + beyond;
  return { ...policy, rotation, tokenTtl: 1 + Math.floor(lives * rotation), clockSkew: CLOCK_SKEW };
});

/** What happens next; lengths are in rotations, of which years are made. */
export type Event =
  | { kind: "run" | "outage" | "clock back"; rotations: number }
  | { kind: "reconfigure"; policy: RotationPolicy }
  | { kind: "rotate"; force: boolean }
  | { kind: "revoke"; place: number }
  | { kind: "import"; as: "passive" | "next" };

const lasting = <Kind extends string>(kind: Kind, max: number) =>
  fc.record({ kind: fc.constant(kind), rotations: fc.double({ min: 0, max, noNaN: true }) });

/** Months of running, outages of any length, restarts with another configuration. */
export const events: fc.Arbitrary<Event> = fc.oneof(
  { weight: 6, arbitrary: lasting("run", 4) },
  { weight: 3, arbitrary: lasting("outage", 0.9) },
  { weight: 2, arbitrary: lasting("outage", 5) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("reconfigure" as const), policy: policies }),
  },
);

/** A clock that is set back: by a time server, or by a machine without a battery. */
export const clockJumps: fc.Arbitrary<Event> = fc.oneof(
  lasting("clock back", 0.01),
  lasting("clock back", 3),
);

/** What an operator does between the other events. */
export const operations: fc.Arbitrary<Event> = fc.oneof(
  fc.record({ kind: fc.constant("rotate" as const), force: fc.boolean() }),
  fc.record({ kind: fc.constant("revoke" as const), place: fc.nat(5) }),
  fc.record({
    kind: fc.constant("import" as const),
    as: fc.constantFrom("passive" as const, "next" as const),
  }),
);
