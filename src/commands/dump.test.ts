import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandRunner, type RunnerOptions } from "../testing/commands.ts";
import type { Argument } from "../testing/resp-frame.ts";
import {
  double,
  intset,
  listpack,
  littleEndian,
  payload,
  size,
  text,
  withFooter,
  ziplist,
} from "../testing/saved-forms.ts";
import { allCommands } from "./all-commands.ts";

const OK = "+OK\r\n";
const BAD = "-ERR Bad data format\r\n";
const WRONG_FOOTER = "-ERR DUMP payload version or checksum are wrong\r\n";
const NOW = 1_700_000_000_000;

/** Not older than the store's clock can tell: 24 bits of seconds. */
function start(options: RunnerOptions = {}): CommandRunner {
  return new CommandRunner(allCommands, { now: () => NOW, ...options });
}

/** What DUMP replies with. */
function dump(runner: CommandRunner, key: string): Buffer {
  const reply = Buffer.from(runner.run("DUMP", key), "latin1");
  return reply.subarray(reply.indexOf("\n") + 1, -2);
}

const hello = payload(0, [text("hello")]);

test("DUMP of strings, byte for byte as redis-server 7.0.15 has it", () => {
  const runner = start();
  const cases: [value: string, dump: string][] = [
    ["hello", "\0\x05hello\n\0cr\xdfve4 \n"],
    ["", "\0\0\n\0"],
    ["-5", "\0\xc0\xfb\n\0"],
    ["-30000", "\0\xc1\xd0\x8a\n\0"],
    ["1234567", "\0\xc2\x87\xd6\x12\0\n\0"],
    ["1234567890123", "\0\x0d1234567890123\n\0"],
  ];
  for (const [value, expected] of cases) {
    runner.run("SET", "k", value);
    const bytes = dump(runner, "k").latin1Slice(0, expected.length);
    assert.equal(JSON.stringify(bytes), JSON.stringify(expected), value);
  }
  assert.equal(runner.run("DUMP", "nokey"), "$-1\r\n");
});

test("strings are compressed if that is wanted and gains something", () => {
  for (const [value, compression, isShorter] of [
    ["a".repeat(1000), "yes", true],
    ["a".repeat(1000), "no", false],
    ["a".repeat(20), "yes", false],
    ["abcdefghijklmnopqrstuvwxyz", "yes", false],
  ] as const) {
    const runner = start({ directives: { rdbcompression: compression } });
    runner.run("SET", "k", value);
    const bytes = dump(runner, "k");
    assert.equal(bytes.length < value.length, isShorter);
    assert.equal(runner.run("RESTORE", "other", "0", bytes), OK);
    assert.equal(runner.ask("GET", "other"), value);
  }
});

test("RESTORE's errors, in their order", () => {
  const cases: [args: Argument[], reply: string][] = [
    [["k", "0"], "-ERR wrong number of arguments for 'restore' command\r\n"],
    [["k", "0", "x", "FOO"], "-ERR syntax error\r\n"],
    [["k", "0", "x", "IDLETIME"], "-ERR syntax error\r\n"],
    [["k", "0", "x", "FREQ"], "-ERR syntax error\r\n"],
    [["k", "0", "x", "IDLETIME", "x"], "-ERR value is not an integer or out of range\r\n"],
    [["k", "0", "x", "IDLETIME", "-1", "FOO"], "-ERR Invalid IDLETIME value, must be >= 0\r\n"],
    [["k", "0", "x", "FREQ", "256"], "-ERR Invalid FREQ value, must be >= 0 and <= 255\r\n"],
    [["k", "0", "x", "FREQ", "-1"], "-ERR Invalid FREQ value, must be >= 0 and <= 255\r\n"],
    [["k", "0", "x", "FREQ", "1", "IDLETIME", "x"], "-ERR syntax error\r\n"],
    [["k", "0", "x", "IDLETIME", "1", "FREQ", "x"], "-ERR syntax error\r\n"],
    [["there", "x", "x"], "-BUSYKEY Target key name already exists.\r\n"],
    [["there", "x", "x", "REPLACE"], "-ERR value is not an integer or out of range\r\n"],
    [["k", "-1", "x"], "-ERR Invalid TTL value, must be >= 0\r\n"],
    [["k", "0", ""], WRONG_FOOTER],
    [["k", "0", "123456789"], WRONG_FOOTER],
    [["k", "0", hello.subarray(0, -1)], WRONG_FOOTER],
    [["k", "0", payload(0, [text("hello")], 13)], WRONG_FOOTER],
    [["k", "0", withFooter(Buffer.alloc(0))], BAD],
    [["k", "0", payload(0, [Buffer.from("\x05hell")])], BAD],
    [["k", "0", payload(8, [text("hello")])], BAD],
    [["k", "0", payload(26, [text("hello")])], BAD],
    [["there", "0", payload(0, [Buffer.from("\x05hell")]), "REPLACE"], BAD],
  ];
  const runner = start();
  runner.run("SET", "there", "before");
  for (const [args, reply] of cases) assert.equal(runner.run("RESTORE", ...args), reply, String(args));
  assert.equal(runner.ask("GET", "there"), "before");
  assert.equal(runner.ask("DBSIZE"), 1);
  runner.verify();
});

