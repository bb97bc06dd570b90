import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandRunner } from "../testing/commands.ts";
import { bytes, key, repeated } from "./argument.ts";
import { command, type KeySpec } from "./command.ts";
import { legacyRange } from "./command-keys.ts";
import { configCommands } from "./config.ts";
import { introspectionCommands } from "./introspection.ts";
import { EVERY_SECOND_KEY, OVERWRITE_KEY } from "./key-specs.ts";
import { memoryCommands } from "./memory.ts";

const BY_COUNT: KeySpec = {
  flags: ["RO", "access"],
  begin: { index: 2 },
  find: { keyCountAt: 0, first: 1, step: 1 },
};
const BY_KEYWORD: KeySpec = {
  flags: ["OW", "update"],
  begin: { keyword: "STORE", from: 1 },
  find: { last: 0, step: 1, limit: 0 },
};

const shared = { summary: "Tests.", complexity: "O(1)", since: "1.0.0", flags: [], run: () => undefined } as const;
const PAIRS = command({
  ...shared,
  name: "PAIRS",
  group: "string",
  arity: -3,
  keys: [EVERY_SECOND_KEY],
  args: { data: repeated({ key: key(), value: bytes() }) },
});
const COUNTED = command({
  ...shared,
  name: "COUNTED",
  group: "generic",
  arity: -3,
  keys: [OVERWRITE_KEY, BY_COUNT, BY_KEYWORD],
  args: { all: repeated({ all: bytes() }) },
});

const commands = [...introspectionCommands, ...configCommands, ...memoryCommands, PAIRS, COUNTED];

test("texts and replies that clients match on", () => {
  const cases: [command: string, reply: string][] = [
    ["COMMAND COUNT", `:${commands.length}\r\n`],
    ["COMMAND COUNT x", "-ERR wrong number of arguments for 'command|count' command\r\n"],
    ["COMMAND FOO", "-ERR unknown subcommand 'FOO'. Try COMMAND HELP.\r\n"],
    ["COMMAND INFO nope get|x config|get|x", "*3\r\n$-1\r\n$-1\r\n$-1\r\n"],
    ["COMMAND DOCS nope", "*0\r\n"],
    ["COMMAND LIST x", "-ERR syntax error\r\n"],
    ["COMMAND LIST FILTERBY PATTERN", "-ERR syntax error\r\n"],
    ["COMMAND LIST FILTERBY x y", "-ERR syntax error\r\n"],
    ["COMMAND LIST FILTERBY MODULE x", "*0\r\n"],
    ["COMMAND LIST FILTERBY ACLCAT string", "*1\r\n$5\r\npairs\r\n"],
    ["COMMAND LIST FILTERBY PATTERN *ig|*et", "*2\r\n$10\r\nconfig|get\r\n$10\r\nconfig|set\r\n"],
    ["COMMAND GETKEYS nope a", "-ERR Invalid command specified\r\n"],
    ["COMMAND GETKEYS config nope", "-ERR Invalid command specified\r\n"],
    ["COMMAND GETKEYS config get x", "-ERR The command has no key arguments\r\n"],
    ["COMMAND GETKEYS pairs a", "-ERR Invalid number of arguments specified for command\r\n"],
    ["COMMAND GETKEYS pairs a b c d", "*2\r\n$1\r\na\r\n$1\r\nc\r\n"],
    ["COMMAND GETKEYS memory usage k", "*1\r\n$1\r\nk\r\n"],
    ["COMMAND GETKEYS counted a 2 b c", "*3\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n"],
    ["COMMAND GETKEYS counted a 1 b store d", "*3\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nd\r\n"],
    ["COMMAND GETKEYS counted a 9 b c", "-ERR Invalid arguments specified for command\r\n"],
    ["COMMAND GETKEYS counted a x b c", "-ERR Invalid arguments specified for command\r\n"],
    ["COMMAND GETKEYSANDFLAGS memory usage k", "*1\r\n*2\r\n$1\r\nk\r\n*1\r\n+RO\r\n"],
  ];
  const runner = new CommandRunner(commands);
  for (const [command, reply] of cases) assert.equal(runner.run(...command.split(" ")), reply, command);
});

