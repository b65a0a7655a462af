/**
 * What the server counts and measures. Events are told to it; everything else is read, whenever it
 * is asked for, from numbers that the parts keep anyway. Labels have few values, whatever clients
 * send.
 */

import project from "../../deno.json" with { type: "json" };
import type { AuthenticationOutcome, Observer, TokenGrantName } from "../http/observer.ts";
import { createRouteName, methodName, type RouteName } from "../http/route_name.ts";
import { Durations } from "./durations.ts";
import { Instruments, type Labels } from "./instruments.ts";
import { measureProcess } from "./process_metrics.ts";
import { readParts, type WatchedParts } from "./watched_parts.ts";

/** Upper bounds in seconds: a JWK set takes less than a millisecond, a password a tenth of a second. */
const ANSWER_BUCKETS = [
  ...[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05],
  ...[0.1, 0.25, 0.5, 1, 2.5, 5, 10],
];
const WAIT_BUCKETS = [0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 1.5, 2];

const OUTCOMES: readonly AuthenticationOutcome[] = [
  "succeeded",
  "refused",
  "denied",
  "limited",
  "overloaded",
  "failed",
];
const GRANTS: readonly TokenGrantName[] = ["password", "expired", "client_credentials", "test"];
const LIMITED: readonly RouteName[] = ["/register", "/auth", "/token", "/introspect", "/password"];

/** The answers of one route to one method with one status. */
interface Answers {
  labels: Labels;
  count: number;
  /** Shared by all answers of the route. */
  durations: Durations;
}

export class Metrics implements Observer {
  readonly #instruments = new Instruments();
  readonly #routeName: (request: Request) => RouteName;
  /** The answers by route, method and status. */
  readonly #answers = new Map<string, Answers>();
  readonly #durations = new Map<RouteName, Durations>();
  /** What was answered last: the next answer is most likely one of the same. */
  #last: { url: string; method: string; status: number; answers: Answers } | undefined;
  readonly #waits = new Durations(WAIT_BUCKETS);
  readonly #tokens;
  readonly #authentications;
  readonly #limited;

  /** @param issuer the URL of the server whose routes are counted. */
  constructor(issuer: string) {
    this.#routeName = createRouteName(issuer);
    const made = this.#instruments;
    const { deno, v8 } = Deno.version;
    made.info("jwks_build_info", "What runs.", { version: project.version, deno, v8 });
    made.readCounter(
      "jwks_http_requests_total",
      "Requests that were answered.",
      () => [...this.#answers.values()].map(({ labels, count }) => [labels, count]),
    );
    made.readHistogram(
      "jwks_http_request_duration_seconds",
      "Time from a request's headers to its answer.",
      () => [...this.#durations].map(([route, durations]) => [{ route }, durations]),
    );
    this.#tokens = made.counter("jwks_tokens_issued_total", "Tokens issued.", ["grant", "alg"]);
    this.#authentications = made.counter(
      "jwks_authentications_total",
      "Authentications by how they ended.",
      ["outcome"],
    );
    made.readHistogram(
      "jwks_password_hash_wait_seconds",
      "Time that a password waited for its turn.",
      () => [[{}, this.#waits]],
    );
    this.#limited = made.counter("jwks_rate_limited_total", "Requests over the rate limit.", [
      "route",
    ]);
    // What never happened is 0 and not unknown, so that its first time counts as an increase.
    for (const outcome of OUTCOMES) this.#authentications.inc({ outcome }, 0);
    for (const route of LIMITED) this.#limited.inc({ route }, 0);
    measureProcess(made);
  }

  get contentType(): string {
    return this.#instruments.contentType;
  }

  /** All metrics as text. */
  readonly render = (): Promise<string> => this.#instruments.render();

  answered(request: Request, status: number, milliseconds: number): void {
    const { url, method } = request;
    const last = this.#last;
    const isSame = last?.url === url && last.method === method && last.status === status;
    const answers = isSame ? last.answers : this.#answersTo(request, status);
    if (!isSame) this.#last = { url, method, status, answers };
    answers.count++;
    answers.durations.add(milliseconds / 1000);
  }

  #answersTo(request: Request, status: number): Answers {
    const route = this.#routeName(request);
    const method = methodName(request);
    const key = `${route} ${method} ${status}`;
    return this.#answers.get(key) ?? this.#first(key, { route, method, status });
  }

  limited(request: Request): void {
    this.#limited.inc({ route: this.#routeName(request) });
  }

  authenticated(outcome: AuthenticationOutcome): void {
    this.#authentications.inc({ outcome });
  }

  issued(grant: TokenGrantName, alg: string): void {
    this.#tokens.inc({ grant, alg });
  }

  /** Is told for how many milliseconds a password has waited. */
  readonly waited = (milliseconds: number): void => this.#waits.add(milliseconds / 1000);

  /** Reads the numbers of these parts from now on; called once. */
  watch(parts: WatchedParts): void {
    for (const grant of GRANTS) this.#tokens.inc({ grant, alg: parts.ring.policy.alg }, 0);
    readParts(this.#instruments, parts);
  }

  #first(
    key: string,
    { route, method, status }: { route: RouteName; method: string; status: number },
  ): Answers {
    const durations = this.#durations.get(route) ?? new Durations(ANSWER_BUCKETS);
    this.#durations.set(route, durations);
    const answers = { labels: { route, method, status: String(status) }, count: 0, durations };
    this.#answers.set(key, answers);
    return answers;
  }
}
