import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandRunner, type RunnerOptions } from "../testing/commands.ts";
import { converse } from "../testing/dialogue.ts";
import { hashCommands } from "./hashes.ts";
import { keyCommands } from "./keys.ts";
import { stringCommands } from "./strings.ts";

const COMMANDS = [...hashCommands, ...keyCommands, ...stringCommands];

const OUT_OF_RANGE = "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807";

/** @param entries hash-max-listpack-entries: 0 makes every hash a table */
function start(entries = 512, options: RunnerOptions = {}): CommandRunner {
  const runner = new CommandRunner(COMMANDS, { regionSize: 4 * 1024 * 1024, ...options });
  runner.keyspace.limits.hashEntries = entries;
  return runner;
}

for (const [encoding, entries] of [
  ["listpack", 512],
  ["hashtable", 0],
] as const) {
  test(`fields are set, read and removed: ${encoding}`, () => {
    const runner = start(entries);
    converse(
      runner,
      `
      HSET h a 1 b two a 3      => :2
      HGET h a                  => $1 3
      HGET h c                  => $-1
      HGET nokey a              => $-1
      HMGET h b c a b           => *4 $3 two $-1 $1 3 $3 two
      HMGET nokey a b           => *2 $-1 $-1
      HEXISTS h a               => :1
      HEXISTS h c               => :0
      HEXISTS nokey a           => :0
      HLEN h                    => :2
      HLEN nokey                => :0
      HSTRLEN h b               => :3
      HSTRLEN h a               => :1
      HSTRLEN h c               => :0
      HSTRLEN nokey a           => :0
      HSETNX h a 9              => :0
      HSETNX h c ''             => :1
      HGET h c                  => $0
      HSETNX new a 1            => :1
      HMSET h '' empty d x      => +OK
      HGET h ''                 => $5 empty
      HLEN h                    => :5
      HDEL h a nofield a b      => :2
      HDEL h ''                 => :1
      HDEL nokey a              => :0
      HDEL h c d e              => :2
      EXISTS h                  => :0
      TYPE new                  => +hash
      OBJECT ENCODING new       => $${encoding.length} ${encoding}
      HSET h a 1                => :1
      SET h x                   => +OK
      GET h                     => $1 x
      `,
    );
    runner.verify();
  });

  test(`values are counted up and down: ${encoding}`, () => {
    const runner = start(entries);
    converse(
      runner,
      `
      HINCRBY h n 5                        => :5
      HINCRBY h n -7                       => :-2
      HINCRBY h big 9223372036854775807    => :9223372036854775807
      HINCRBY h big 1                      => -ERR increment or decrement would overflow
      HINCRBY h big -9223372036854775807   => :0
      HSET h t text f 1.5 sp '' inf inf    => :4
      HINCRBY h t 1                        => -ERR hash value is not an integer
      HINCRBY h f 1                        => -ERR hash value is not an integer
      HINCRBY h sp 1                       => -ERR hash value is not an integer
      HINCRBY h n x                        => -ERR value is not an integer or out of range
      HINCRBYFLOAT h f 0.1                 => $3 1.6
      HINCRBYFLOAT h new 3.0e3             => $4 3000
      HINCRBYFLOAT h n -0.5                => $4 -2.5
      HINCRBYFLOAT h t 1                   => -ERR hash value is not a float
      HINCRBYFLOAT h f x                   => -ERR value is not a valid float
      HINCRBYFLOAT h f inf                 => -ERR value is NaN or Infinity
      HINCRBYFLOAT h inf 1                 => -ERR increment would produce NaN or Infinity
      HGET h f                             => $3 1.6
      HLEN h                               => :7
      `,
    );
    runner.verify();
  });
}

