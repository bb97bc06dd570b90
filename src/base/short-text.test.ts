import assert from "node:assert/strict";
import { test } from "node:test";
import { SHORT_TEXT_MAX, shortText, shortTextIn } from "./short-text.ts";

function wordsOf(bytes: Buffer): Int32Array {
  const words = new Int32Array(8);
  Buffer.from(words.buffer).set(bytes, 8);
  return words;
}

test("texts of every short length come out as they went in", () => {
  const bytes = Buffer.from("The quick brown fox");
  for (let length = 0; length <= SHORT_TEXT_MAX; length++) {
    assert.equal(shortText(wordsOf(bytes), 2, length), bytes.toString("latin1", 0, length));
  }
});

test("every ASCII character is itself", () => {
  for (let code = 0; code < 0x80; code++) {
    const bytes = Buffer.alloc(SHORT_TEXT_MAX, code);
    assert.equal(shortText(wordsOf(bytes), 2, 5), String.fromCharCode(code).repeat(5));
    assert.equal(shortText(wordsOf(bytes), 2, SHORT_TEXT_MAX), bytes.toString("latin1"));
  }
});

test("what is not ASCII is left to a decoder, wherever it stands", () => {
  for (let place = 0; place < SHORT_TEXT_MAX; place++) {
    const bytes = Buffer.alloc(SHORT_TEXT_MAX, "a");
    bytes[place] = 0x80;
    for (let length = place + 1; length <= SHORT_TEXT_MAX; length++) {
      assert.equal(shortText(wordsOf(bytes), 2, length), undefined);
    }
  }
});

test("of bytes that begin anywhere, only those of the text count", () => {
  const text = Buffer.from("The quick brown fox");
  for (let start = 0; start < 4; start++) {
    for (let length = 0; length <= SHORT_TEXT_MAX; length++) {
      const bytes = Buffer.alloc(start + SHORT_TEXT_MAX, 0xff);
      text.copy(bytes, start, 0, length);
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      assert.equal(shortTextIn(view, start, length), text.toString("latin1", 0, length));
      for (let place = 0; place < length; place++) {
        const before = bytes[start + place]!;
        bytes[start + place] = 0x80;
        assert.equal(shortTextIn(view, start, length), undefined);
        bytes[start + place] = before;
      }
    }
  }
});
