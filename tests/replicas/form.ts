/** How much of everything: a short form by default, the whole of it with `REPLICAS=full`. */

const IS_FULL = Deno.env.get("REPLICAS") === "full";

/** What the form that runs is to use. */
export function form<Value>(short: Value, full: Value): Value {
  return IS_FULL ? full : short;
}
