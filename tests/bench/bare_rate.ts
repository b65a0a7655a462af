/**
 * What the costly part of a login can do alone: `verify PHC PASSWORD` checks passwords, `sign ALG`
 * signs as a token is. For every line on standard input it says the works a second at the
 * concurrency at which there are most.
 */

import { verify } from "@node-rs/argon2";

const CONCURRENCIES = [1, 2, 4, 8, 32];

/** For how long each is tried, in milliseconds. */
const WHILE = 600;

/** As many bytes as are signed of a token. */
const SIGNED = new Uint8Array(380);

const WORKS: Record<string, (...args: string[]) => Promise<() => Promise<unknown>>> = {
  async verify(phc, password) {
    const check = () => verify(phc!, password!);
    if (!await check()) throw new Error("The password is right and is refused");
    return check;
  },
  async sign(alg) {
    const { generating, signing } = {
      RS256: {
        generating: {
          name: "RSASSA-PKCS1-v1_5",
          modulusLength: 2048,
          publicExponent: new Uint8Array([1, 0, 1]),
          hash: "SHA-256",
        },
        signing: "RSASSA-PKCS1-v1_5",
      },
      EdDSA: { generating: { name: "Ed25519" }, signing: "Ed25519" },
    }[alg!]!;
    const pair = await crypto.subtle.generateKey(
      generating as RsaHashedKeyGenParams,
      false,
      ["sign", "verify"],
    );
    const { privateKey } = pair;
    return () => crypto.subtle.sign(signing, privateKey, SIGNED);
  },
};

const [name, ...args] = Deno.args;
const work = await WORKS[name!]!(...args);

for await (const _line of Deno.stdin.readable) {
  const rates = [];
  for (const concurrency of CONCURRENCIES) rates.push(await rateAt(concurrency));
  await Deno.stdout.write(new TextEncoder().encode(`${Math.max(...rates)}\n`));
}

async function rateAt(concurrency: number): Promise<number> {
  const start = performance.now();
  let done = 0;
  await Promise.all(Array.from({ length: concurrency }, async () => {
    while (performance.now() - start < WHILE) {
      await work();
      done++;
    }
  }));
  return done / (performance.now() - start) * 1000;
}
