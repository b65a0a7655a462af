import assert from "node:assert/strict";
import { SHORTEST_PREPUBLISH } from "../../lib/keys/key_policy.ts";
import { load, problemsOf } from "./loaded.ts";

Deno.test("loadConfig() gives the documented values when nothing is set", () => {
  const config = load();
  assert.equal(config.host, "127.0.0.1");
  assert.equal(config.port, 8080);
  assert.deepEqual(config.database, { engine: "sqlite", path: "totally_not_my_privateKeys.db" });
  assert.equal(config.secret, undefined);
  assert.equal(config.secretFile, undefined);
  assert.equal(config.policy.tokenTtl, 3600);
  assert.equal(config.policy.rotation, 30 * 86_400);
  assert.equal(config.policy.prepublish, 86_400);
  assert.equal(config.policy.retention, 7 * 86_400);
  assert.equal(config.policy.expiredTokens, true);
  assert.equal(config.rateLimit, 10);
  assert.equal(config.rateWindow, 1);
  assert.deepEqual(config.trustedProxies, []);
  assert.equal(config.registration, true);
  assert.equal(config.page, true);
  assert.deepEqual(config.argon2, { memoryKib: 65_536, passes: 3, lanes: 4 });
  assert.equal(config.authLogRetention, 90 * 86_400);
  assert.equal(config.logLevel, "info");
  assert.equal(config.logFormat, undefined);
});

Deno.test("loadConfig() takes the values that are set", () => {
  const config = load({
    HOST: "::",
    PORT: "0",
    DATABASE: "data/keys.db",
    NOT_MY_KEY: "0123456789abcdef",
    ISSUER: "https://tokens.example/a",
    AUDIENCE: "orders",
    TOKEN_TTL: "90s",
    KEY_ROTATION: "2w",
    KEY_PREPUBLISH: "1w",
    RATE_LIMIT: "1",
    RATE_WINDOW: "1m",
    TRUSTED_PROXIES: "10.0.0.0/8, ::1",
    REGISTRATION: "closed",
    EXPIRED_TOKENS: "off",
    PAGE: "off",
    LOG_LEVEL: "error",
    LOG_FORMAT: "text",
  });
  assert.equal(config.host, "::");
  assert.equal(config.port, 0);
  assert.deepEqual(config.database, { engine: "sqlite", path: "data/keys.db" });
  assert.equal(config.secret, "0123456789abcdef");
  assert.equal(config.issuer, "https://tokens.example/a");
  assert.equal(config.audience, "orders");
  assert.equal(config.policy.tokenTtl, 90);
  assert.equal(config.policy.rotation, 14 * 86_400);
  assert.equal(config.policy.prepublish, 7 * 86_400);
  assert.equal(config.policy.expiredTokens, false);
  assert.equal(config.rateLimit, 1);
  assert.equal(config.rateWindow, 60);
  assert.deepEqual(config.trustedProxies, ["10.0.0.0/8", "::1"]);
  assert.equal(config.registration, false);
  assert.equal(config.page, false);
  assert.equal(config.logLevel, "error");
  assert.equal(config.logFormat, "text");
});

Deno.test("loadConfig() is frozen all the way down", () => {
  const config = load();
  for (const value of [config, config.policy, config.argon2, config.trustedProxies]) {
    assert.ok(Object.isFrozen(value));
  }
});

Deno.test("loadConfig() treats an empty variable as one that is not set", () => {
  assert.deepEqual(
    load({ PORT: "", TRUSTED_PROXIES: "", ISSUER: "", NOT_MY_KEY_FILE: "" }),
    load(),
  );
});

Deno.test("loadConfig() refuses an empty NOT_MY_KEY instead of making a secret, and says so once", () => {
  const problems = problemsOf({ NOT_MY_KEY: "" });
  assert.equal(problems.length, 1);
  assert.match(problems[0]!, /^NOT_MY_KEY is .*; allowed is a secret of at least 16 bytes$/);
});

Deno.test("loadConfig() reports every problem at once, with name, value and what is allowed", () => {
  const wrong = {
    HOST: "a b",
    PORT: "65536",
    ISSUER: "ftp://tokens.example",
    TOKEN_TTL: "1 hour",
    RATE_LIMIT: "0",
    TRUSTED_PROXIES: "10.0.0.0/33",
    REGISTRATION: "yes",
    PAGE: "yes",
    LOG_LEVEL: "loud",
  };
  const problems = problemsOf(wrong);
  assert.equal(problems.length, Object.keys(wrong).length);
  for (const [name, value] of Object.entries(wrong)) {
    const start = `${name} is ${JSON.stringify(value)}; allowed is `;
    assert.ok(problems.some((problem) => problem.startsWith(start)), name);
  }
});

