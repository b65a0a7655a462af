/**
 * The least that a token by a signed assertion can cost: for every line on standard input, verifies a
 * signature of ES256 and makes one of RS256 with WebCrypto, and says the milliseconds.
 */

const data = new TextEncoder().encode("x".repeat(400));
const ecdsa = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const rsa = {
  name: "RSASSA-PKCS1-v1_5",
  modulusLength: 2048,
  publicExponent: new Uint8Array([1, 0, 1]),
  hash: "SHA-256",
};
const client = await crypto.subtle.generateKey(ecdsa, false, ["sign", "verify"]) as CryptoKeyPair;
const server = await crypto.subtle.generateKey(rsa, false, ["sign", "verify"]) as CryptoKeyPair;
const signature = await crypto.subtle.sign(ecdsa, client.privateKey, data);

for await (const _line of Deno.stdin.readable) {
  const start = performance.now();
  const isRight = await crypto.subtle.verify(ecdsa, client.publicKey, signature, data);
  if (!isRight) throw new Error("The signature is right and is refused");
  await crypto.subtle.sign(rsa, server.privateKey, data);
  const milliseconds = performance.now() - start;
  await Deno.stdout.write(new TextEncoder().encode(`${milliseconds}\n`));
}
