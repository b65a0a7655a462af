/** The certificate with which the server speaks HTTPS: read from its files, and found right. */

import { createPrivateKey, X509Certificate } from "node:crypto";
import type { CertifiedKey } from "../http/tls_front.ts";
import { readPem, unusable } from "./pem_file.ts";

/** Where a certificate and its key are. */
export interface CertificateFiles {
  certFile: string;
  keyFile: string;
}

/** A certificate that can be used, and what it says of itself. */
export interface Certificate extends CertifiedKey {
  /** For whom it is, as text. */
  names: string;
  /** From when and until when it is valid, in milliseconds since the epoch. */
  notBefore: number;
  notAfter: number;
}

/**
 * Reads a certificate and its key.
 *
 * @throws {DomainError} `configuration`, by the variable's name and without a word of the key, when
 * one of them cannot be read or used, or when they do not belong together.
 */
export async function readCertificate(files: CertificateFiles): Promise<Certificate> {
  return describeCertificate(await readCertifiedKey(files), files);
}

/** What stands in both files, right or not. @throws as `readCertificate` does. */
export async function readCertifiedKey(files: CertificateFiles): Promise<CertifiedKey> {
  return {
    cert: await readPem("TLS_CERT_FILE", files.certFile),
    key: await readPem("TLS_KEY_FILE", files.keyFile),
  };
}

/** What a certificate says of itself, if it can be used. @throws as `readCertificate` does. */
export function describeCertificate(pair: CertifiedKey, files: CertificateFiles): Certificate {
  const certificate = parseCertificate(pair.cert, files.certFile);
  assertKey(pair.key, files.keyFile);
  assertUsable(pair, files);
  return {
    ...pair,
    names: certificate.subjectAltName ?? certificate.subject, // Deno 2.4 does not tell the first
    notBefore: Date.parse(certificate.validFrom),
    notAfter: Date.parse(certificate.validTo),
  };
}

function parseCertificate(cert: string, file: string): X509Certificate {
  try {
    return new X509Certificate(cert);
  } catch {
    throw unusable(
      `The file ${file} of TLS_CERT_FILE does not begin with a certificate in PEM`,
      "it must hold the server's certificate, and then those that lead to its issuer",
    );
  }
}

/** The library's words are left out: they might quote the key. */
function assertKey(key: string, file: string): void {
  try {
    createPrivateKey(key);
  } catch {
    throw unusable(
      `The file ${file} of TLS_KEY_FILE is not a private key in PEM`,
      "it must hold the certificate's private key, without a passphrase",
    );
  }
}

/** Whether TLS itself takes both, which it tells when it begins to listen. */
function assertUsable(pair: CertifiedKey, { certFile, keyFile }: CertificateFiles): void {
  try {
    Deno.listenTls({ hostname: "127.0.0.1", port: 0, ...pair }).close();
  } catch {
    throw unusable(
      `The certificate ${certFile} of TLS_CERT_FILE and the key ${keyFile} of TLS_KEY_FILE cannot be used together`,
      "name a certificate and the key that it was made for: RSA of 2048 bits or more, EC or Ed25519",
    );
  }
}