test("REPLACE, time to live and time since the last access", () => {
  const runner = start();
  runner.run("RPUSH", "k", "a", "b");
  assert.equal(runner.run("RESTORE", "k", "0", hello, "REPLACE", "replace"), OK);
  assert.equal(runner.ask("GET", "k"), "hello");
  assert.equal(runner.ask("PTTL", "k"), -1);
  runner.run("RESTORE", "k", "5000", hello, "REPLACE");
  assert.equal(runner.ask("PEXPIRETIME", "k"), NOW + 5000);
  runner.run("RESTORE", "k", `${NOW + 7}`, hello, "REPLACE", "ABSTTL");
  assert.equal(runner.ask("PEXPIRETIME", "k"), NOW + 7);
  runner.run("RESTORE", "k", "0", hello, "REPLACE", "ABSTTL");
  assert.equal(runner.ask("PTTL", "k"), -1);
  runner.run("RESTORE", "k", "0", hello, "REPLACE", "IDLETIME", "5", "IDLETIME", "1000");
  assert.equal(runner.ask("OBJECT", "IDLETIME", "k"), 1000);
  runner.run("RESTORE", "k", "0", hello, "REPLACE", "FREQ", "255");
  assert.equal(runner.ask("OBJECT", "IDLETIME", "k"), 0);
  runner.verify();
});

test("what has expired already is not made, and removes what it was to replace", () => {
  const runner = start();
  const set = payload(2, [size(1), text("a")]);
  for (const value of [hello, set]) {
    for (const lifetime of [["1", "ABSTTL"], [`${NOW}`, "ABSTTL"], ["9223372036854775807"]] as const) {
      const [when, ...absolute] = lifetime;
      runner.run("SET", "k", "before");
      assert.equal(runner.run("RESTORE", "k", when, value, "REPLACE", ...absolute), OK);
      assert.equal(runner.ask("EXISTS", "k"), 0);
      assert.equal(runner.run("RESTORE", "k", when, value, ...absolute), OK);
      assert.equal(runner.ask("EXISTS", "k"), 0);
    }
  }
  runner.verify();
});

test("a restored value counts as one change, a refused one as none", () => {
  const runner = start();
  const changesOf = (...command: Argument[]): number => {
    const before = runner.keyspace.changes;
    runner.run(...command);
    return runner.keyspace.changes - before;
  };
  const hash = payload(4, [size(2), text("a"), text("1"), text("b"), text("2")]);
  assert.equal(changesOf("RESTORE", "k", "0", hash), 1);
  assert.equal(changesOf("RESTORE", "k", "0", hash, "REPLACE"), 1);
  assert.equal(changesOf("RESTORE", "k", "0", hash), 0);
  assert.equal(changesOf("RESTORE", "k", "1", hash, "REPLACE", "ABSTTL"), 1);
  assert.equal(changesOf("RESTORE", "k", "1", hash, "REPLACE", "ABSTTL"), 0);
  assert.equal(changesOf("RESTORE", "k", "0", payload(4, [size(2), text("a")])), 0);
});