Deno.test("loadConfig() never shows a secret, not even a wrong one", () => {
  const problems = problemsOf({ NOT_MY_KEY: "hunter2hunter2", PORT: "x" });
  assert.equal(problems.length, 2);
  assert.ok(!problems.join().includes("hunter2"));
});

Deno.test("loadConfig() counts the secret's bytes, not its characters", () => {
  assert.equal(load({ NOT_MY_KEY: "ü".repeat(8) }).secret, "ü".repeat(8));
  assert.equal(problemsOf({ NOT_MY_KEY: "u".repeat(15) }).length, 1);
});

Deno.test("loadConfig() refuses values beside every limit", () => {
  const refused: [string, string][] = [
    ["PORT", "-1"],
    ["PORT", "80.5"],
    ["PORT", "0x50"],
    ["PORT", " 80"],
    ["ISSUER", "https://tokens.example/?a=1"],
    ["ISSUER", "https://tokens.example/#a"],
    ["ISSUER", "https://user:password@tokens.example"],
    ["ISSUER", "tokens.example"],
    ["DATABASE", ":memory:"],
    ["DATABASE", "a\0b"],
    ["TOKEN_TTL", "0s"],
    ["RATE_WINDOW", "0s"],
    ["TRUSTED_PROXIES", "10.0.0.0/8,proxy.example"],
    ["HOST", "-host"],
    ["HOST", "host/path"],
    ["ARGON2_MEMORY_KIB", "7"],
    ["EXPIRED_TOKENS", "ON"],
  ];
  for (const [name, value] of refused) {
    const problems = problemsOf({ [name]: value });
    assert.ok(problems.some((problem) => problem.startsWith(`${name} is `)), `${name}=${value}`);
  }
});

Deno.test("loadConfig() refuses a key that would sign before caches can know it", () => {
  const shortest = SHORTEST_PREPUBLISH;
  assert.equal(problemsOf({ KEY_PREPUBLISH: `${shortest - 1}s` }).length, 1);
  const never = { JWKS_STALE_IF_ERROR: "0s" };
  assert.deepEqual(problemsOf({ KEY_PREPUBLISH: `${shortest}s`, ...never }), []);
  const [problem, ...others] = problemsOf({ KEY_ROTATION: "23h", KEY_PREPUBLISH: "24h" });
  assert.match(problem ?? "", /^KEY_ROTATION is 23h; allowed is at least KEY_PREPUBLISH/);
  assert.deepEqual(others, []);
});

Deno.test("loadConfig() refuses two sources of the secret", () => {
  const [problem] = problemsOf({ NOT_MY_KEY: "0123456789abcdef", NOT_MY_KEY_FILE: "secret" });
  assert.match(problem ?? "", /NOT_MY_KEY and NOT_MY_KEY_FILE/);
  assert.ok(!problem!.includes("0123456789abcdef"));
});

Deno.test("loadConfig() refuses Argon2 memory below eight blocks a lane", () => {
  const [problem] = problemsOf({ ARGON2_MEMORY_KIB: "31", ARGON2_LANES: "4" });
  assert.match(problem ?? "", /^ARGON2_MEMORY_KIB is 31; allowed is at least .*32/);
  assert.deepEqual(problemsOf({ ARGON2_MEMORY_KIB: "32", ARGON2_LANES: "4" }), []);
});

Deno.test("loadConfig() refuses a JWKS_STALE_IF_ERROR with which caches could miss a key", () => {
  assert.deepEqual(problemsOf({ KEY_PREPUBLISH: "2h", JWKS_STALE_IF_ERROR: "114m" }), []);
  const [problem] = problemsOf({ KEY_PREPUBLISH: "2h", JWKS_STALE_IF_ERROR: "115m" });
  assert.match(problem!, /^JWKS_STALE_IF_ERROR is 115m; allowed is at most 114m/);
  assert.equal(problemsOf({ KEY_PREPUBLISH: "1h" }).length, 1, "also by default");
});

Deno.test("loadConfig() takes a certificate and its key together, or none of them", () => {
  const files = { TLS_CERT_FILE: "cert.pem", TLS_KEY_FILE: "key.pem" };
  assert.deepEqual(load(files).tls, { certFile: "cert.pem", keyFile: "key.pem" });
  assert.equal(load().tls, undefined);
  assert.equal(load({ TLS_CERT_FILE: "", TLS_KEY_FILE: "" }).tls, undefined);
  for (
    const [set, other] of [["TLS_CERT_FILE", "TLS_KEY_FILE"], ["TLS_KEY_FILE", "TLS_CERT_FILE"]]
  ) {
    const [problem, ...more] = problemsOf({ [set!]: "file.pem" });
    assert.deepEqual(more, []);
    assert.ok(problem!.startsWith(`${set} is set without ${other};`));
  }
});
