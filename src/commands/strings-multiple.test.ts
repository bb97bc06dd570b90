import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandRunner } from "../testing/commands.ts";
import { converse } from "../testing/dialogue.ts";
import { keyCommands } from "./keys.ts";
import { scanCommands } from "./scan.ts";
import { stringCommands } from "./strings.ts";

const COMMANDS = [...keyCommands, ...scanCommands, ...stringCommands];
const SMALL = 512 * 1024;

for (const [name, options] of [
  ["one region with ample room", {}],
  ["one small region", { regionSize: SMALL + SMALL / 2 }],
  ["four regions", { shards: 4 }],
  ["four small regions", { shards: 4, regionSize: SMALL + SMALL / 2 }],
] as const) {
  test(`several keys at once, in ${name}`, () => {
    const runner = new CommandRunner(COMMANDS, options);
    converse(
      runner,
      `
      MSET a 1 b two                  => +OK
      MGET a nokey b                  => *3 $1 1 $-1 $3 two
      MSET a 2 c 3 a 4 d 5 c 6 a x    => +OK
      MGET a b c d                    => *4 $1 x $3 two $1 6 $1 5
      EXPIRE a 100                    => :1
      MSET a y                        => +OK
      TTL a                           => :-1
      MSETNX d 1 e 2                  => :0
      EXISTS e                        => :0
      MSETNX e 1 f 2 e 3              => :1
      MGET d e f                      => *3 $1 5 $1 3 $1 2
      MSET a                          => -ERR wrong number of arguments for 'mset' command
      MSET a 1 b                      => -ERR wrong number of arguments for 'mset' command
      MSETNX a 1 b                    => -ERR wrong number of arguments for 'msetnx' command
      `,
    );
    runner.verify();
  });
}

for (const shards of [1, 4]) {
  test(`without room for all, none is set: ${shards} regions`, () => {
    const runner = new CommandRunner(COMMANDS, { shards, regionSize: SMALL });
    runner.run("MSET", "a", "1", "b", "x".repeat(3000), "c", "3");
    const { liveBlocks } = runner.keyspace.figures();
    const filling = Array.from({ length: 30 * shards }, (_, index) => [`filler:${index}`, "y".repeat(20_000)]).flat();
    assert.match(
      runner.run("MSET", "a", "new", "b", "new", "d", "new", "a", "newer", ...filling, "c", "new"),
      /^-OOM /,
    );
    assert.match(runner.run("MSETNX", "d", "new", "e", "new", "d", "newer", ...filling), /^-OOM /);
    converse(
      runner,
      `
      MGET a c d e                   => *4 $1 1 $1 3 $-1 $-1
      STRLEN b                       => :3000
      KEYS filler:*                  => *0
      `,
    );
    assert.equal(runner.keyspace.figures().liveBlocks, liveBlocks);
    runner.verify();
  });
}

test("keys that are inserted until the tables have no room are taken out again", () => {
  const runner = new CommandRunner(COMMANDS, { regionSize: SMALL });
  runner.run("SET", "kept", "value");
  let [small, large] = [0, 20_000];
  while (large - small > 1) {
    const count = (small + large) >>> 1;
    const pairs = Array.from({ length: count }, (_, index) => [`k${index}`, "v"]).flat();
    const reply = runner.run("MSET", "kept", "other", ...pairs);
    const { count: keys } = runner.keyspace.databases[0]!;
    assert.equal(keys, reply === "+OK\r\n" ? count + 1 : 1);
    assert.equal(runner.ask("GET", "kept")?.toString(), reply === "+OK\r\n" ? "other" : "value");
    runner.verify();
    runner.keyspace.flushAll();
    runner.run("SET", "kept", "value");
    if (reply === "+OK\r\n") small = count;
    else large = count;
  }
  assert.ok(small > 1000, `only ${small} pairs had room`);
});