test("a value for which there is no room changes nothing", () => {
  const runner = start({ regionSize: 512 * 1024 });
  runner.run("SET", "k", "before");
  const many = Array.from({ length: 16_000 }, (_, index) => text(`member ${index}`));
  const numbers = Array.from({ length: 16_000 }, (_, index) => [text(`member ${index}`), double(index)]).flat();
  const items = Array.from({ length: 50_000 }, (_, index) => `member ${index}`);
  const values = [
    payload(0, [text("x".repeat(700_000))]),
    payload(1, [size(many.length), ...many]),
    payload(2, [size(many.length), ...many]),
    payload(4, [size(many.length / 2), ...many]),
    payload(5, [size(many.length), ...numbers]),
    payload(16, [text(listpack(items))]),
    payload(17, [text(listpack(items.flatMap((item, index) => [item, `${index}`])))]),
    payload(18, [size(1), size(2), text(listpack(items))]),
    payload(20, [text(listpack(items))]),
  ];
  for (const [index, value] of values.entries()) {
    assert.match(runner.run("RESTORE", "k", "0", value, "REPLACE"), /^-OOM /, `value ${index}`);
    assert.equal(runner.ask("GET", "k"), "before");
    runner.verify();
  }
});

test("a value that has room, under a name that has none, leaves nothing behind", () => {
  const runner = start({ regionSize: 512 * 1024 });
  const name = "k".repeat(600_000);
  for (const value of [
    hello,
    payload(2, [size(1), text("a")]),
    payload(18, [size(1), size(2), text(listpack(["a"]))]),
  ]) {
    assert.match(runner.run("RESTORE", name, "0", value), /^-OOM /);
    runner.verify();
  }
});

test("integers that stand as text in a listpack are found as the integers they are", () => {
  const runner = start();
  runner.run("SADD", "numbers", "1", "2", "3");
  runner.run("RESTORE", "k", "0", payload(20, [text(listpack(["1", "3", "a"], true))], 11));
  assert.deepEqual(runner.ask("SINTER", "k", "numbers"), ["1", "3"]);
  assert.equal(runner.ask("SADD", "k", "1", "3"), 0);
  for (const [type, commands] of [
    [16, ["HINCRBY k 1 5", "HGET k 1"]],
    [17, ["ZINCRBY k 5 1", "ZSCORE k 1"]],
  ] as const) {
    runner.run("RESTORE", "k", "0", payload(type, [text(listpack(["1", "2"], true))]), "REPLACE");
    for (const command of commands)
      assert.equal(runner.ask(...command.split(" ")), type === 16 && command.startsWith("HI") ? 7 : "7");
    runner.verify();
    assert.deepEqual(dump(runner, "k"), payload(type, [text(listpack(["1", "7"]))]));
  }
});

test("packed members of a sorted set are put in order", () => {
  const runner = start();
  for (const [type, pack] of [
    [17, listpack(["c", "2", "b", "1", "a", "2", "d", "-1.5"])],
    [12, ziplist("c", "2", "b", "1", "a", "2", "d", "-1.5")],
  ] as const) {
    assert.equal(runner.run("RESTORE", "k", "0", payload(type, [text(pack)]), "REPLACE"), OK);
    assert.deepEqual(runner.ask("ZRANGE", "k", "0", "-1"), ["d", "b", "a", "c"]);
    runner.verify();
  }
  const scores = ["x", "", "1x", "nan", "0x10", " 1", "1.", "1e", "--1", "infinity", "9".repeat(65)];
  for (const score of scores) {
    assert.equal(runner.run("RESTORE", "k", "0", payload(17, [text(listpack(["a", score]))]), "REPLACE"), BAD, score);
  }
});

test("no write of RESTORE escapes the guard", () => {
  const runner = start();
  Object.assign(runner.keyspace.limits, { hashEntries: 1e6, sortedSetEntries: 1e6, setListpackEntries: 1e6 });
  const names = Array.from({ length: 3000 }, (_, index) => `member ${index}`);
  const scored = names.flatMap((name, index) => [name, `${index}`]);
  const values = [
    payload(0, [text("x".repeat(50_000))]),
    payload(1, [size(names.length), ...names.map(text)]),
    payload(2, [size(names.length), ...names.map(text)]),
    payload(4, [size(scored.length / 2), ...scored.map(text)]),
    payload(5, [size(names.length), ...names.flatMap((name, index) => [text(name), double(index)])]),
    payload(11, [text(intset(4, ...names.map((_, index) => index)))]),
    payload(16, [text(listpack(scored))]),
    payload(17, [text(listpack(scored))]),
    payload(18, [size(1), size(2), text(listpack(names))]),
    payload(20, [text(listpack(names))]),
  ];
  for (const [index, value] of values.entries()) {
    const frozen = runner.keyspace.freeze(true);
    assert.equal(runner.run("RESTORE", `k${index}`, "0", value), OK);
    assert.equal(frozen.release().aborted, false);
  }
  runner.verify();
});

