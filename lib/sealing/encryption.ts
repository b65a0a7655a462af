/**
 * Keys at rest. This room seals private keys, and obtains and changes the secret that they are
 * sealed under; it imports `lib/rotation`, `lib/storage` and `lib/base`. A private key is stored as an encrypted JWK (RFC 7517 §7), a compact JWE with
 * `alg: dir` and `enc: A256GCM`. Its times stand in the protected header, which GCM authenticates,
 * so that a row cannot be altered, swapped or brought back to life without being noticed.
 */

import { hashRaw } from "@node-rs/argon2";
import {
  base64url,
  compactDecrypt,
  type CompactDecryptResult,
  CompactEncrypt,
  decodeProtectedHeader,
  type JWK,
} from "jose";
import { z } from "zod";
import { type Argon2Cost, Argon2CostSchema, RECOMMENDED_COST } from "../base/argon2_cost.ts";
import { DomainError, keyUnreadable } from "../base/errors.ts";
import type { ScheduledKey } from "../rotation/policy.ts";
import type { KeyRecord } from "../storage/storage.ts";

/** How the key-encryption key comes from the secret: Argon2id, version 1.3. */
const Derivation = z.intersection(
  z.object({
    kdf: z.literal("argon2id"),
    /** At least 16 random bytes, base64url. */
    salt: z.string().regex(/^[A-Za-z0-9_-]{22,86}$/).refine((salt) => salt.length % 4 !== 1),
  }),
  Argon2CostSchema,
);
export type Derivation = z.infer<typeof Derivation>;

const CONTENT = { alg: "dir", enc: "A256GCM" } as const;
const ALLOWED = {
  keyManagementAlgorithms: [CONTENT.alg],
  contentEncryptionAlgorithms: [CONTENT.enc],
};
const CHECK_TEXT = "jwks-server key-encryption key";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/** A derivation with a fresh salt. */
export function createDerivation(cost: Argon2Cost = RECOMMENDED_COST): Derivation {
  const salt = base64url.encode(crypto.getRandomValues(new Uint8Array(16)));
  return { kdf: "argon2id", salt, ...cost };
}

/** A derivation as it is stored: JSON, without any secret. */
export function encodeDerivation(derivation: Derivation): Uint8Array {
  return encoder.encode(JSON.stringify(derivation));
}

/**
 * The stored derivation.
 *
 * @throws {DomainError} `database_unusable` when it is none, or asks for more memory or passes than
 * are ever spent.
 */
export function decodeDerivation(bytes: Uint8Array): Derivation {
  try {
    return Derivation.parse(JSON.parse(decoder.decode(bytes)));
  } catch {
    throw new DomainError(
      "database_unusable",
      "The database does not say soundly how its key comes from the secret (the row kek_derivation of the table meta)",
      { hints: ["the row was changed from outside: restore a backup; nothing was changed"] },
    );
  }
}

/** Derives the 256-bit key-encryption key; it cannot be exported. */
export async function deriveKeyEncryptionKey(
  secret: string,
  derivation: Derivation,
): Promise<CryptoKey> {
  const bytes = await hashRaw(secret, {
    salt: base64url.decode(derivation.salt),
    memoryCost: derivation.memoryKib,
    timeCost: derivation.passes,
    parallelism: derivation.lanes,
    outputLen: 32,
  });
  const raw = new Uint8Array(bytes);
  return await crypto.subtle.importKey("raw", raw, "AES-GCM", false, ["encrypt", "decrypt"]);
}

/** A value that only the same key-encryption key opens. */
export async function sealCheck(kek: CryptoKey): Promise<Uint8Array> {
  return encoder.encode(
    await new CompactEncrypt(encoder.encode(CHECK_TEXT)).setProtectedHeader(CONTENT).encrypt(kek),
  );
}

