import assert from "node:assert/strict";
import fc from "fast-check";
import { createFindClient } from "../../lib/http/client_address.ts";

const PROXIES = ["10.0.0.0/8", "2001:db8:ffff::/48"];

function ipOf(peer: string, forwardedFor: string | null, proxies: readonly string[] = PROXIES) {
  return createFindClient(proxies)(peer, forwardedFor).ip;
}

function networkOf(peer: string): string {
  return createFindClient([])(peer, null).network;
}

Deno.test("findClient() is the socket's peer when that is no trusted proxy, whatever it claims", () => {
  const claim = fc.oneof(
    fc.string(),
    fc.ipV4(),
    fc.ipV6(),
    fc.array(fc.ipV4(), { maxLength: 5 }).map((hops) => hops.join(", ")),
  );
  fc.assert(fc.property(claim, (forwardedFor) => {
    const client = { ip: "203.0.113.9", network: "203.0.113.9" };
    assert.deepEqual(createFindClient(PROXIES)("203.0.113.9", forwardedFor), client);
    assert.deepEqual(createFindClient([])("203.0.113.9", forwardedFor), client);
  }));
});

Deno.test("findClient() is what the trusted proxy saw, whatever the client had put before it", () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.ipV4(), fc.ipV6()), (spoofed) => {
    assert.equal(ipOf("10.0.0.1", `${spoofed}, 203.0.113.9`), "203.0.113.9");
    assert.equal(ipOf("10.0.0.1", `${spoofed},203.0.113.9, 10.9.9.9`), "203.0.113.9");
  }));
});

Deno.test("findClient() walks a chain of trusted proxies from the right", () => {
  assert.equal(ipOf("10.0.0.1", "203.0.113.9, 10.0.0.3, 10.0.0.2"), "203.0.113.9");
  assert.equal(ipOf("10.0.0.1", "10.0.0.4, 192.0.2.7, 10.0.0.2"), "192.0.2.7");
  assert.equal(ipOf("2001:db8:ffff::1", "203.0.113.9, 10.0.0.2"), "203.0.113.9");
});

Deno.test("findClient() is the farthest proxy when the whole chain is trusted", () => {
  assert.equal(ipOf("10.0.0.1", "10.0.0.3, 10.0.0.2"), "10.0.0.3");
  assert.equal(ipOf("10.0.0.1", null), "10.0.0.1");
});

Deno.test("findClient() stops at a malformed hop: what is left of it belongs to nobody", () => {
  const malformed = [
    "",
    " ",
    "unknown",
    "_hidden",
    "1",
    "0x7f.1",
    "127.1",
    "300.1.1.1",
    "1.2.3.4.5",
  ];
  for (const hop of [...malformed, "203.0.113.9:port", "[::1", "::1]", "1:2", "10.0.0.1/8", "é"]) {
    assert.equal(ipOf("10.0.0.1", `203.0.113.9, ${hop}, 10.0.0.2`), "10.0.0.2", hop);
    assert.equal(ipOf("10.0.0.1", hop), "10.0.0.1", hop);
  }
});

Deno.test("findClient() reads a hop with its port and an IPv6 hop in brackets", () => {
  assert.equal(ipOf("10.0.0.1", "203.0.113.9:4711"), "203.0.113.9");
  assert.equal(ipOf("10.0.0.1", "[2001:db8::1]:4711"), "2001:db8::1");
  assert.equal(ipOf("10.0.0.1", "[2001:db8::1]"), "2001:db8::1");
  assert.equal(ipOf("10.0.0.1", "2001:db8::1"), "2001:db8::1");
  assert.equal(ipOf("10.0.0.1", "203.0.113.9, [2001:db8:ffff::2]:443"), "203.0.113.9");
});

Deno.test("findClient() treats IPv4-mapped IPv6 as the IPv4 address that it is", () => {
  assert.equal(ipOf("::ffff:203.0.113.9", null), "203.0.113.9");
  assert.equal(networkOf("::ffff:203.0.113.9"), "203.0.113.9");
  assert.equal(networkOf("::ffff:cb00:7109"), "203.0.113.9");
  assert.equal(ipOf("::ffff:10.0.0.1", "203.0.113.9"), "203.0.113.9");
  assert.equal(ipOf("10.0.0.1", "203.0.113.9, ::ffff:10.0.0.2"), "203.0.113.9");
  assert.equal(ipOf("10.1.2.3", "203.0.113.9", ["::ffff:10.0.0.0/104"]), "203.0.113.9");
  assert.equal(ipOf("11.1.2.3", "203.0.113.9", ["::ffff:10.0.0.0/104"]), "11.1.2.3");
});

