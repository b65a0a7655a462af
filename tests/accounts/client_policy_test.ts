import assert from "node:assert/strict";
import fc from "fast-check";
import {
  ClientPolicy,
  grantAudience,
  grantScope,
  parsePolicy,
  POLICY_BOUNDS,
} from "../../lib/accounts/client_policy.ts";
import { isDomainError } from "../../lib/base/errors.ts";

const DEFAULT = "https://issuer.example";

function takes(policy: unknown): boolean {
  return ClientPolicy.safeParse(policy).success;
}

/** What `grant` gives, or the code that it refuses with. */
function outcome(grant: () => string[]): string[] | string {
  try {
    return grant();
  } catch (error) {
    assert.ok(isDomainError(error), String(error));
    return error.code;
  }
}

Deno.test("ClientPolicy takes nothing at all, which grants what every client has", () => {
  const empty = { scopes: [], audiences: [], claims: {}, requireDpop: false };
  assert.deepEqual(ClientPolicy.parse({}), empty);
  assert.deepEqual(parsePolicy(undefined, "alice"), empty);
});

Deno.test("ClientPolicy takes scope-tokens only (RFC 6749 §3.3)", () => {
  for (const scope of ["a", "read:all", "!", "~", "[", "#", "https://a.example/x"]) {
    assert.equal(takes({ scopes: [scope] }), true, scope);
  }
  for (const scope of ["", "a b", '"', "\\", "ä", "\n", "\x7f", "a\n", 1, null]) {
    assert.equal(takes({ scopes: [scope] }), false, JSON.stringify(scope));
  }
});

Deno.test("ClientPolicy takes audiences that are StringOrURI (RFC 7519 §2)", () => {
  for (const audience of ["api", "https://api.example", "urn:a:b", "Büro 7"]) {
    assert.equal(takes({ audiences: [audience] }), true, audience);
  }
  for (const audience of ["", ":", "a:", "1:b", "a b:c", "https://a b", "a\0b", "\ud800", 1]) {
    assert.equal(takes({ audiences: [audience] }), false, JSON.stringify(audience));
  }
});

Deno.test("ClientPolicy refuses every claim that the server sets, by its name", () => {
  const reserved = "iss sub aud exp nbf iat jti client_id scope auth_time acr amr cnf".split(" ");
  for (const name of reserved) {
    const { error } = ClientPolicy.safeParse({ claims: { fine: 1, [name]: "x" } });
    assert.equal(error?.issues.length, 1);
    assert.deepEqual(error.issues[0]!.path, ["claims", name]);
    assert.match(error.issues[0]!.message, new RegExp(`\\b${name}\\b`));
  }
  assert.equal(takes({ claims: { role: "admin", nested: { iss: [1, null, true] } } }), true);
});

Deno.test("ClientPolicy has bounds, and takes what just keeps within them", () => {
  const many = (count: number) => Array.from({ length: count }, (_, index) => `x${index}`);
  const claims = (bytes: number) => ({ a: "x".repeat(bytes - '{"a":""}'.length) });
  for (const over of [0, 1]) {
    const isTaken = over === 0;
    assert.equal(takes({ scopes: many(POLICY_BOUNDS.scopes + over) }), isTaken);
    assert.equal(takes({ audiences: many(POLICY_BOUNDS.audiences + over) }), isTaken);
    assert.equal(takes({ claims: claims(POLICY_BOUNDS.claims + over) }), isTaken);
  }
  assert.deepEqual(POLICY_BOUNDS, { scopes: 64, audiences: 64, claims: 4096 });
});

Deno.test("ClientPolicy refuses a life that is none, and members that it does not know", () => {
  assert.equal(takes({ tokenTtl: 1 }), true);
  for (const policy of [{ tokenTtl: 0 }, { tokenTtl: -1 }, { tokenTtl: 1.5 }, { scope: [] }, []]) {
    assert.equal(takes(policy), false, JSON.stringify(policy));
  }
});

Deno.test("parsePolicy() grants nothing when what is stored is no policy", () => {
  for (const stored of ["", "{", "null", "[]", '{"requireDpop":"no"}', '{"claims":{"iss":1}}']) {
    assert.throws(() => parsePolicy(stored, "alice"), { code: "database_unusable" }, stored);
  }
  assert.equal(parsePolicy('{"requireDpop":true}', "alice").requireDpop, true);
});

const NAMES = ["a", "b", "c", "d", "e"];
const names = fc.array(fc.constantFrom(...NAMES), { maxLength: 6 });

Deno.test("grantScope() gives exactly what was asked for, each once, and never more than allowed", () => {
  fc.assert(fc.property(names, fc.option(names, { nil: undefined }), (scopes, asked) => {
    const isAll = asked === undefined || asked.length === 0;
    const granted = outcome(() => grantScope({ scopes }, asked?.join(" ")));
    const wanted = isAll ? scopes : asked;
    const isAllowed = wanted.every((scope) => scopes.includes(scope));
    assert.deepEqual(granted, isAllowed ? [...new Set(wanted)] : "invalid_scope");
    if (Array.isArray(granted)) assert.ok(granted.every((scope) => scopes.includes(scope)));
  }));
});

Deno.test("grantScope() refuses whatever is no list of scopes (RFC 6749 §3.3)", () => {
  const scopes = ["a", "b"];
  for (const scope of [" ", " a", "a ", "a  b", "a\tb", "a\nb", 'a "b"', "ä", "A"]) {
    assert.equal(outcome(() => grantScope({ scopes }, scope)), "invalid_scope", scope);
  }
  assert.deepEqual(grantScope({ scopes }, ""), scopes);
});

Deno.test("grantAudience() gives exactly what was asked for, each once, or the default", () => {
  fc.assert(fc.property(names, names, (audiences, asked) => {
    const granted = outcome(() => grantAudience({ audiences }, asked, DEFAULT));
    const allowed = audiences.length === 0 ? [DEFAULT] : audiences;
    const wanted = asked.length === 0 ? allowed.slice(0, 1) : asked;
    const isAllowed = wanted.every((audience) => allowed.includes(audience));
    assert.deepEqual(granted, isAllowed ? [...new Set(wanted)] : "invalid_target");
  }));
});

Deno.test("grantAudience() lets a client without audiences have the server's, and no other", () => {
  assert.deepEqual(grantAudience({ audiences: [] }, [DEFAULT], DEFAULT), [DEFAULT]);
  const refused = [[`${DEFAULT}/`], [DEFAULT, "other"], [""]];
  for (const asked of refused) {
    const granted = outcome(() => grantAudience({ audiences: [] }, asked, DEFAULT));
    assert.equal(granted, "invalid_target");
  }
  const own = { audiences: ["api"] };
  assert.equal(outcome(() => grantAudience(own, [DEFAULT], DEFAULT)), "invalid_target");
});
