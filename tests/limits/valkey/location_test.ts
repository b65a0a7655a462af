import assert from "node:assert/strict";
import { describeValkey, parseValkeyUrl } from "../../../lib/limits/valkey/location.ts";

const PLAIN = {
  host: "cache.example",
  port: 6379,
  user: undefined,
  password: undefined,
  database: 0,
  isTls: false,
};

Deno.test("parseValkeyUrl() takes the parts of a URL", () => {
  const expected: Record<string, object> = {
    "redis://cache.example": PLAIN,
    "redis://cache.example/": PLAIN,
    "redis://cache.example:6380/15": { ...PLAIN, port: 6380, database: 15 },
    "rediss://cache.example": { ...PLAIN, isTls: true },
    "redis://:p%40ss%2Fw%3Ard@cache.example": { ...PLAIN, password: "p@ss/w:rd" },
    "redis://limits:x@10.0.0.1": { ...PLAIN, host: "10.0.0.1", user: "limits", password: "x" },
    "redis://[2001:db8::1]:7000": { ...PLAIN, host: "2001:db8::1", port: 7000 },
  };
  for (const [url, location] of Object.entries(expected)) {
    assert.deepEqual(parseValkeyUrl(url), location, url);
  }
});

Deno.test("parseValkeyUrl() refuses what says too little, or something that it would not do", () => {
  for (
    const url of [
      "cache.example",
      "cache.example:6379",
      "http://cache.example",
      "redis:cache.example",
      "redis://",
      "redis:///1",
      "redis://cache.example:0",
      "redis://cache.example:70000",
      "redis://cache.example/one",
      "redis://cache.example/1/2",
      "redis://cache.example/-1",
      "redis://cache.example?db=1",
      "redis://cache.example#1",
      "redis://limits@cache.example",
      "redis://:%@cache.example",
      "redis://cache.example ",
      "unix:/run/valkey.sock",
    ]
  ) {
    assert.equal(parseValkeyUrl(url), undefined, url);
  }
});

Deno.test("describeValkey() names the server, and never the password", () => {
  for (
    const [url, named] of [
      ["redis://:secret@cache.example", "redis://cache.example:6379"],
      ["rediss://limits:secret@[::1]:7000/2", "rediss://limits@[::1]:7000/2"],
    ] as const
  ) {
    assert.equal(describeValkey(parseValkeyUrl(url)!), named);
  }
});
