/** Clients that keep logging in at every replica, and what each of them was told. */

import { eventually, type Server } from "../blackbox/harness.ts";
import type { Answer, Credentials } from "../blackbox/client.ts";
import { kidOf, NOTICED, publishedKids } from "../blackbox/commands.ts";
import type { Replicas } from "./replicas.ts";

/** How many clients each replica has, when nothing is said of it. */
const CLIENTS = 2;

/** How long a client that was not served waits, in milliseconds: less than servers ask for. */
const PAUSE = 50;

/** After so many logins a client registers as a new user. */
const LOGINS_A_USER = 10;

/** What a replica said to a login or a registration. */
export interface Told {
  /** 0 when it was silent: its connection has ended. */
  status: number;
  /** Moments of the request and the answer, in milliseconds since the epoch. */
  begun: number;
  ended: number;
  server: Server;
  username: string;
  /** What it gave, if it gave any. */
  token?: string | undefined;
}

export interface LoadOptions {
  /** Whether a key that signs must be in the JWKS of every replica; not so when keys are revoked. */
  isPublished?: boolean;
  /** How many clients each replica has. */
  clients?: number;
}

export class Load {
  readonly told: Told[] = [];
  /** Whoever was told that it is registered. */
  readonly users: Credentials[] = [];
  readonly #replicas: Replicas;
  readonly #isPublished: boolean;
  readonly #known = new Set<string>();
  readonly #work: Promise<void>[];
  #isOver = false;

  /** Begins at once. */
  constructor(replicas: Replicas, { isPublished = true, clients = CLIENTS }: LoadOptions = {}) {
    this.#replicas = replicas;
    this.#isPublished = isPublished;
    this.#work = replicas.servers.flatMap((_, place) =>
      Array.from({ length: clients }, () => this.#keepOn(place))
    );
    for (const work of this.#work) work.catch(() => this.#isOver = true); // `stop` tells of it
  }

  /** The tokens that were given. */
  get tokens(): string[] {
    return this.told.flatMap(({ token }) => token ?? []);
  }

  /** Ends when every client has its answer. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#work);
  }

  /** Waits until so many more tokens were given. */
  async give(count: number): Promise<void> {
    const enough = this.tokens.length + count;
    await eventually(`${count} more tokens`, () => this.tokens.length >= enough || undefined);
  }

  /** A client of the replica at this place, whichever it is then. */
  async #keepOn(place: number): Promise<void> {
    while (!this.#isOver) {
      const user = await this.#register(place);
      for (let login = 0; user && login < LOGINS_A_USER && !this.#isOver; login++) {
        await this.#login(place, user);
      }
    }
  }

  async #register(place: number): Promise<Credentials | undefined> {
    const username = `user-${crypto.randomUUID()}`;
    const body = { username, email: `${username}@example.com` };
    const answer = await this.#ask(place, username, (server) => server.post("/register", body));
    if (answer?.status !== 201) return undefined;
    const user = { username, password: answer.json.password };
    this.users.push(user);
    return user;
  }

  async #login(place: number, user: Credentials): Promise<void> {
    const answer = await this.#ask(place, user.username, (server) => server.login(user));
    if (answer?.status !== 200) return;
    await this.#see(kidOf(answer.json.token), this.#replicas.servers[place]!);
  }

  async #ask(
    place: number,
    username: string,
    ask: (server: Server) => Promise<Answer>,
  ): Promise<Answer | undefined> {
    const server = this.#replicas.servers[place]!;
    const begun = Date.now();
    const answer = await ask(server).catch((error) => {
      if (error instanceof TypeError) return undefined;
      throw error;
    });
    const { status = 0, json } = answer ?? {};
    const ended = Date.now();
    this.told.push({ status, begun, ended, server, username, token: json?.token });
    if (!answer || answer.status >= 400) await new Promise((go) => setTimeout(go, PAUSE));
    return answer;
  }

  /** A key that signs is published by the replica it signs at, and by the others when they look. */
  async #see(kid: string, signer: Server): Promise<void> {
    const seen = `${kid} ${signer.pid}`;
    if (!this.#isPublished || this.#known.has(seen)) return;
    this.#known.add(seen);
    const own = await publishedKids(signer);
    if (!own.includes(kid)) throw new Error(`A replica signs with ${kid} and publishes ${own}`);
    for (const server of this.#replicas.servers) {
      await eventually(
        `${server.url} publishes ${kid}`,
        async () => (await publishedKids(server)).includes(kid) || undefined,
        NOTICED,
      );
    }
  }
}
