import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { seedOfRun } from "../testing/random.ts";
import { bytesOfText, quoted, splitArguments, textOfBytes } from "./quoting.ts";

test("a line is split into its arguments", () => {
  const cases: Array<[line: string, words: string[] | undefined]> = [
    ["", []],
    [" \t ", []],
    ["a b", ["a", "b"]],
    ["  a\t b\r", ["a", "b"]],
    ['a ""', ["a", ""]],
    ['a "b c"', ["a", "b c"]],
    ["a 'b c'", ["a", "b c"]],
    ['"\\n\\r\\t\\b\\a\\x41\\xff\\q\\"\\\\"', ['\n\r\t\b\x07A\xffq"\\']],
    ['"\\x4"', ["x4"]],
    ["'\\n\\''", ["\\n'"]],
    ['ab"cd"', ["abcd"]],
    ['a"b', undefined],
    ["a'b", undefined],
    ['"a"b', undefined],
    ["'a'b", undefined],
    ['"a\\"', undefined],
    ['"a\\', undefined],
    ["a\\ b", ["a\\", "b"]],
  ];
  for (const [line, words] of cases) assert.deepEqual(splitArguments(line), words, JSON.stringify(line));
});

test("any bytes survive being quoted and read again", () => {
  const bytes = fc.uint8Array({ maxLength: 40 }).map((content) => Buffer.from(content).toString("latin1"));
  const property = fc.property(fc.array(bytes, { maxLength: 4 }), (words) => {
    const line = words.map(quoted).join(" ");
    assert.match(line, /^[ -~]*$/);
    assert.deepEqual(splitArguments(line), words);
  });
  fc.assert(property, { seed: seedOfRun() });
});

test("text becomes bytes and text again", () => {
  assert.equal(bytesOfText("é€"), "\xc3\xa9\xe2\x82\xac");
  assert.equal(textOfBytes(bytesOfText("é€ 😀")), "é€ 😀");
});
