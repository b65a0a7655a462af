import assert from "node:assert/strict";
import fc from "fast-check";
import { isDomainError } from "../../lib/base/errors.ts";
import { MOST_EXPENSIVE } from "../../lib/base/argon2_cost.ts";
import { readSecret } from "../../lib/server/config.ts";
import { SETTINGS } from "../../lib/server/settings.ts";
import { FILES } from "../../lib/server/url_file.ts";
import { load, problemsOf } from "./loaded.ts";

const NAMES = Object.keys(SETTINGS) as (keyof typeof SETTINGS)[];
/** The file of a value is read at once: what is wrong with it is another test's. */
const PLAIN = NAMES.filter((name) =>
  !SETTINGS[name].isSecret && !Object.values(FILES).includes(name)
);

/** A value for each variable that would be right. */
const RIGHT: Partial<Record<keyof typeof SETTINGS, string>> = {
  NOT_MY_KEY_FILE: "secret",
  DATABASE_CA_FILE: "ca.pem",
  CLIENTS_FILE: "clients.json",
  TLS_CERT_FILE: "cert.pem",
  TLS_KEY_FILE: "key.pem",
  ISSUER: "https://tokens.example",
  JWKS_URI: "https://keys.example/jwks.json",
  AUDIENCE: "orders",
  TRUSTED_PROXIES: "10.0.0.0/8",
  REDIS_URL: "rediss://cache.example",
  REDIS_CA_FILE: "ca.pem",
  METRICS_ADDRESS: "127.0.0.1:9464",
  LOG_FORMAT: "text",
};

/** What must be set beside a variable. */
const BESIDE: Partial<Record<keyof typeof SETTINGS, Record<string, string>>> = {
  TLS_CERT_FILE: { TLS_KEY_FILE: "key.pem" },
  TLS_KEY_FILE: { TLS_CERT_FILE: "cert.pem" },
  DATABASE_CA_FILE: { DATABASE: "postgres://jwks@db.example" },
  REDIS_CA_FILE: { REDIS_URL: "rediss://cache.example" },
  MIGRATE: { DATABASE: "postgres://jwks@db.example" },
};

/** Asserts that each of these values is refused under the name of the variable. */
function assertRefused(name: string, values: readonly string[]): void {
  for (const value of values) {
    const problems = problemsOf({ [name]: value });
    const isShown = SETTINGS[name as keyof typeof SETTINGS].mayBeShown(value);
    const shown = isShown ? JSON.stringify(value) : "a value that is not shown";
    const start = `${name} is ${shown}; allowed is `;
    assert.ok(problems.some((problem) => problem.startsWith(start)), `${start}: ${problems}`);
  }
}

Deno.test("loadConfig() refuses space around every plain value, and what is no text within, by name", () => {
  const spoilt = (text: string) => [
    ...[" ", "\t", "\n", "\r\n", "\u00a0", "\u2028", "\ufeff"].flatMap((
      space,
    ) => [`${space}${text}`, `${text}${space}`]),
    ...["\x00", "\x07", "\x1b[2J", "\n", "\r", "\x7f", "\x85", "\u2029", "\u202e"].map((sign) =>
      `${text.slice(0, 1)}${sign}${text.slice(1)}`
    ),
  ];
  for (const name of PLAIN) {
    const right = SETTINGS[name].fallback ?? RIGHT[name]!;
    assert.deepEqual(problemsOf({ ...BESIDE[name], [name]: right }), [], name);
    assertRefused(name, spoilt(right));
  }
});

Deno.test("loadConfig() takes a secret as it is, with whatever stands around it and in it", () => {
  for (const secret of [" 0123456789abcdef ", "0123456789abcdef\n", "\x1b0123456789abcdef"]) {
    assert.equal(load({ NOT_MY_KEY: secret }).secret, secret);
  }
});

Deno.test("loadConfig() refuses an ISSUER that verifiers could read in another way", () => {
  const refused = [
    "http:x",
    "http:/x",
    "http:///x",
    "http://",
    "https:\\\\x",
    "//x",
    "http://a b/",
  ];
  const odd = [
    "http://a/b c",
    "http://x:99999",
    "http://010.0.0.1",
    "http://0x7f.1/",
    "http://a\\b",
    "http://@h",
    "http://x/../y",
    "http://ex%41mple.org",
    "http://\u200bx.example",
    "http://X.example",
    "http://x.example:80",
    "http://[::1",
    "http://?",
    "ftp://x",
    "http://a@b",
  ];
  assertRefused("ISSUER", [...refused, ...odd, "http://x/?", "http://x/#", "https//x", "x"]);
  for (const issuer of ["http://localhost:8080", "https://x.example/a/b", "http://[::1]:1/"]) {
    assert.equal(load({ ISSUER: issuer }).issuer, issuer);
  }
});

Deno.test("loadConfig() refuses a URL whose host says something in a Content-Security-Policy", () => {
  for (const host of ["a;script-src", "a,b", "*", "*.x.example", "a'b", "a$b", "a!b"]) {
    for (const name of ["ISSUER", "JWKS_URI"] as const) assertRefused(name, [`https://${host}/k`]);
  }
});

Deno.test("loadConfig() refuses an ISSUER whose path is that of other routes, too", () => {
  assertRefused("ISSUER", ["http://x/:a", "http://x/a/:b/c", "http://x/*", "http://x/a/*/b"]);
  for (const url of ["http://x:8080", "http://x/a:b", "http://[::1]:1/a"]) {
    assert.equal(load({ ISSUER: url }).issuer, url);
  }
  const jwksUri = "https://cdn.example/:a/*/jwks.json";
  assert.equal(load({ JWKS_URI: jwksUri }).jwksUri, jwksUri);
});