test("COMMAND INFO tells flags, keys and categories, in RESP3's types", () => {
  const runner = new CommandRunner(commands, { protocol: 3 });
  const [info] = runner.ask("COMMAND", "INFO", "memory|usage") as unknown[][];
  assert.deepEqual(info, [
    "memory|usage",
    -3,
    new Set(["readonly"]),
    2,
    2,
    1,
    new Set(["@read", "@slow"]),
    new Set(),
    new Set([
      new Map<string, unknown>([
        ["flags", new Set(["RO"])],
        [
          "begin_search",
          new Map<string, unknown>([
            ["type", "index"],
            ["spec", new Map([["index", 2]])],
          ]),
        ],
        [
          "find_keys",
          new Map<string, unknown>([
            ["type", "range"],
            [
              "spec",
              new Map([
                ["lastkey", 0],
                ["keystep", 1],
                ["limit", 0],
              ]),
            ],
          ]),
        ],
      ]),
    ]),
    new Set(),
  ]);
});

test("COMMAND INFO nests subcommands; containers are in no category of their group", () => {
  const runner = new CommandRunner(commands);
  const [config] = runner.ask("COMMAND", "INFO", "config") as unknown[][];
  assert.deepEqual(config!.slice(0, 9), ["config", -2, [], 0, 0, 0, ["@slow"], [], []]);
  const names = (config![9] as unknown[][]).map(([name]) => name);
  assert.deepEqual(names, ["config|get", "config|resetstat", "config|rewrite", "config|set", "config|help"]);
  assert.equal((runner.ask("COMMAND") as unknown[]).length, commands.length);
});

test("COMMAND DOCS documents arguments, tokens and subcommands", () => {
  const runner = new CommandRunner(commands, { protocol: 3 });
  const docs = runner.ask("COMMAND", "DOCS", "memory", "nope") as Map<string, Map<string, unknown>>;
  assert.deepEqual([...docs.keys()], ["memory"]);
  const usage = (docs.get("memory")!.get("subcommands") as Map<string, Map<string, unknown>>).get("memory|usage")!;
  assert.deepEqual([...usage.keys()], ["summary", "since", "group", "complexity", "arguments"]);
  assert.deepEqual(usage.get("arguments"), [
    new Map<string, unknown>([
      ["name", "key"],
      ["type", "key"],
      ["display_text", "key"],
      ["key_spec_index", 0],
    ]),
    new Map<string, unknown>([
      ["name", "count"],
      ["type", "integer"],
      ["display_text", "count"],
      ["token", "SAMPLES"],
      ["flags", new Set(["optional"])],
    ]),
  ]);
  assert.equal((runner.ask("COMMAND", "DOCS") as Map<string, unknown>).size, commands.length);
});

test("the range of keys in old terms, and whether it tells all", () => {
  const at = (index: number, last = 0, step = 1): KeySpec => ({
    flags: ["RO"],
    begin: { index },
    find: { last, step, limit: 0 },
  });
  const cases: [specs: KeySpec[], range: [number, number, number, boolean]][] = [
    [[], [0, 0, 0, false]],
    [[at(1)], [1, 1, 1, false]],
    [[at(1, -1, 2)], [1, -1, 2, false]],
    [[at(1, -2)], [1, -2, 1, false]],
    [
      [at(1), at(2)],
      [1, 2, 1, false],
    ],
    [
      [at(1), at(2, -1)],
      [1, -1, 1, false],
    ],
    [
      [at(1), at(3)],
      [1, 1, 1, true],
    ],
    [[BY_COUNT], [0, 0, 0, true]],
    [
      [at(1), BY_KEYWORD],
      [1, 1, 1, true],
    ],
  ];
  for (const [specs, [first, last, step, isPartial]] of cases) {
    assert.deepEqual(legacyRange(specs), { first, last, step, isPartial });
  }
});
