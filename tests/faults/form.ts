/** How much of everything: CI runs a short form, `deno task test:faults` the full one. */

const IS_FULL = Deno.env.get("FAULTS") === "full";

/** What the form that runs is to use. */
export function form<Value>(short: Value, full: Value): Value {
  return IS_FULL ? full : short;
}

/** So many of `all`, the first and the last among them, evenly apart; all in the full form. */
export function sample<Item>(all: readonly Item[], count: number): Item[] {
  if (IS_FULL || all.length <= count) return [...all];
  return Array.from(
    { length: count },
    (_, place) => all[Math.round(place * (all.length - 1) / (count - 1))]!,
  );
}
