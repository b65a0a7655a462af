/** Sees to it that the server has the certificate that is in the files, and warns before it ends. */

import { type Clock, isoTime, numericDate } from "../base/clock.ts";
import { isDomainError } from "../base/errors.ts";
import { errorFields, type Log, type LogFields } from "../base/log.ts";
import { Rounds } from "../base/rounds.ts";
import type { CertifiedKey } from "../http/tls_front.ts";
import {
  type Certificate,
  type CertificateFiles,
  describeCertificate,
  readCertifiedKey,
} from "./certificate.ts";

/** How often the files are read, in milliseconds: no file system need tell of changes. */
const POLL_INTERVAL = 2000;

/** How long before its end a certificate is warned of, and how often, in milliseconds. */
const NOTICE = 14 * 86_400_000;
const REMINDER = 86_400_000;

export interface CertificateWatchParts {
  files: CertificateFiles;
  /** The one that the server has. */
  certificate: Certificate;
  server: { renew(certificate: CertifiedKey): void };
  clock: Clock;
  log: Log;
}

export class CertificateWatch {
  readonly #parts: CertificateWatchParts;
  #current: Certificate;
  readonly #rounds = new Rounds(() => this.run());
  /** Why what is in the files is not taken, as it was last told. */
  #refusal: string | undefined;
  /** When the end was warned of last. */
  #remindedAt = -Infinity;

  constructor(parts: CertificateWatchParts) {
    this.#parts = parts;
    this.#current = parts.certificate;
  }

  /** Tells the log of the certificate, and looks at the files from now on. */
  start(): void {
    this.#parts.log.info("the server speaks HTTPS", fieldsOf(this.#current));
    this.#remind();
    this.#rounds.start(POLL_INTERVAL);
  }

  /** Ends, and waits for the round that is under way. */
  async stop(): Promise<void> {
    await this.#rounds.stop();
  }

  /** One round. What cannot be used is not taken, told once, and tried again in the next. */
  async run(): Promise<void> {
    const { log } = this.#parts;
    try {
      await this.#renew();
      this.#refusal = undefined;
    } catch (error) {
      const reason = String(error);
      if (reason !== this.#refusal) {
        const fields = isDomainError(error) ? { error: error.message } : errorFields(error);
        log.error("the new certificate is not taken; the old one goes on", fields);
      }
      this.#refusal = reason;
    }
    this.#remind();
  }

  async #renew(): Promise<void> {
    const { files, server, log } = this.#parts;
    const found = await readCertifiedKey(files);
    if (found.cert === this.#current.cert && found.key === this.#current.key) return;
    const certificate = describeCertificate(found, files);
    server.renew(found);
    this.#current = certificate;
    this.#remindedAt = -Infinity;
    log.info("the certificate was renewed", fieldsOf(certificate));
  }

  #remind(): void {
    const { clock, log } = this.#parts;
    const now = clock();
    const { notAfter } = this.#current;
    if (notAfter - now > NOTICE || Math.abs(now - this.#remindedAt) < REMINDER) return;
    this.#remindedAt = now;
    const state = notAfter <= now ? "has ended: clients refuse it" : "ends soon";
    log.warn(`the certificate ${state}`, fieldsOf(this.#current));
  }
}

function fieldsOf({ names, notAfter }: Certificate): LogFields {
  return { names, ends: isoTime(numericDate(notAfter)) };
}
