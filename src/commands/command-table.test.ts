import assert from "node:assert/strict";
import { test } from "node:test";
import { Arguments } from "../base/arguments.ts";
import { Random, seedOfRun } from "../testing/random.ts";
import { type Command, command, subcommand } from "./command.ts";
import { CommandTable } from "./command-table.ts";

function declared(name: string, subcommands: readonly Command[] = []): Command {
  return command({ ...factsOf(name), ...(subcommands.length > 0 ? { subcommands } : {}) });
}

function factsOf(name: string) {
  return {
    name,
    summary: "Is found.",
    complexity: "O(1)",
    since: "1.0.0",
    group: "generic",
    arity: 1,
    flags: [],
    args: {},
    run: () => undefined,
  } as const;
}

function find(table: CommandTable, name: string): Command | undefined {
  const args = new Arguments();
  args.reset(Buffer.from(`<${name}>`, "latin1"));
  args.push(1, name.length);
  return table.find(args, 0);
}

const NAMES = ["GET", "SET", "GETSET", "SETGET", "PEXPIREAT", "BITFIELD_RO", "RESTORE-ASKING", "A".repeat(40)];

test("a command is found by its name in any case, and by nothing else", () => {
  const table = new CommandTable(NAMES.map((name) => declared(name)));
  for (const name of NAMES) {
    for (const text of [name, name.toLowerCase(), name[0] + name.slice(1).toLowerCase()]) {
      assert.equal(find(table, text)?.name, name);
      assert.equal(table.byName(text)?.name, name);
    }
    for (const text of [`${name}X`, name.slice(1), name.replace(/[A-Z]/, "\x07"), `${name}\0`, ` ${name}`]) {
      assert.equal(find(table, text), undefined, JSON.stringify(text));
    }
  }
  // Equal under the table's hash, which ignores two bits of each byte and all beyond the first few bytes.
  assert.equal(find(table, "BITFIELD\x7fRO"), undefined);
  assert.equal(find(table, `${"A".repeat(39)}B`), undefined);
  assert.equal(find(table, ""), undefined);
  assert.equal(find(table, "x".repeat(100_000)), undefined);
  assert.deepEqual(
    table.all.map(({ name }) => name),
    NAMES,
  );
});

test("subcommands are found by name behind their command's", () => {
  const inner = subcommand("CONFIG", factsOf("GET"));
  const table = new CommandTable([declared("CONFIG", [inner]), declared("GET")]);
  assert.equal(table.byName("config|get"), inner);
  assert.equal(table.byName("CONFIG|GET"), inner);
  assert.equal(table.byName("get")?.fullName, "get");
  for (const name of ["config|", "config|set", "get|get", "|get", ""])
    assert.equal(table.byName(name), undefined, name);
});

test("tables of any size find all they hold, and end every search", () => {
  const random = new Random(seedOfRun());
  for (const size of [0, 1, 5, 6, 16, 250]) {
    const names = new Set<string>();
    while (names.size < size) names.add(random.text(random.between(1, 3), "ABCDEF-_|"));
    const table = new CommandTable([...names].map((name) => declared(name)));
    for (const name of names) assert.equal(find(table, name.toLowerCase())?.name, name);
    for (let count = 0; count < 500; count++) {
      const name = random.text(random.between(0, 4), "ABCDEF-_|G");
      assert.equal(find(table, name) !== undefined, names.has(name));
    }
  }
});
