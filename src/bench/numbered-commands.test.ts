import assert from "node:assert/strict";
import { test } from "node:test";
import { commandCount, type Numbered, numberedCommands } from "./numbered-commands.ts";

const PAIRS: Numbered = {
  head: ["ZADD", "key"],
  element: ({ upper, lower }) => [`${lower}${upper}`, `member:${upper}${lower}`],
  perCommand: 2,
};

test("every number comes once, in its order, with all of its digits wherever they stand", () => {
  const commands = Buffer.concat([...numberedCommands(PAIRS, 3_000)])
    .toString("latin1")
    .split(/(?=\*6\r\n)/);
  assert.equal(commands.length, commandCount(PAIRS, 3_000));
  commands.forEach((text, i) => {
    const digits = (number: number): string => String(number).padStart(12, "0");
    const element = (number: number): string => {
      const score = `${digits(number).slice(9)}${digits(number).slice(0, 9)}`;
      return `$12\r\n${score}\r\n$19\r\nmember:${digits(number)}\r\n`;
    };
    assert.equal(text, `*6\r\n$4\r\nZADD\r\n$3\r\nkey\r\n${element(i * 2)}${element(i * 2 + 1)}`);
  });
});

test("counts that do not fill a piece are refused", () => {
  assert.throws(() => [...numberedCommands(PAIRS, 1_500)], RangeError);
  assert.throws(() => [...numberedCommands({ ...PAIRS, perCommand: 3 }, 3_000)], RangeError);
});