test("errors, and in which order they come", () => {
  converse(
    start(),
    `
    SET s x                   => +OK
    HSET s a                  => -ERR wrong number of arguments for 'hset' command
    HSET s a 1 b              => -ERR wrong number of arguments for 'hset' command
    HMSET s a 1 b             => -ERR wrong number of arguments for 'hmset' command
    HSET s a 1                => -WRONGTYPE Operation against a key holding the wrong kind of value
    HGET s a                  => -WRONGTYPE Operation against a key holding the wrong kind of value
    HINCRBY s a x             => -ERR value is not an integer or out of range
    HINCRBYFLOAT s a x        => -ERR value is not a valid float
    HINCRBYFLOAT s a inf      => -ERR value is NaN or Infinity
    HRANDFIELD s x            => -ERR value is not an integer or out of range
    HRANDFIELD s 1 FOO        => -ERR syntax error
    HRANDFIELD s 1 WITHVALUES X                       => -ERR syntax error
    HRANDFIELD s -9223372036854775808 => -${OUT_OF_RANGE}
    HRANDFIELD s 4611686018427387904 WITHVALUES       => -ERR value is out of range
    HRANDFIELD s 1            => -WRONGTYPE Operation against a key holding the wrong kind of value
    HSCAN s x                 => -ERR invalid cursor
    HSCAN s 0 FOO             => -WRONGTYPE Operation against a key holding the wrong kind of value
    HSCAN nokey 0 FOO         => *2 $1 0 *0
    HSET h a 1                => :1
    HRANDFIELD h -9223372036854775807                 => -ERR value is out of range
    HSCAN h 0 FOO             => -ERR syntax error
    HSCAN h 0 COUNT           => -ERR syntax error
    HSCAN h 0 COUNT 0         => -ERR syntax error
    HSCAN h 0 COUNT x         => -ERR value is not an integer or out of range
    `,
  );
});

test("a hash becomes a table when a field or value is too long, or there are too many", () => {
  const runner = start(3);
  const encoding = (): unknown => runner.ask("OBJECT", "ENCODING", "h");
  runner.run("HSET", "h", "a", "x".repeat(64), "b".repeat(64), "2");
  assert.equal(encoding(), "listpack");
  runner.run("HSET", "h", "c", "3");
  assert.equal(encoding(), "listpack");
  runner.run("HSET", "h", "c", "4");
  assert.equal(encoding(), "listpack");
  runner.run("HSET", "h", "d", "4");
  assert.equal(encoding(), "hashtable");
  assert.deepEqual(runner.ask("HMGET", "h", "a", "c", "d"), ["x".repeat(64), "4", "4"]);
  runner.run("HDEL", "h", "a", "c");
  assert.equal(encoding(), "hashtable");
  for (const [field, value] of [
    ["f".repeat(65), "1"],
    ["f", "1".repeat(65)],
  ] as const) {
    runner.run("DEL", "h");
    runner.run("HSET", "h", "a", "1");
    runner.run("HSET", "h", field, value);
    assert.equal(encoding(), "hashtable");
    assert.equal(runner.ask("HGET", "h", field), value);
  }
  runner.run("DEL", "h");
  // Redis goes by how many pairs a command gives, even where they name the same field.
  runner.run("HSET", "h", "a", "1", "a", "2", "a", "3", "a", "4");
  assert.equal(encoding(), "hashtable");
  runner.verify();
});

test("all fields, in both protocols", () => {
  for (const entries of [512, 0]) {
    const runner = start(entries);
    runner.run("HSET", "h", "a", "1");
    assert.equal(runner.run("HGETALL", "h"), "*2\r\n$1\r\na\r\n$1\r\n1\r\n");
    assert.equal(runner.run("HGETALL", "nokey"), "*0\r\n");
    runner.context.session.protocol = 3;
    assert.equal(runner.run("HGETALL", "h"), "%1\r\n$1\r\na\r\n$1\r\n1\r\n");
    assert.equal(runner.run("HGETALL", "nokey"), "%0\r\n");
    assert.equal(runner.run("HKEYS", "h"), "*1\r\n$1\r\na\r\n");
    assert.equal(runner.run("HVALS", "h"), "*1\r\n$1\r\n1\r\n");
    assert.equal(runner.run("HVALS", "nokey"), "*0\r\n");
    assert.equal(runner.run("HRANDFIELD", "h", "1", "WITHVALUES"), "*1\r\n*2\r\n$1\r\na\r\n$1\r\n1\r\n");
    runner.run("HSET", "h", "-5", "17", "b", "x");
    assert.deepEqual(
      runner.ask("HGETALL", "h"),
      new Map([
        ["a", "1"],
        ["-5", "17"],
        ["b", "x"],
      ]),
    );
  }
});

test("changes are counted as Redis counts them", () => {
  for (const entries of [512, 0]) {
    const runner = start(entries);
    let before = 0;
    for (const [line, changes] of [
      ["HSET h a 1", 1],
      ["HSET h a 1 b 2 c 3", 3],
      ["HSET i a 1 b 2 c 3", 3],
      ["HSETNX h a 1", 0],
      ["HINCRBY h a 1", 1],
      ["HDEL h a x", 1],
      ["HDEL h b c d", 2],
      ["HGET i a", 0],
    ] as const) {
      runner.run(...line.split(" "));
      assert.equal(runner.keyspace.changes - before, changes, line);
      before = runner.keyspace.changes;
    }
  }
});

