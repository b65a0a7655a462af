import assert from "node:assert/strict";
import fc from "fast-check";
import { decodeUtf8, isSameBytes, readAtMost } from "../../lib/base/bytes.ts";

/** A source of `chunks` of the given sizes, over and over, that tells how far it was read. */
class Source {
  given = 0;
  isCancelled = false;
  readonly stream: ReadableStream<Uint8Array>;

  constructor(sizes: readonly number[], { isEndless = false } = {}) {
    let chunks = 0;
    this.stream = new ReadableStream({
      pull: (controller) => {
        if (!isEndless && chunks === sizes.length) return controller.close();
        const size = sizes[chunks++ % sizes.length]!;
        controller.enqueue(Uint8Array.from({ length: size }, () => this.given++ % 251));
      },
      cancel: () => void (this.isCancelled = true),
    }, { highWaterMark: 0 });
  }
}

Deno.test("isSameBytes() is true for equal length and equal bytes, and for nothing else", () => {
  const bytes = fc.uint8Array({ maxLength: 20 });
  fc.assert(fc.property(bytes, bytes, fc.nat(19), (one, other, place) => {
    assert.equal(isSameBytes(one, one.slice()), true);
    assert.equal(isSameBytes(one, other), one.join() === other.join());
    assert.equal(isSameBytes(one, new Uint8Array([...one, 0])), false);
    assert.equal(isSameBytes(new Uint8Array([...one, 0]), one), false);
    if (place >= one.length) return;
    assert.equal(isSameBytes(one, one.with(place, one[place]! ^ 0x80)), false);
  }));
});

Deno.test("isSameBytes() compares what a view shows, not the memory behind it", () => {
  const memory = new Uint8Array([1, 2, 3, 1, 2, 4]);
  assert.equal(isSameBytes(memory.subarray(0, 2), memory.subarray(3, 5)), true);
  assert.equal(isSameBytes(memory.subarray(0, 3), memory.subarray(3, 6)), false);
});

Deno.test("readAtMost() gives every byte of a source within the limit, in order", async () => {
  const sizes = fc.array(fc.nat(10), { maxLength: 6 });
  await fc.assert(fc.asyncProperty(sizes, fc.nat(5), async (sizes, more) => {
    const total = sizes.reduce((sum, size) => sum + size, 0);
    const read = await readAtMost(total + more, new Source(sizes).stream);
    assert.deepEqual([...read!], Array.from({ length: total }, (_, index) => index % 251));
  }));
});

Deno.test("readAtMost() gives nothing of a source that is one byte too long", async () => {
  for (const sizes of [[10, 1], [11], [5, 5, 0, 1], [0, 11]]) {
    assert.equal(await readAtMost(10, new Source(sizes).stream), undefined, sizes.join());
  }
  assert.equal(await readAtMost(0, new Source([1]).stream), undefined);
  assert.deepEqual(await readAtMost(0, new Source([0]).stream), new Uint8Array());
});

Deno.test("readAtMost() leaves an endless source at the first byte too many, and cancels it", async () => {
  const source = new Source([4], { isEndless: true });
  assert.equal(await readAtMost(10, source.stream), undefined);
  assert.equal(source.given, 12);
  assert.equal(source.isCancelled, true);
});

Deno.test("readAtMost() fails with its source", async () => {
  const failing = new ReadableStream<Uint8Array>({
    pull(controller) {
      controller.error(new TypeError("the line is dead"));
    },
  });
  await assert.rejects(readAtMost(10, failing), /the line is dead/);
});

Deno.test("decodeUtf8() gives back any text, with the mark that it may begin with", () => {
  fc.assert(fc.property(fc.string({ unit: "grapheme" }), (text) => {
    assert.equal(decodeUtf8(new TextEncoder().encode(text)), text);
  }));
  assert.equal(decodeUtf8(new Uint8Array([0xef, 0xbb, 0xbf, 0x61])), "\ufeffa");
});

Deno.test("decodeUtf8() throws for what is not UTF-8, and puts no other character in its place", () => {
  const bad = [[0xff], [0x61, 0x80], [0xc3], [0xc0, 0xaf], [0xe2, 0x82], [0xed, 0xa0, 0x80]];
  for (const bytes of [...bad, [0xf4, 0x90, 0x80, 0x80], [0xf0, 0x80, 0x80, 0xaf]]) {
    assert.throws(() => decodeUtf8(new Uint8Array(bytes)), TypeError, bytes.join());
  }
});