const LATER = 9_000_000_000_000;

/** A hash's fields with their deadlines, in the hash's order. */
function deadlines(runner: CommandRunner, key: string): string {
  const fields = runner.ask("HKEYS", key) as string[];
  const times = runner.ask("HPEXPIRETIME", key, "FIELDS", `${fields.length}`, ...fields) as number[];
  return fields.map((field, index) => `${field} ${times[index]}`).join(", ");
}

test("hashes whose fields have deadlines, in the forms of Redis 7.4 and of its candidates", () => {
  const time = littleEndian(LATER, 8);
  const packed = text(listpack(["a", "1", `${LATER}`, "b", "2", `${LATER + 5}`, "c", "3", "0"]));
  const shuffled = text(listpack(["c", "3", "0", "b", "2", `${LATER + 5}`, "a", "1", `${LATER}`]));
  const fields = (...distances: readonly number[]): Buffer[] =>
    ["c", "b", "a"].flatMap((name, index) => [size64(distances[index]!), text(name), text(`${3 - index}`)]);
  const forms = [
    payload(25, [time, packed], 12),
    payload(25, [time, shuffled], 12),
    payload(23, [packed], 12),
    payload(24, [time, size(3), ...fields(0, 6, 1)], 12),
    payload(22, [size(3), ...fields(0, LATER + 5, LATER)], 12),
  ];
  for (const entries of ["512", "2"]) {
    const runner = start({ directives: { "hash-max-listpack-entries": entries, rdbcompression: "no" } });
    runner.keyspace.limits.hashEntries = Number(entries);
    for (const [index, bytes] of forms.entries()) {
      assert.equal(runner.run("RESTORE", "k", "0", bytes, "REPLACE"), OK, `form ${index}`);
      const isPacked = entries === "512";
      assert.equal(runner.ask("OBJECT", "ENCODING", "k"), isPacked ? "listpackex" : "hashtable");
      const expected = [`a ${LATER}`, `b ${LATER + 5}`, "c -1"];
      assert.deepEqual(deadlines(runner, "k").split(", ").sort(), expected, `form ${index}`);
      const again = dump(runner, "k");
      assert.equal(again[0], isPacked ? 25 : 24);
      assert.equal(again.readUInt16LE(again.length - 10), 12);
      if (isPacked) assert.deepEqual(again, forms[0]);
      assert.equal(runner.run("RESTORE", "copy", "0", again, "REPLACE"), OK);
      assert.deepEqual(deadlines(runner, "copy").split(", ").sort(), expected);
      runner.verify();
    }
  }
});

test("damaged hashes of fields with deadlines", () => {
  const time = littleEndian(LATER, 8);
  const runner = start();
  const forms = [
    payload(25, [time, text(listpack(["a", "1"]))], 12),
    payload(25, [time, text(listpack([]))], 12),
    payload(25, [time, text(listpack(["a", "1", "soon"]))], 12),
    payload(25, [time, text(listpack(["a", "1", "-1"]))], 12),
    payload(25, [time, text(listpack(["a", "1", `${2 ** 48}`]))], 12),
    payload(25, [time, text(listpack(["a", "1", "0", "a", "2", "0"]))], 12),
    payload(24, [time, size(0)], 12),
    payload(24, [time, size(2), size(0), text("a"), text("1"), size(0), text("a"), text("2")], 12),
    payload(24, [littleEndian(-1, 8), size(1), size(1), text("a"), text("1")], 12),
    payload(22, [size(1), size64(2 ** 48), text("a"), text("1")], 12),
  ];
  for (const [index, bytes] of forms.entries()) {
    assert.equal(runner.run("RESTORE", "k", "0", bytes), BAD, `form ${index}`);
    assert.equal(runner.ask("EXISTS", "k"), 0);
  }
  runner.verify();
});

/** A count in the form of 64 bits where it needs that. */
function size64(value: number): Buffer {
  return value < 2 ** 32 ? size(value) : Buffer.concat([Buffer.from([0x81]), littleEndian(value, 8).reverse()]);
}
