import assert from "node:assert/strict";
import { test } from "node:test";
import { SHORT_TEXT_MAX, shortText } from "./short-text.ts";

test("texts of every short length come out as they went in", () => {
  const bytes = Buffer.from("..The quick brown fox jumps");
  for (let length = 0; length <= SHORT_TEXT_MAX; length++) {
    assert.equal(shortText(bytes, 2, length), bytes.toString("latin1", 2, 2 + length));
  }
  assert.throws(() => shortText(bytes, 0, SHORT_TEXT_MAX + 1), RangeError);
});

test("what is not ASCII is left to a decoder, wherever it stands", () => {
  for (let place = 0; place < SHORT_TEXT_MAX; place++) {
    const bytes = Buffer.alloc(SHORT_TEXT_MAX, "a");
    bytes[place] = 0x80;
    assert.equal(shortText(bytes, 0, SHORT_TEXT_MAX), undefined);
    assert.equal(shortText(bytes, 0, place), "a".repeat(place));
  }
});