test("COPY, RENAME and MOVE take a hash with them, also to another region", () => {
  for (const entries of [512, 0]) {
    const runner = start(entries, { shards: 4, regionSize: 16 * 1024 * 1024 });
    const fields = Array.from({ length: 100 }, (_, index) => [`f${index}`, "v".repeat(index * 20)]);
    runner.keyspace.limits.hashValue = 5000;
    runner.run("HSET", "h", ...fields.flat());
    runner.run("HEXPIRE", "h", "100", "FIELDS", "1", "f7");
    for (let index = 0; index < 8; index++) {
      runner.run("COPY", "h", `copy:${index}`);
      runner.run("RENAME", `copy:${index}`, `renamed:${index}`);
      assert.equal(runner.ask("HLEN", `renamed:${index}`), 100);
      assert.equal(runner.ask("HGET", `renamed:${index}`, "f99"), "v".repeat(1980));
      assert.deepEqual(runner.ask("HTTL", `renamed:${index}`, "FIELDS", "2", "f7", "f8"), [100, -1]);
      assert.deepEqual(
        runner.ask("OBJECT", "ENCODING", `renamed:${index}`),
        entries === 0 ? "hashtable" : "listpackex",
      );
    }
    assert.equal(runner.ask("MOVE", "h", "1"), 1);
    runner.verify();
    runner.keyspace.flushAll();
    runner.verify();
  }
});

test("HSCAN walks through everything, whatever comes and goes meanwhile", () => {
  const runner = start(0, { seed: [1, 2] });
  const stays = new Set(Array.from({ length: 1000 }, (_, index) => `stays:${index}`));
  for (const field of stays) runner.run("HSET", "h", field, `value of ${field}`);
  const found = new Set<string>();
  let [cursor, calls] = ["0", 0];
  do {
    const [next, pairs] = runner.ask("HSCAN", "h", cursor, "COUNT", "20") as [string, string[]];
    for (let index = 0; index < pairs.length; index += 2) {
      assert.equal(pairs[index + 1], `value of ${pairs[index]!}`);
      found.add(pairs[index]!);
    }
    for (let index = 0; index < 100; index++) {
      const field = `comes:${calls}:${index}`;
      runner.run("HSET", "h", field, `value of ${field}`);
      if (calls > 3) runner.run("HDEL", "h", `comes:${calls - 4}:${index}`, `comes:${calls}:${index}`);
    }
    cursor = next;
    calls += 1;
  } while (cursor !== "0");
  assert(calls > 10, `only ${calls} calls`);
  for (const field of stays) assert(found.has(field), field);
  runner.verify();
});

test("HSCAN's options", () => {
  for (const entries of [512, 0]) {
    const runner = start(entries);
    const fields = Array.from({ length: 300 }, (_, index) => `f:${index}`);
    runner.run("HSET", "h", ...fields.flatMap((field) => [field, "x"]));
    const scan = (...options: string[]): string[] => {
      const reply = runner.ask("HSCAN", "h", "0", "COUNT", "9223372036854775807", ...options);
      const [cursor, found] = reply as [string, string[]];
      assert.equal(cursor, "0");
      return found.sort();
    };
    assert.equal(scan().length, 600);
    assert.deepEqual(scan("NOVALUES"), [...fields].sort());
    assert.deepEqual(scan("MATCH", "f:1?"), [...fields.slice(10, 20).flatMap((field) => [field, "x"])].sort());
    assert.deepEqual(scan("match", "x", "NoValues", "MATCH", "f:*9", "COUNT", "1000").length, 30);
    assert.equal(scan("MATCH", "*").length, 600);
    assert.equal(scan("MATCH", "").length, 0);
  }
  // A listpack comes as a whole, wherever the walk is said to be.
  const runner = start();
  runner.run("HSET", "h", "a", "1");
  assert.deepEqual(runner.ask("HSCAN", "h", "12345", "COUNT", "1"), ["0", ["a", "1"]]);
  assert.deepEqual(runner.ask("HSCAN", "h", "18446744073709551615"), ["0", ["a", "1"]]);
});
