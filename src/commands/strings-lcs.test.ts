import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { CommandRunner } from "../testing/commands.ts";
import { converse } from "../testing/dialogue.ts";
import { stringCommands } from "./strings.ts";

test("the documented example, and options", () => {
  const runner = new CommandRunner(stringCommands);
  converse(
    runner,
    `
    MSET a ohmytext b mynewtext         => +OK
    LCS a b                             => $6 mytext
    LCS a b LEN                         => :6
    LCS a b IDX                         => *4 $7 matches *2 *2 *2 :4 :7 *2 :5 :8 *2 *2 :2 :3 *2 :0 :1 $3 len :6
    LCS a b IDX MINMATCHLEN 4           => *4 $7 matches *1 *2 *2 :4 :7 *2 :5 :8 $3 len :6
    LCS a b idx minmatchlen 4 withmatchlen => *4 $7 matches *1 *3 *2 :4 :7 *2 :5 :8 :4 $3 len :6
    LCS a b IDX MINMATCHLEN -5 MINMATCHLEN 9223372036854775807 => *4 $7 matches *0 $3 len :6
    LCS a nokey                         => $0
    LCS nokey a LEN                     => :0
    LCS a b LEN IDX                     => -ERR If you want both the length and indexes, please just use IDX.
    LCS a b MINMATCHLEN                 => -ERR syntax error
    LCS a b MINMATCHLEN x               => -ERR value is not an integer or out of range
    LCS a b x                           => -ERR syntax error
    MSET a 12345 b 23                   => +OK
    LCS a b                             => $2 23
    `,
  );
  const third = new CommandRunner(stringCommands, { protocol: 3 });
  third.run("MSET", "a", "x", "b", "x");
  converse(third, "LCS a b IDX => %2 $7 matches *1 *2 *2 :0 :0 *2 :0 :0 $3 len :1");
});

test("a table that would be too large is refused", () => {
  const runner = new CommandRunner(stringCommands, { directives: { "proto-max-bulk-len": "1mb" } });
  runner.run("MSET", "a", "x".repeat(511), "b", "y".repeat(511), "c", "z".repeat(512));
  assert.equal(runner.ask("LCS", "a", "b", "LEN"), 0);
  assert.match(
    runner.run("LCS", "a", "c", "LEN"),
    /^-ERR Insufficient memory, transient memory for LCS exceeds proto-/,
  );
});

/** The twin: recursion with a memory, which shares nothing with the table but the definition. */
function longest(left: string, right: string, known = new Map<string, number>()): number {
  if (left === "" || right === "") return 0;
  const name = `${left.length} ${right.length}`;
  const found = known.get(name);
  if (found !== undefined) return found;
  const [rest, other] = [left.slice(1), right.slice(1)];
  const isEqual = left[0] === right[0];
  const result = isEqual
    ? 1 + longest(rest, other, known)
    : Math.max(longest(rest, right, known), longest(left, other, known));
  known.set(name, result);
  return result;
}

function isSubsequence(part: string, whole: string): boolean {
  let at = 0;
  for (const letter of whole) if (letter === part[at]) at += 1;
  return at === part.length;
}

test("what is found is common, longest, and where it is said to be", () => {
  const runner = new CommandRunner(stringCommands);
  const texts = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 30 });
  fc.assert(
    fc.property(texts, texts, (left, right) => {
      runner.run("MSET", "a", left, "b", right);
      const found = String(runner.ask("LCS", "a", "b"));
      assert.ok(isSubsequence(found, left) && isSubsequence(found, right));
      assert.equal(found.length, longest(left, right));
      assert.equal(runner.ask("LCS", "a", "b", "LEN"), found.length);
      const [, matches] = runner.ask("LCS", "a", "b", "IDX") as [unknown, [[number, number], [number, number]][]];
      const parts = matches.map(([[first, last], [from, to]]) => {
        assert.equal(left.slice(first, last + 1), right.slice(from, to + 1));
        return left.slice(first, last + 1);
      });
      assert.equal(parts.reverse().join(""), found);
    }),
  );
});
