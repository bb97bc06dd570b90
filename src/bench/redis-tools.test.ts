import assert from "node:assert/strict";
import { test } from "node:test";
import { protocolCommands } from "./redis-tools.ts";

test("commands are put into protocol form, each once and in their order", () => {
  const text = [...protocolCommands(1_001, (i) => ["SET", `k${i}`, "v".repeat(i % 3)])].join("");
  const commands = text.split(/(?=\*3\r\n)/);
  assert.equal(commands.length, 1_001);
  assert.equal(commands[0], "*3\r\n$3\r\nSET\r\n$2\r\nk0\r\n$0\r\n\r\n");
  assert.equal(commands[1_000], "*3\r\n$3\r\nSET\r\n$5\r\nk1000\r\n$1\r\nv\r\n");
  assert.deepEqual([...protocolCommands(0, () => [])], []);
});
