/** The keys as anybody with the database and the secret can read them, with no code of the server. */

import { hashRaw } from "@node-rs/argon2";
import { base64url, compactDecrypt, decodeProtectedHeader, type JWK } from "jose";
import { type Directory, eventually, type Server } from "./harness.ts";

export interface KeyRow {
  kid: number;
  key: Uint8Array;
  exp: number;
}

/** What the protected header of a stored key says. */
export interface KeyHeader {
  alg: string;
  enc: string;
  cty: string;
  kid: string;
  sign_from: number;
  sign_until: number;
  exp: number;
}

export function keyRows(directory: Directory): KeyRow[] {
  return directory.query<KeyRow>("SELECT kid, key, exp FROM keys ORDER BY kid");
}

/** The header of a stored key, which is authenticated and not secret. */
export function keyHeader({ key }: KeyRow): KeyHeader {
  return decodeProtectedHeader(new TextDecoder().decode(key)) as unknown as KeyHeader;
}

/** The states of the keys as their headers tell them. */
export function keyStates(directory: Directory): string[] {
  const now = Date.now() / 1000;
  return keyRows(directory).map((row) => {
    const { sign_from: from, sign_until: until, exp } = keyHeader(row);
    if (from === until) return "born expired";
    if (now >= exp) return "expired";
    return now < from ? "next" : now < until ? "active" : "passive";
  }).sort();
}

/** Waits until a new server has made all of its first keys. */
export async function settled(server: Server): Promise<void> {
  await eventually("three keys in the table", async () => {
    const published = (await server.jwks()).json.keys.length;
    return published === 2 && keyStates(server.directory).length === 3 ? true : undefined;
  });
}

/** Opens every stored key with the secret, as the documentation says that any JOSE tool can. */
export async function openKeys(directory: Directory, secret: string): Promise<JWK[]> {
  const [row] = directory.query<{ value: Uint8Array }>(
    "SELECT value FROM meta WHERE name = 'kek_derivation'",
  );
  const derivation = JSON.parse(new TextDecoder().decode(row!.value));
  const kek = new Uint8Array(
    await hashRaw(secret, {
      salt: base64url.decode(derivation.salt),
      memoryCost: derivation.memoryKib,
      timeCost: derivation.passes,
      parallelism: derivation.lanes,
      outputLen: 32,
    }),
  );
  return await Promise.all(
    keyRows(directory).map(async ({ key }) => {
      const { plaintext } = await compactDecrypt(key, kek);
      return JSON.parse(new TextDecoder().decode(plaintext));
    }),
  );
}
