import assert from "node:assert/strict";
import { test } from "node:test";
import { Arguments } from "./arguments.ts";
import { Slice } from "./bytes.ts";

function argumentsOf(...words: readonly string[]): Arguments {
  const args = new Arguments();
  args.reset(Buffer.from(`--${words.join("--")}`, "latin1"));
  let at = 0;
  for (const word of words) {
    args.push(at + 2, word.length);
    at += 2 + word.length;
  }
  return args;
}

test("an argument in each of its forms", () => {
  const args = argumentsOf("SET", "k\xc3\xa9", "", "-42", "9223372036854775807", "42x");
  assert.equal(args.count, 6);
  assert.equal(args.start(1), 7);
  assert.equal(args.length(1), 3);
  assert.equal(args.end, args.bytes.length);
  assert.equal(args.latin1(1), "k\xc3\xa9");
  assert.equal(args.text(1), "ké");
  assert.equal(args.latin1(2), "");
  assert.equal(args.int64(3), -42);
  assert.equal(args.int64(4), 2n ** 63n - 1n);
  assert.equal(args.int64(5), undefined);
  assert.equal(args.int64(2), undefined);
  const slice = args.slice(1, new Slice());
  assert.deepEqual([slice.bytes, slice.start, slice.length], [args.bytes, 7, 3]);
  const copy = args.buffer(0);
  args.bytes.fill(0);
  assert.equal(copy.toString(), "SET");
});

test("words are recognised in any case, and nothing else is", () => {
  for (const word of ["GET", "get", "gEt"]) assert.ok(argumentsOf(word).is(0, "GET"));
  for (const word of ["", "GE", "GETX", "GE\x14", "GE4", "G\xc5T", "\x07ET", "'ET"]) {
    assert.ok(!argumentsOf(word).is(0, "GET"), JSON.stringify(word));
  }
  assert.ok(argumentsOf("no-evict").is(0, "NO-EVICT"));
  assert.ok(!argumentsOf("no\revict").is(0, "NO-EVICT"));
  assert.ok(argumentsOf("").is(0, ""));
  // What folding by one bit would confuse with letters and signs.
  assert.ok(!argumentsOf("`").is(0, "@"));
  assert.ok(!argumentsOf("{").is(0, "["));
});

test("any number of arguments, and the room for them is let go", () => {
  const words = Array.from({ length: 5000 }, (_, index) => `${index}`);
  const args = argumentsOf(...words);
  assert.deepEqual(
    Array.from({ length: args.count }, (_, index) => args.latin1(index)),
    words,
  );
  args.release();
  assert.equal(args.count, 0);
  assert.ok(args.starts.length < 100 && args.lengths.length === args.starts.length);
  args.push(0, 1);
  assert.equal(args.count, 1);
});
