import assert from "node:assert/strict";
import { isIP } from "node:net";
import fc from "fast-check";
import {
  isInNetwork,
  parseIpAddress,
  parseIpNetwork,
  toClientAddress,
} from "../../lib/base/ip_address.ts";

/** What some readers take for an address, and no two of them for the same one. */
const AMBIGUOUS = [
  "010.0.0.1",
  "203.0.113.010",
  "1.2.3.00",
  "10",
  "127.1",
  "127.0.1",
  "0x0a000001",
  "0x7f.0.0.1",
  "0300.0250.0.1",
  "2130706433",
  "1.2.3.4.5",
  "1.2.3",
  "1.2.3.",
  ".1.2.3.4",
  "1..3.4",
  "256.0.0.1",
  "-1.0.0.1",
  "1.2.3.4:80",
  "[::1]",
  "[::1]:80",
  "::ffff:010.0.0.1",
  "::ffff:10.0.0.010",
  "::ffff:1.2.3",
  ":::",
  "1::2::3",
  "1:2:3:4:5:6:7",
  "1:2:3:4:5:6:7:8:9",
  "00001::",
  "g::1",
  "fe80::1%eth0",
  "fe80::1%1",
  "fe80::1%",
  `fe80::1%${"a".repeat(3000)}`,
  `::1%${"0".repeat(3000)}`,
  "",
  " ",
  " 10.0.0.1",
  "10.0.0.1 ",
  "10.0.0.1\n",
  "\t::1",
  "::1\u00a0",
  "10.0.0.1\0",
  "１０.0.0.1",
  "localhost",
  "unknown",
];

/** Each address in the form that it is written in everywhere. */
const CANONICAL: [text: string, canonical: string][] = [
  ["10.0.0.1", "10.0.0.1"],
  ["0.0.0.0", "0.0.0.0"],
  ["255.255.255.255", "255.255.255.255"],
  ["2001:DB8:0:0:0:0:0:1", "2001:db8::1"],
  ["2001:0db8::0001", "2001:db8::1"],
  ["::", "::"],
  ["0:0:0:0:0:0:0:1", "::1"],
  ["1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"],
  ["::ffff:192.0.2.1", "192.0.2.1"],
  ["::FFFF:c000:201", "192.0.2.1"],
  ["0:0:0:0:0:ffff:c000:0201", "192.0.2.1"],
];

/** Texts that look like addresses, right and wrong ones. */
const parts = fc.oneof(
  fc.nat(300).map(String),
  fc.nat(0xfffff).map((part) => part.toString(16)),
  fc.constantFrom("", "0", "00", "010", "0x1", " 1", "1%a", "::", "ffff", "%", "/8"),
);
const lookalikes = fc.oneof(
  fc.array(parts, { maxLength: 9 }).map((list) => list.join(":")),
  fc.array(parts, { maxLength: 5 }).map((list) => list.join(".")),
  fc.tuple(fc.array(parts, { maxLength: 7 }), fc.ipV4()).map(([list, v4]) =>
    [...list, v4].join(":")
  ),
  fc.ipV4(),
  fc.ipV4Extended(),
  fc.ipV6(),
  fc.string(),
);

Deno.test("parseIpAddress() takes no text that could be read in two ways", () => {
  for (const text of AMBIGUOUS) {
    assert.equal(parseIpAddress(text), undefined, JSON.stringify(text.slice(0, 40)));
  }
});

Deno.test("parseIpAddress() gives every address its one canonical form", () => {
  for (const [text, canonical] of CANONICAL) {
    assert.equal(parseIpAddress(text)?.toString(), canonical, text);
  }
});

