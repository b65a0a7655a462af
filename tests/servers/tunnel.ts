/** A way to a server that breaks as networks do. */

/** What becomes of what is said on a connection. */
type Way = "open" | "silent" | "closing";

export class Tunnel implements AsyncDisposable {
  readonly #listener: Deno.TcpListener;
  readonly #passages = new Set<Passage>();
  readonly #target: number;
  #lost: string | undefined;

  /** Leads from an address of this machine to a port of it. */
  constructor(target: number, hostname = "127.0.0.1") {
    this.#target = target;
    this.#listener = Deno.listen({ hostname, port: 0 });
    this.#accept();
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  /** The URL that leads through it, for one that leads to the server. */
  through(url: string): string {
    return url.replace(`:${this.#target}/`, `:${this.port}/`);
  }

  /** On today's connections nothing arrives any more, and nobody is told. */
  silence(): void {
    for (const passage of this.#passages) passage.way = "silent";
  }

  /** Today's connections are no more, which shows when something is said. */
  hangUp(): void {
    for (const passage of this.#passages) passage.way = "closing";
  }

  /** The next time that this is said, it arrives, but instead of the answer comes the end. */
  loseAnswerTo(text: string): void {
    this.#lost = text;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await Promise.all([...this.#passages].map((passage) => passage.close()));
  }

  async #accept(): Promise<void> {
    for await (const client of this.#listener) {
      const server = await this.#connect();
      if (server === undefined) {
        client.close();
        continue;
      }
      const passage = new Passage(client, server, (said) => this.#isLost(said));
      this.#passages.add(passage);
      passage.ended.then(() => this.#passages.delete(passage));
    }
  }

  async #connect(): Promise<Deno.Conn | undefined> {
    try {
      return await Deno.connect({ hostname: "127.0.0.1", port: this.#target });
    } catch {
      return undefined; // nobody is there
    }
  }

  #isLost(said: string): boolean {
    if (this.#lost === undefined || !said.includes(this.#lost)) return false;
    this.#lost = undefined;
    return true;
  }
}

/** One connection through it. */
class Passage {
  way: Way = "open";
  /** Resolves when both of its ends are closed. */
  readonly ended: Promise<void>;
  readonly #client: Deno.Conn;
  readonly #server: Deno.Conn;
  readonly #isLost: (said: string) => boolean;
  #losesAnswer = false;
  readonly #over = Promise.withResolvers<void>();
  #isClosed = false;

  constructor(client: Deno.Conn, server: Deno.Conn, isLost: (said: string) => boolean) {
    this.#client = client;
    this.#server = server;
    this.#isLost = isLost;
    this.ended = this.#run();
  }

  /** Lasts until one of the two hangs up, or the way does. */
  async #run(): Promise<void> {
    await Promise.race([this.#carry(), this.#carryBack()]);
    this.#hangUp();
  }

  async #carry(): Promise<void> {
    for await (const bytes of chunks(this.#client)) {
      if (this.way === "closing") return;
      if (this.way === "silent") continue;
      this.#losesAnswer ||= this.#isLost(new TextDecoder().decode(bytes));
      await write(this.#server, bytes);
    }
    if (this.way === "silent") await this.#over.promise; // not even a goodbye arrives
  }

  async #carryBack(): Promise<void> {
    for await (const bytes of chunks(this.#server)) {
      if (this.#losesAnswer) return;
      if (this.way === "open") await write(this.#client, bytes);
    }
  }

  async close(): Promise<void> {
    this.#hangUp();
    await this.ended;
  }

  #hangUp(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#over.resolve();
    this.#client.close();
    this.#server.close();
  }
}

/** What arrives, until the end of the connection, of whatever kind. */
async function* chunks(connection: Deno.Conn): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(65_536);
  for (;;) {
    const count = await connection.read(buffer).catch(() => null);
    if (count === null) return;
    yield buffer.slice(0, count);
  }
}

/** To one that is no more nothing is written. */
async function write(connection: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let rest = bytes; rest.length > 0;) {
    const count = await connection.write(rest).catch(() => rest.length);
    rest = rest.subarray(count);
  }
}
