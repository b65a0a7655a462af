/** What stands where a server should: it takes requests, and does the same wrong with each. */

/** What becomes of a request: this answer, `undefined` for none, or `hangs` for none ever. */
export type Fault = { status: number } | "closes" | "hangs";

export class FaultyServer implements AsyncDisposable {
  /** The first line of each request, once all of it has arrived. */
  readonly requests: string[] = [];
  readonly #fault: Fault;
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #connections = new Set<Deno.Conn>();
  readonly #ended: Promise<void>;

  constructor(fault: Fault) {
    this.#fault = fault;
    this.#ended = this.#accept();
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const connection of this.#connections) connection.close();
    await this.#ended;
  }

  async #accept(): Promise<void> {
    const served: Promise<void>[] = [];
    for await (const connection of this.#listener) {
      this.#connections.add(connection);
      served.push(this.#serve(connection));
    }
    await Promise.all(served);
  }

  async #serve(connection: Deno.Conn): Promise<void> {
    const request = await receiveRequest(connection);
    if (request === undefined) return this.#close(connection);
    this.requests.push(request.split("\r\n", 1)[0]!);
    if (this.#fault === "hangs") return;
    if (this.#fault !== "closes") {
      const head = `HTTP/1.1 ${this.#fault.status} Fault\r\nContent-Length: 0\r\nConnection: close`;
      await connection.write(new TextEncoder().encode(`${head}\r\n\r\n`));
    }
    this.#close(connection);
  }

  #close(connection: Deno.Conn): void {
    if (this.#connections.delete(connection)) connection.close();
  }
}

/** `undefined` when the connection ends before. */
async function receiveRequest(connection: Deno.Conn): Promise<string | undefined> {
  let text = "";
  for (const buffer = new Uint8Array(16_384);;) {
    const size = await connection.read(buffer).catch(() => null); // closed, or reset
    if (size === null) return undefined;
    text += new TextDecoder().decode(buffer.subarray(0, size));
    const [head, body] = text.split("\r\n\r\n", 2);
    const length = Number(/^content-length: (\d+)$/mi.exec(head!)?.[1] ?? 0);
    if (body !== undefined && body.length >= length) return text;
  }
}
