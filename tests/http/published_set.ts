/** A set of keys as responses are made of it. */

import type { PublishedSet } from "../../lib/keys/published_set.ts";

export const SET: PublishedSet = {
  text: '{"keys":["ä"]}',
  length: 15,
  etag: '"tag"',
  from: 0,
  until: 1000,
  revokedAt: undefined,
};

export const RULES = { staleIfError: 600, tokenTtl: 100 };
