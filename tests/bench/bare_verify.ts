/**
 * The least that a login can cost: for every line on standard input, checks the password of the
 * second argument against the hash of the first, and says the milliseconds on standard output.
 */

import { verify } from "@node-rs/argon2";

const [phc, password] = Deno.args as [string, string];

for await (const _line of Deno.stdin.readable) {
  const start = performance.now();
  if (!await verify(phc, password)) throw new Error("The password is right and is refused");
  const milliseconds = performance.now() - start;
  await Deno.stdout.write(new TextEncoder().encode(`${milliseconds}\n`));
}