Deno.test("findClient() trusts a proxy that is named without a prefix, and only that one", () => {
  const proxies = ["10.0.0.1", "2001:db8::1"];
  assert.equal(ipOf("10.0.0.1", "203.0.113.9", proxies), "203.0.113.9");
  assert.equal(ipOf("2001:db8::1", "203.0.113.9", proxies), "203.0.113.9");
  assert.equal(ipOf("10.0.0.2", "203.0.113.9", proxies), "10.0.0.2");
  assert.equal(ipOf("2001:db8::2", "203.0.113.9", proxies), "2001:db8::2");
});

Deno.test("findClient() does not let 0.0.0.0/0 trust IPv6, nor ::/0 trust IPv4", () => {
  assert.equal(ipOf("2001:db8::1", "203.0.113.9", ["0.0.0.0/0"]), "2001:db8::1");
  assert.equal(ipOf("192.0.2.1", "203.0.113.9", ["::/0"]), "192.0.2.1");
});

Deno.test("findClient() has one network for an IPv6 /64 and the whole address for the log", () => {
  const [one, other] = ["2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff"];
  assert.equal(networkOf(one), "2001:db8:1:2::/64");
  assert.equal(networkOf(other), networkOf(one));
  assert.notEqual(networkOf("2001:db8:1:3::1"), networkOf(one));
  assert.equal(ipOf(other, null), other);
});

Deno.test("findClient() has a network of its own for every IPv4 address", () => {
  fc.assert(fc.property(fc.ipV4(), fc.ipV4(), (one, other) => {
    assert.equal(networkOf(one) === networkOf(other), one === other);
  }));
});

Deno.test("findClient() writes equal IPv6 addresses alike", () => {
  assert.equal(ipOf("2001:DB8:0:0:0:0:0:1", null), ipOf("2001:db8::1", null));
  assert.equal(networkOf("2001:DB8:0:0:0:0:0:1"), networkOf("2001:db8::1"));
});

Deno.test("findClient() takes a peer that is no IP address as it is, and believes no claim", () => {
  const client = createFindClient(["0.0.0.0/0", "::/0"])("a-socket", "203.0.113.9");
  assert.deepEqual(client, { ip: "a-socket", network: "a-socket" });
});

Deno.test("findClient() believes only hops that every reader reads alike, and never logs a zone", () => {
  const ambiguous = [
    "010.0.0.1",
    "203.0.113.09",
    "10",
    "0",
    "203.0.113",
    "0xcb007109",
    "3405803785",
    "203.0.113.9/32",
    "fe80::1%eth0",
    "2001:db8::1%1",
    "[2001:db8::1%eth0]:443",
    "::ffff:010.0.0.1",
    "2001:db8::g",
    "2001:db8:::1",
    "１.2.3.4",
    "203.0.113.9:",
    "203.0.113.9:123456",
    "2001:db8::1:443:",
    '"203.0.113.9"',
    "for=203.0.113.9",
  ];
  for (const hop of ambiguous) {
    const client = createFindClient(PROXIES)("10.0.0.1", `203.0.113.1, ${hop}`);
    assert.deepEqual(client, { ip: "10.0.0.1", network: "10.0.0.1" }, hop);
  }
  assert.equal(ipOf("10.0.0.1", " 203.0.113.9 "), "203.0.113.9");
});

Deno.test("findClient() gives an address without a zone, whatever a proxy says", () => {
  const zones = fc.tuple(fc.ipV6(), fc.string()).map(([ip, zone]) => `${ip}%${zone}`);
  fc.assert(fc.property(zones, (hop) => {
    const { ip, network } = createFindClient(PROXIES)("10.0.0.1", hop);
    assert.ok(!`${ip}${network}`.includes("%"), hop);
  }));
});

Deno.test("createFindClient() refuses a range that is none, when it is made", () => {
  for (const range of ["10.0.0.0/33", "proxy.example", "10.0.0.0/", ""]) {
    assert.throws(() => createFindClient([range]), Error, range);
  }
});