Deno.test("parseIpAddress() takes exactly the addresses of node:net without a zone", () => {
  fc.assert(
    fc.property(lookalikes, (text) => {
      const isAddress = isIP(text) !== 0 && !text.includes("%");
      assert.equal(parseIpAddress(text) !== undefined, isAddress);
      assert.equal(parseIpNetwork(text) !== undefined, isAddress);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("parseIpAddress() reads its own canonical form as the same address", () => {
  fc.assert(fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
    const canonical = parseIpAddress(text)!.toString();
    assert.equal(parseIpAddress(canonical)!.toString(), canonical);
    assert.ok(isIP(canonical) !== 0);
  }));
});

Deno.test("parseIpNetwork() takes no address that parseIpAddress() does not take", () => {
  for (const text of AMBIGUOUS) {
    for (const network of [text, `${text}/8`]) {
      assert.equal(parseIpNetwork(network), undefined, JSON.stringify(network.slice(0, 40)));
    }
  }
});

Deno.test("parseIpNetwork() takes bits within the address, written in one way", () => {
  for (const bits of [0, 1, 9, 10, 31, 32]) {
    assert.equal(parseIpNetwork(`1.2.3.4/${bits}`)?.[1], bits);
  }
  for (const bits of [0, 32, 64, 99, 100, 128]) {
    assert.equal(parseIpNetwork(`2001:db8::/${bits}`)?.[1], bits);
  }
  const refused = ["33", "99", "128", "129", "1000", "08", "00", "-1", "+8", "8.0", "8 ", " 8", ""];
  for (const bits of [...refused, "8/8", "255.0.0.0", "0x8", "1e1", "٨", "8\n"]) {
    assert.equal(parseIpNetwork(`1.2.3.4/${bits}`), undefined, JSON.stringify(bits));
  }
  for (const bits of ["129", "999", "1000", "064", "-1", "ffff::"]) {
    assert.equal(parseIpNetwork(`2001:db8::/${bits}`), undefined, bits);
  }
});

Deno.test("parseIpNetwork() takes an address alone for the range of that one address", () => {
  assert.deepEqual(parseIpNetwork("1.2.3.4")?.[1], 32);
  assert.deepEqual(parseIpNetwork("2001:db8::1")?.[1], 128);
  assert.deepEqual(parseIpNetwork("::ffff:1.2.3.4")?.[1], 32);
});

Deno.test("isInNetwork() is true for exactly the addresses that share the network's bits", () => {
  const isIn = (address: string, network: string) =>
    isInNetwork(parseIpAddress(address)!, parseIpNetwork(network)!);
  assert.equal(isIn("10.1.2.255", "10.1.2.0/24"), true);
  assert.equal(isIn("10.1.3.0", "10.1.2.0/24"), false);
  assert.equal(isIn("10.1.2.77", "10.1.2.1/24"), true);
  assert.equal(isIn("255.0.0.1", "0.0.0.0/0"), true);
  assert.equal(isIn("10.1.2.3", "::/0"), false);
  assert.equal(isIn("2001:db8::1", "0.0.0.0/0"), false);
  assert.equal(isIn("2001:db8::ffff", "2001:db8::/64"), true);
  assert.equal(isIn("2001:db8:0:1::", "2001:db8::/64"), false);
  assert.equal(isIn("10.1.2.3", "::ffff:10.0.0.0/104"), true, "a mapped range is of IPv4");
  assert.equal(isIn("::ffff:10.1.2.3", "10.0.0.0/8"), true);
  assert.equal(isIn("11.1.2.3", "::ffff:10.0.0.0/104"), false);
});

Deno.test("toClientAddress() has the address for the log, and an IPv6 host's /64 for the limit", () => {
  const client = (text: string) => toClientAddress(parseIpAddress(text)!);
  assert.deepEqual(client("192.0.2.1"), { ip: "192.0.2.1", network: "192.0.2.1" });
  assert.deepEqual(client("::ffff:192.0.2.1"), { ip: "192.0.2.1", network: "192.0.2.1" });
  assert.deepEqual(client("2001:db8::1"), { ip: "2001:db8::1", network: "2001:db8:0:0::/64" });
  assert.equal(client("2001:db8::ffff:1").network, client("2001:db8::1").network);
  assert.notEqual(client("2001:db8:0:1::1").network, client("2001:db8::1").network);
});
