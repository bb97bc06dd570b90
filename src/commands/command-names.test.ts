/** What rename-command makes of names, and that everything that is called by one follows. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Arguments } from "../base/arguments.ts";
import { CommandRunner } from "../testing/commands.ts";
import { allCommands } from "./all-commands.ts";
import type { Command } from "./command.ts";
import { CommandNames, type Renaming, withoutCase } from "./command-names.ts";
import { CommandTable } from "./command-table.ts";

function found(table: CommandTable, name: string): string | undefined {
  const args = new Arguments();
  args.reset(Buffer.from(name, "latin1"));
  args.push(0, name.length);
  const command: Command | undefined = table.find(args, 0);
  assert.equal(table.byName(name), command);
  return command?.name;
}

const RENAMINGS: readonly Renaming[] = [
  ["flushall", ""],
  ["Config", "a much longer name"],
  ["get", "GET"],
  // A name that has been freed may be taken, and what was renamed be renamed again.
  ["incr", "tmp"],
  ["DECR", "incr"],
  ["TMP", "decr"],
  ["echo", "\xe4cho"],
];

test("a renamed command is found by its new name in any case, and by nothing else", () => {
  const table = new CommandTable(allCommands, RENAMINGS);
  for (const name of ["flushall", "FLUSHALL", "config", "tmp", "", "echo", "\xc4cho"]) {
    assert.equal(found(table, name), undefined, name);
  }
  assert.equal(found(table, "a MUCH longer name"), "CONFIG");
  assert.equal(found(table, "get"), "GET");
  assert.deepEqual([found(table, "INCR"), found(table, "decr")], ["DECR", "INCR"]);
  assert.equal(found(table, "\xe4CHO"), "ECHO");
  assert.equal(table.byName("a much longer name|get")?.fullName, "config|get");
  assert.equal(table.byName("config|get"), undefined);
  assert.deepEqual(
    table.all.map(({ name }) => name),
    allCommands.map(({ name }) => name).filter((name) => name !== "FLUSHALL"),
  );
  for (const { name } of allCommands) assert.equal(found(table.original, name), name);
  assert.equal(table.originalNameOf(table.byName("a much longer name|get")!), "CONFIG");
  assert.equal(table.originalNameOf(table.byName("set")!), undefined);
  assert(table.hasRenamed && !table.original.hasRenamed);
});

test("what cannot be renamed is told, and changes nothing", () => {
  const names = new CommandNames(allCommands);
  assert.equal(names.rename(["nosuch", "x"]), "No such command in rename-command");
  assert.equal(names.rename(["config|get", "x"]), "No such command in rename-command");
  assert.equal(names.rename(["GET", "set"]), "Target command name already exists");
  assert.equal(names.find("get")?.name, "GET");
  assert.equal(names.rename(["GET", ""]), undefined);
  assert.equal(names.rename(["GET", "x"]), "No such command in rename-command");
  assert.throws(() => new CommandTable(allCommands, [["GET", "set"]]), /Target command name already exists: GET set/);
});

test("letters A to Z have no case, and others keep theirs", () => {
  assert.equal(withoutCase("aZ_\xe4\xdf|b"), "AZ_\xe4\xdf|B");
});

test("an effect is kept under a command's own name, however it was called", () => {
  const { run, effects } = renamed();
  effects.areKept = true;
  run("put", "k", "1");
  run("increase", "k");
  run("set", "k", "2");
  run("RPUSH", "list", "2", "1");
  run("order", "list", "store", "sorted");
  run("bring", "back", "0", run.dumped);
  const logged = effects.buffer.latin1Slice(128, 128 + effects.length);
  const names = [...logged.matchAll(/\*\d+\r\n\$\d+\r\n(\w+)/g)].map(([, name]) => name);
  assert.deepEqual(names, ["SELECT", "SET", "INCR", "RPUSH", "SORT", "RESTORE"]);
});

function renamed() {
  const runner = new CommandRunner(allCommands, {
    renamings: [
      ["SET", "put"],
      ["INCR", "increase"],
      ["SORT", "order"],
      ["RESTORE", "bring"],
    ],
  });
  const run = (...command: (string | Buffer)[]) => runner.run(...command);
  return { run: Object.assign(run, { dumped: dumpOf("text") }), effects: runner.effects };
}

/** What DUMP says of a string. */
function dumpOf(text: string): Buffer {
  const runner = new CommandRunner(allCommands);
  runner.run("SET", "k", text);
  const reply = Buffer.from(String(runner.run("DUMP", "k")), "latin1");
  const start = reply.indexOf("\r\n") + 2;
  return reply.subarray(start, -2);
}