/** Whether `check` was sealed under this key-encryption key. */
export async function opensCheck(kek: CryptoKey, check: Uint8Array): Promise<boolean> {
  try {
    const { plaintext } = await compactDecrypt(check, kek, ALLOWED);
    return decoder.decode(plaintext) === CHECK_TEXT;
  } catch {
    return false; // whatever the reason, this key does not open it
  }
}

/** Seals a private JWK together with its schedule. */
export async function sealKey(
  kek: CryptoKey,
  { id, signFrom, signUntil, exp, revokedAt }: ScheduledKey,
  jwk: JWK,
): Promise<KeyRecord> {
  const header = {
    ...CONTENT,
    cty: "jwk+json",
    kid: String(id),
    sign_from: signFrom,
    sign_until: signUntil,
    exp,
    ...(revokedAt === undefined ? {} : { revoked_at: revokedAt }),
  };
  const jwe = await new CompactEncrypt(encoder.encode(JSON.stringify(jwk)))
    .setProtectedHeader(header)
    .encrypt(kek);
  return { id, key: encoder.encode(jwe), exp };
}

/**
 * Opens a stored key.
 *
 * @throws {DomainError} `key_unreadable` when the row was altered, belongs to another key, or was sealed
 * under another key-encryption key.
 */
export async function openKey(
  kek: CryptoKey,
  record: KeyRecord,
): Promise<{ schedule: ScheduledKey; jwk: JWK }> {
  const { header, jwk } = await decryptKey(kek, record);
  return { schedule: scheduleOf(header, record), jwk };
}

/**
 * The schedule in a stored key's header, which only `openKey` proves to be the one that was sealed.
 *
 * @throws {DomainError} `key_unreadable` when the header is not that of the row.
 */
export function readSchedule(record: KeyRecord): ScheduledKey {
  return scheduleOf(decodeProtectedHeader(compactJwe(record)), record);
}

function scheduleOf(header: Record<string, unknown>, record: KeyRecord): ScheduledKey {
  const { kid, sign_from: signFrom, sign_until: signUntil, exp, revoked_at: revokedAt } = header;
  if (kid !== String(record.id)) {
    throw keyUnreadable(record.id, `its content is that of key ${kid}`);
  }
  if (exp !== record.exp) {
    throw keyUnreadable(
      record.id,
      `exp is ${record.exp} in the row and ${exp} when sealed`,
    );
  }
  const times = Times.safeParse({ signFrom, signUntil, exp, revokedAt });
  if (!times.success) throw keyUnreadable(record.id, "its schedule is not whole");
  return { id: record.id, ...times.data };
}

/** The times in the protected header, in seconds since the epoch. */
const Times = z.object({
  signFrom: z.int(),
  signUntil: z.int(),
  exp: z.int(),
  revokedAt: z.int().optional(),
});

async function decryptKey(kek: CryptoKey, record: KeyRecord) {
  const jwe = compactJwe(record);
  let decrypted: CompactDecryptResult;
  try {
    decrypted = await compactDecrypt(jwe, kek, ALLOWED);
  } catch (error) {
    const reason = "it does not decrypt, so it was altered or sealed under another secret";
    throw keyUnreadable(record.id, reason, error);
  }
  try {
    const jwk: JWK = JSON.parse(decoder.decode(decrypted.plaintext));
    return { header: decrypted.protectedHeader as Record<string, unknown>, jwk };
  } catch {
    // The parser's words quote the content: they go no further.
    throw keyUnreadable(record.id, "its content is not a JWK");
  }
}

/**
 * The stored text, which must be the very one that was written: base64url has bits that decoders
 * ignore (RFC 4648 §3.5), and GCM only sees what they decode.
 */
function compactJwe({ id, key }: KeyRecord): string {
  const text = key instanceof Uint8Array ? new TextDecoder().decode(key) : "";
  const isCanonical = text.split(".").every((part) => {
    try {
      return base64url.encode(base64url.decode(part)) === part;
    } catch {
      return false;
    }
  });
  if (text !== "" && isCanonical) return text;
  throw keyUnreadable(id, "it is not a JWE as it was stored, so it was altered");
}
