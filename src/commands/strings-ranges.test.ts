import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandRunner } from "../testing/commands.ts";
import { converse } from "../testing/dialogue.ts";
import { keyCommands } from "./keys.ts";
import { stringCommands } from "./strings.ts";

const COMMANDS = [...keyCommands, ...stringCommands];

test("parts of strings are read", () => {
  const runner = new CommandRunner(COMMANDS);
  converse(
    runner,
    `
    SET a 0123456789                    => +OK
    GETRANGE a 0 -1                     => $10 0123456789
    GETRANGE a 2 4                      => $3 234
    GETRANGE a -3 -1                    => $3 789
    SUBSTR a -3 100                     => $3 789
    GETRANGE a -100 0                   => $1 0
    GETRANGE a 5 4                      => $0
    GETRANGE a -1 -5                    => $0
    GETRANGE a -100 -200                => $0
    GETRANGE a 10 20                    => $0
    GETRANGE a -9223372036854775808 9223372036854775807 => $10 0123456789
    GETRANGE nokey 0 -1                 => $0
    GETRANGE a x 1                      => -ERR value is not an integer or out of range
    SET n -120                          => +OK
    GETRANGE n 1 2                      => $2 12
    STRLEN n                            => :4
    STRLEN a                            => :10
    STRLEN nokey                        => :0
    `,
  );
  runner.verify();
});

test("parts of strings are written", () => {
  const runner = new CommandRunner(COMMANDS, { directives: { "proto-max-bulk-len": "1mb" } });
  converse(
    runner,
    `
    SETRANGE a 0 ''                     => :0
    EXISTS a                            => :0
    SETRANGE a 3 abc                    => :6
    GETRANGE a 2 4                      => $3 \0ab
    SETRANGE a 4 XYZW                   => :8
    GETRANGE a 3 -1                     => $5 aXYZW
    SETRANGE a 0 ''                     => :8
    SETRANGE a -1 x                     => -ERR offset is out of range
    SETRANGE a x x                      => -ERR value is not an integer or out of range
    SETRANGE a 1048576 x                => -ERR string exceeds maximum allowed size (proto-max-bulk-len)
    SETRANGE a 9223372036854775807 x    => -ERR string exceeds maximum allowed size (proto-max-bulk-len)
    SETRANGE a 1048575 x                => :1048576
    APPEND a x                          => -ERR string exceeds maximum allowed size (proto-max-bulk-len)
    EXPIRE a 100                        => :1
    SETRANGE a 0 x                      => :1048576
    TTL a                               => :100
    APPEND b abc                        => :3
    APPEND b ''                         => :3
    APPEND b def                        => :6
    GET b                               => $6 abcdef
    `,
  );
  runner.verify();
});

test("no offset is too large to be refused", () => {
  const runner = new CommandRunner(COMMANDS, { directives: { "proto-max-bulk-len": "9223372036854775807" } });
  runner.run("SET", "a", "old");
  for (const offset of ["16777216", "2147479552", "2147483647", "4294967295", "4294967296", "9007199254740991"]) {
    assert.match(runner.run("SETRANGE", "a", offset, "x"), /^-OOM /, offset);
    assert.match(runner.run("SETRANGE", "nokey", offset, "x"), /^-OOM /, offset);
  }
  converse(runner, "GET a => $3 old\nEXISTS nokey => :0");
  runner.verify();
});

test("a string that is appended to grows through every way it is stored", () => {
  const runner = new CommandRunner(COMMANDS);
  let twin = "";
  for (let step = 0; twin.length < 3_000_000; step++) {
    const added = String.fromCharCode(97 + (step % 26)).repeat(1 + Math.floor(twin.length / 5));
    twin += added;
    assert.equal(runner.ask("APPEND", "a", added), twin.length);
    assert.equal(runner.ask("GET", "a")?.toString(), twin);
  }
  runner.verify();
});
