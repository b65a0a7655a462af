/** A body that is sent for as long as the other side takes it. */

import { connect } from "../blackbox/client.ts";

/** The size of a piece of a body, in bytes. */
export const PIECE = 16_384;

export class Upload implements Disposable {
  readonly #connection: Deno.Conn;
  /** Bytes that the system has taken. */
  sent = 0;

  private constructor(connection: Deno.Conn) {
    this.#connection = connection;
  }

  static async to(url: string): Promise<Upload> {
    return new Upload(await connect(url));
  }

  /** Sends a text. @throws when the connection has ended. */
  async send(text: string): Promise<void> {
    for (let rest = new TextEncoder().encode(text); rest.length > 0;) {
      const size = await this.#connection.write(rest);
      this.sent += size;
      rest = rest.subarray(size);
    }
  }

  /** Sends a piece again and again, until `most` bytes are sent or the connection has ended. */
  async repeat(piece: string, most: number): Promise<void> {
    try {
      while (this.sent < most) await this.send(piece);
    } catch {
      // it has ended
    }
  }

  /** What comes back next; nothing when the connection has ended, for whatever reason. */
  async receive(): Promise<string | undefined> {
    const buffer = new Uint8Array(PIECE);
    const size = await this.#connection.read(buffer).catch(() => null);
    return size === null ? undefined : new TextDecoder().decode(buffer.subarray(0, size));
  }

  [Symbol.dispose](): void {
    this.#connection[Symbol.dispose]();
  }
}
