import assert from "node:assert/strict";
import { test } from "node:test";
import { allCommands } from "../commands/all-commands.ts";
import { CommandRunner } from "../testing/commands.ts";
import { digestOfAll } from "./live-digest.ts";

const START = 1_700_000_000_000;
const NOTHING = "0".repeat(40);

function runnerOf(commands: readonly string[], seed: readonly [number, number], now = () => START): CommandRunner {
  const runner = new CommandRunner(allCommands, { seed, now });
  for (const command of commands) runner.run(...command.split(" "));
  return runner;
}

const HISTORY = [
  "SET s v",
  "SET n 12345",
  "RPUSH l a b c",
  "SADD t a b c",
  "HSET h f v g w",
  "ZADD z 1 a 2.5 b",
  "PEXPIREAT s 1700000009999",
  "SELECT 5",
  "SET s v",
];

test("the same data has the same digest, in whatever order it came, and in databases of its own", () => {
  const one = digestOfAll(runnerOf(HISTORY, [1, 2]).keyspace);
  const other = digestOfAll(
    runnerOf(
      ["SELECT 5", "SET s v", "SELECT 0", ...HISTORY.slice(0, 7).toReversed(), "PEXPIREAT s 1700000009999"],
      [3, 4],
    ).keyspace,
  );
  assert.match(one, /^[0-9a-f]{40}$/);
  assert.equal(one, other);
  assert.equal(digestOfAll(runnerOf([], [1, 2]).keyspace), NOTHING);
});

test("any difference makes another digest", () => {
  const changes = ["SET s w", "APPEND n 6", "LPUSH l z", "SREM t a", "HSET h f w", "ZINCRBY z 1 a", "PERSIST s"];
  const seen = new Set([digestOfAll(runnerOf(HISTORY, [1, 2]).keyspace)]);
  for (const change of [...changes, "MOVE n 5", "SWAPDB 0 5", "DEL l"]) {
    seen.add(digestOfAll(runnerOf([...HISTORY, "SELECT 0", change], [1, 2]).keyspace));
  }
  assert.equal(seen.size, changes.length + 4);
});

test("what has expired does not count, whether it has been removed or not", () => {
  let now = START;
  const commands = ["SET a 1", "SET gone 1 PX 10", "HSET h f v g w", "HPEXPIRE h 10 FIELDS 1 g", "HSET x f v"];
  const runner = runnerOf([...commands, "HPEXPIRE x 10 FIELDS 1 f"], [1, 2], () => now);
  const before = digestOfAll(runner.keyspace);
  now += 10;
  runner.keyspace.clock.forget();
  const after = digestOfAll(runner.keyspace);
  assert.notEqual(after, before);
  assert.equal(after, digestOfAll(runnerOf(["SET a 1", "HSET h f v"], [1, 2]).keyspace));
  runner.keyspace.expireDue(1000);
  assert.equal(digestOfAll(runner.keyspace), after);
  runner.run("DEL", "a", "h");
  assert.equal(digestOfAll(runner.keyspace), NOTHING);
});

test("DEBUG DIGEST shows it", () => {
  const runner = runnerOf(HISTORY, [1, 2]);
  assert.equal(runner.run("DEBUG", "DIGEST"), `+${digestOfAll(runner.keyspace)}\r\n`);
});