Deno.test("loadConfig() takes any text as AUDIENCE that has no colon, or is a URI (RFC 7519 §2)", () => {
  for (const audience of ["orders", "https://api.example/?a#b", "two words", "ü", "urn:x:y"]) {
    assert.equal(load({ AUDIENCE: audience }).audience, audience);
  }
  assertRefused("AUDIENCE", ["http://", ":", "a:b c", "9:x"]);
});

Deno.test("loadConfig() refuses a HOST that is an address to some readers and another to others", () => {
  const refused = ["10", "010.0.0.1", "1.2.3", "256.1.1.1", "1.2.3.4.5", "0x7f000001", "0X7f.1"];
  assertRefused("HOST", [...refused, "[::1]", "fe80::1%eth0", "::g", ":::", "a/b", "a:80", "-a"]);
  for (const host of ["127.0.0.1", "::1", "::", "0.0.0.0", "localhost", "10.example"]) {
    assert.equal(load({ HOST: host }).host, host);
  }
});

Deno.test("loadConfig() refuses a HOST that ends in a number, as URLs take it for an address", () => {
  assertRefused("HOST", ["127.0x1", "a.1", "a.0x1"]);
});

Deno.test("loadConfig() takes a host and a port as METRICS_ADDRESS, and nothing that could be another", () => {
  for (
    const [text, host, port] of [
      ["127.0.0.1:9464", "127.0.0.1", 9464],
      ["[::1]:0", "::1", 0],
      ["metrics.internal:65535", "metrics.internal", 65_535],
    ] as const
  ) assert.deepEqual(load({ METRICS_ADDRESS: text }).metricsAddress, { host, port });
  assert.equal(load({}).metricsAddress, undefined);
  const incomplete = ["9464", ":9464", "127.0.0.1", "127.0.0.1:", "::1:9464", "[::1]", "[]:1"];
  const odd = [
    "[127.0.0.1]:1",
    "[localhost]:1",
    "a:65536",
    "a:-1",
    "a:1:2",
    "http://a:1",
    "010.0.0.1:1",
  ];
  assertRefused("METRICS_ADDRESS", [...incomplete, ...odd, "a:9464/metrics", "a:0x1"]);
});

Deno.test("loadConfig() refuses TRUSTED_PROXIES that are an address to some readers and another to others", () => {
  const refused = ["010.0.0.0/8", "10", "10.0/8", "10.0.0.0/08", "10.0.0.0/33", "10.0.0.0/", "/8"];
  const odd = [
    "fe80::1%eth0",
    "fe80::1%eth0/64",
    "::1/129",
    "::1/064",
    "10.0.0.0/8/8",
    "10.0.0.0 /8",
  ];
  assertRefused("TRUSTED_PROXIES", [...refused, ...odd, "10.0.0.1;10.0.0.2", "10.0.0.0/-1", "*"]);
  const text = "10.0.0.1, 10.0.0.0/8,::1,2001:db8::/32";
  assert.deepEqual(load({ TRUSTED_PROXIES: text }).trustedProxies, text.split(/, ?/));
});

Deno.test("loadConfig() pays no more for Argon2 than the bounds allow, and no less than needed", () => {
  const { memoryKib, passes, lanes } = MOST_EXPENSIVE;
  for (const [name, most] of [["MEMORY_KIB", memoryKib], ["PASSES", passes], ["LANES", lanes]]) {
    assert.deepEqual(problemsOf({ [`ARGON2_${name}`]: String(most) }), [], `${name}`);
    assertRefused(`ARGON2_${name}`, [String(Number(most) + 1), "0", "1e3", "99999999999", "1.5"]);
  }
  assert.equal(problemsOf({ ARGON2_MEMORY_KIB: "8", ARGON2_LANES: "1" }).length, 0);
});

Deno.test("loadConfig() names each variable that is not UTF-8, and nothing of its value", () => {
  for (const name of NAMES) {
    const problems = problemsOf((asked) => {
      if (asked === name) throw new TypeError(`invalid utf-8: "hunter2\\xff"`);
      return undefined;
    });
    assert.deepEqual(problems, [`${name} is not UTF-8; allowed is a value in UTF-8`]);
  }
});

Deno.test("readSecret() gives the secret of any variable, or nothing when it is not set", () => {
  const secret = "0123456789abcdef";
  assert.equal(readSecret(() => secret, "NEW_NOT_MY_KEY"), secret);
  assert.equal(
    readSecret((name) => name === "NOT_MY_KEY" ? secret : undefined, "NEW_X"),
    undefined,
  );
});

Deno.test("readSecret() refuses by the variable's own name, and says nothing of the value", () => {
  const spoilt = fc.oneof(
    fc.string({ maxLength: 15 }).filter((text) => new TextEncoder().encode(text).length < 16),
    fc.constant(undefined),
  );
  fc.assert(fc.property(spoilt, (value) => {
    const read = () => {
      if (value === undefined) throw new TypeError("hunter2");
      return value;
    };
    assert.throws(() => readSecret(read, "NEW_NOT_MY_KEY"), (error) => {
      assert.ok(isDomainError(error, "configuration"));
      assert.match(
        error.message,
        /^NEW_NOT_MY_KEY is (?:empty|not UTF-8|a value that is not shown);/,
      );
      assert.doesNotMatch(error.message, /hunter2/);
      assert.deepEqual(error.hints, []);
      assert.equal(error.cause, undefined);
      return true;
    });
  }));
});
