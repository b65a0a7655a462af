import assert from "node:assert/strict";
import { assertPassword, PASSWORD_BYTES } from "../../lib/accounts/password.ts";
import { Registration } from "../../lib/accounts/registration.ts";
import { isDomainError } from "../../lib/base/errors.ts";

function takes(username: unknown, email: unknown = "a@example.com"): boolean {
  return Registration.safeParse({ username, email }).success;
}

Deno.test("Registration takes names in their allowed form only", () => {
  for (const name of ["a", "0", "a".repeat(64), "a.b_c@d+e-f", "user@example.com"]) {
    assert.equal(takes(name), true, name);
  }
  const refused = ["", "a".repeat(65), "a:b", ".a", "-a", "@a", " a", "a ", "a b", "a\n", "a\0b"];
  for (
    const name of [...refused, "ä", "аlice", "a/b", "a'--", "a%", "a\u202eb", "ａ", 1, null, {}]
  ) {
    assert.equal(takes(name), false, JSON.stringify(name));
  }
});

Deno.test("Registration takes the addresses that RFC 5322 writes without quotes", () => {
  const taken = [
    "a@b.example",
    "tom&jerry@example.com",
    "o'neill@example.com",
    "!#$%&'*+-/=?^_`{|}~@example.com",
    "first.last+tag@sub.domain.example",
    "1@1.example",
    `${"a".repeat(64)}@example.com`,
    "a@xn--bcher-kva.example",
    `a@${"b".repeat(63)}.example`,
  ];
  for (const email of taken) assert.equal(takes("alice", email), true, email);
});

Deno.test("Registration refuses what is no address", () => {
  const refused = [
    "",
    "a",
    "a@",
    "@b.example",
    "a@example",
    "a..b@example.com",
    ".a@example.com",
    "a.@example.com",
    "a@.example.com",
    "a@example..com",
    "a@example.com.",
    "a@-b.example",
    "a@b-.example",
    `a@${"b".repeat(64)}.example`,
    "a b@c.example",
    " a@b.example",
    "a@b.example ",
    "a@b.example\n",
    "a@b@c.de",
    "a,b@c.example",
    "a<b@c.example",
    '"a b"@c.example',
    "a(b)@c.example",
    "ä@b.example",
    "a@bücher.example",
    "a@[192.0.2.1]",
    `${"a".repeat(65)}@example.com`,
    `a@${"b.".repeat(130)}example`,
  ];
  for (const email of [...refused, 1, null, {}]) {
    assert.equal(takes("alice", email), false, JSON.stringify(email));
  }
});

Deno.test("Registration names the member that is wrong", () => {
  for (const [user, name] of [[{ email: "a@b.de" }, "username"], [{ username: "a" }, "email"]]) {
    const { error } = Registration.safeParse(user);
    assert.equal(error?.issues[0]?.message, `${name} is missing`);
  }
});

Deno.test("assertPassword() counts bytes of UTF-8, from 16 to 1024", () => {
  const { least, most } = PASSWORD_BYTES;
  assert.deepEqual([least, most], [16, 1024]);
  const taken = ["a".repeat(16), "a".repeat(1024), "ü".repeat(8), "ü".repeat(512), "𝔛".repeat(4)];
  for (const password of taken) assert.equal(assertPassword(password), undefined, password);
  const refused = ["", "a".repeat(15), "a".repeat(1025), "ü".repeat(7), "ü".repeat(513)];
  for (const password of refused) {
    assert.throws(() => assertPassword(password), (error) => {
      assert.ok(isDomainError(error, "invalid_request"));
      assert.ok(password === "" || !error.message.includes(password));
      return true;
    });
  }
});

Deno.test("assertPassword() takes a short one on request, but none that is empty or too long", () => {
  for (const password of ["a", "ü", "a".repeat(15), "a".repeat(1024)]) {
    assert.equal(assertPassword(password, { allowWeak: true }), undefined, password);
  }
  for (const password of ["", "a".repeat(1025), "ü".repeat(513)]) {
    assert.throws(() => assertPassword(password, { allowWeak: true }), { code: "invalid_request" });
  }
});
