/** What a client of the server can do, from the client address of its choice. */

/** A response whose body has been read. */
export interface Answer {
  status: number;
  headers: Headers;
  bytes: Uint8Array;
  text: string;
  /** The body as JSON; `undefined` when it is something else. */
  // deno-lint-ignore no-explicit-any -- tests look into whatever came
  json: any;
}

export interface Credentials {
  username: string;
  password: string;
}

/** Looks at an answer, and throws when it is not as it must be. */
export type Witness = (asked: { method: string; path: string }, answer: Answer) => void;

/** Sends requests; on Linux every address of 127.0.0.0/8 can be a client's. */
export class Client implements Disposable {
  readonly url: string;
  /** Is shown every answer, with the request that it answers. */
  readonly #witness: Witness | undefined;
  readonly #http: Deno.HttpClient | undefined;

  constructor(url: string, localAddress?: string, witness?: Witness) {
    this.url = url;
    this.#witness = witness;
    this.#http = localAddress === undefined ? undefined : Deno.createHttpClient({ localAddress });
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  async request(path: string, init: RequestInit = {}): Promise<Answer> {
    const client = this.#http === undefined ? {} : { client: this.#http };
    const response = await fetch(this.url + path, { redirect: "manual", ...client, ...init });
    const bytes = await response.bytes();
    const text = new TextDecoder().decode(bytes);
    const answer = {
      status: response.status,
      headers: response.headers,
      bytes,
      text,
      json: parseJson(text),
    };
    const asked = { method: init.method ?? "GET", path: new URL(this.url + path).pathname };
    this.#witness?.(asked, answer);
    return answer;
  }

  /** Posts a string or bytes as they are, anything else as JSON. */
  post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const isRaw = typeof body === "string" || body instanceof Uint8Array;
    return this.request(path, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: isRaw ? body as BodyInit : JSON.stringify(body),
    });
  }

  /** Gets the JWK set as it is: what compresses it on the way makes another entity of it. */
  jwks(headers: Record<string, string> = {}): Promise<Answer> {
    const own = { "accept-encoding": "identity", ...headers };
    return this.request("/.well-known/jwks.json", { headers: own });
  }

  /** Registers a user, by default one that nobody has registered before. */
  async register(
    username = `user-${crypto.randomUUID()}`,
    email = `${username}@example.com`,
  ): Promise<Credentials & { email: string }> {
    const answer = await this.post("/register", { username, email });
    if (answer.status !== 201) throw new Error(`/register answers ${answer.status} ${answer.text}`);
    return { username, email, password: answer.json.password };
  }

  login({ username, password }: Credentials): Promise<Answer> {
    return this.post("/auth", { username, password });
  }

  /** Logs in and gives the token. */
  async token(credentials: Credentials): Promise<string> {
    const answer = await this.login(credentials);
    if (answer.status !== 200) throw new Error(`/auth answers ${answer.status} ${answer.text}`);
    return answer.json.token;
  }

  [Symbol.dispose](): void {
    this.#http?.close();
  }
}

/** Sends bytes over a connection of their own, and gives the response as it stands on the wire. */
export async function exchange(url: string, request: string | Uint8Array): Promise<string> {
  using connection = await connect(url);
  await send(connection, request);
  return await receive(connection);
}

/** A connection that keeps what it is asked to send in the order and the pieces of its caller. */
export async function connect(url: string): Promise<Deno.TcpConn> {
  const { hostname, port } = new URL(url);
  return await Deno.connect({ hostname, port: Number(port) });
}

/** Sends bytes, or as many of them as the server still takes. */
export async function send(connection: Deno.Conn, data: string | Uint8Array): Promise<void> {
  let bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
  try {
    while (bytes.length > 0) bytes = bytes.subarray(await connection.write(bytes));
  } catch (error) {
    if (
      !(error instanceof Deno.errors.BrokenPipe || error instanceof Deno.errors.ConnectionReset)
    ) {
      throw error;
    }
  }
}

/** Receives one response with a Content-Length, or what arrives until the connection ends. */
export async function receive(connection: Deno.Conn): Promise<string> {
  let text = "";
  for (const buffer = new Uint8Array(16_384);;) {
    const size = await connection.read(buffer).catch(() => null); // reset: nothing more will come
    if (size === null) return text;
    text += String.fromCharCode(...buffer.subarray(0, size));
    const [head, body] = text.split("\r\n\r\n", 2);
    const length = /^content-length: (\d+)$/mi.exec(head!)?.[1];
    if (body !== undefined && body.length === Number(length)) return text;
  }
}

/** Status and body of a response as it stands on the wire. */
export function parseResponse(response: string): { status: number; body: string } {
  const [head, body] = response.split("\r\n\r\n", 2);
  return { status: Number(/^HTTP\/1\.1 (\d{3})/.exec(head!)?.[1]), body: body ?? "" };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
