/** Loading RDB files that are built byte by byte: records, errors, times, steps. Values: rdb-versions.test.ts. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { allCommands } from "../commands/all-commands.ts";
import { CommandRunner } from "../testing/commands.ts";
import { FaultyFiles } from "../testing/faulty-files.ts";
import {
  auxRecord,
  fileInMemory,
  functionRecord,
  loadBytes,
  PATH,
  rdbFile,
  savedKey,
  savedString,
  selectRecord,
  sizesRecord,
} from "../testing/rdb-files.ts";
import { listpack, littleEndian, size, text, ziplist } from "../testing/saved-forms.ts";
import { RdbLoader } from "./rdb-loader.ts";
import { UnloadableFileError } from "./unloadable-file-error.ts";

const NOW = 1_700_000_000_000;
const LATER = NOW + 1e12;

const listOf = (...elements: string[]): Buffer =>
  Buffer.concat([Buffer.from([1]), size(elements.length), ...elements.map(text)]);
const hashOf = (...elements: string[]): Buffer => Buffer.concat([Buffer.from([16]), text(listpack(elements))]);

/** A file with something of every kind. */
const MIXED = rdbFile([
  auxRecord("redis-ver", "7.0.15"),
  auxRecord("redis-bits", "64"),
  functionRecord("#!lua name=one\n"),
  selectRecord(0),
  sizesRecord(4, 1),
  savedString("plain", "value"),
  savedString("dated", "12", { deadline: LATER }),
  savedKey("list", listOf("a", "b", "c"), { idle: 100 }),
  savedKey("hash", hashOf("f", "1", "g", "x".repeat(50))),
  Buffer.from([0xf4, 1, 2, 0]),
  selectRecord(3),
  savedKey("set", Buffer.concat([Buffer.from([2]), size(2), text("m"), text("n")]), { frequency: 7 }),
]);

describe("records", () => {
  test("of every kind, through windows of any size", () => {
    for (const window of [64, 65, 66, 99, 1 << 20]) {
      const { runner, loader, functions, error } = loadBytes(MIXED, { window, now: NOW });
      assert.equal(error, undefined);
      assert.equal(loader.keysLoaded, 5);
      assert.equal(loader.end, MIXED.length);
      assert.equal(loader.bytesRead, MIXED.length);
      assert.equal(loader.bytesTotal, MIXED.length);
      assert.deepEqual(
        [...loader.aux],
        [
          ["redis-ver", "7.0.15"],
          ["redis-bits", "64"],
        ],
      );
      assert.deepEqual(functions, ["#!lua name=one\n"]);
      assert.match(runner.run("OBJECT", "IDLETIME", "list"), /^:(99|100|101)\r/);
      assert.equal(runner.run("GET", "plain"), "$5\r\nvalue\r\n");
      assert.equal(runner.run("GET", "dated"), "$2\r\n12\r\n");
      assert.equal(runner.run("PEXPIRETIME", "dated"), `:${LATER}\r\n`);
      assert.deepEqual(runner.ask("LRANGE", "list", "0", "-1"), ["a", "b", "c"]);
      assert.equal(runner.run("OBJECT", "IDLETIME", "hash"), ":0\r\n");
      assert.equal(runner.run("DBSIZE"), ":4\r\n");
      runner.run("SELECT", "3");
      assert.equal(runner.run("DBSIZE"), ":1\r\n");
      assert.equal(runner.run("SISMEMBER", "set", "n"), ":1\r\n");
      runner.verify();
    }
  });

  test("counts of accesses, where they are kept", () => {
    const runner = new CommandRunner(allCommands, { directives: { "maxmemory-policy": "allkeys-lfu" } });
    runner.keyspace.access.countsAccesses = true;
    loadBytes(MIXED, { now: NOW }, runner);
    runner.run("SELECT", "3");
    assert.equal(runner.run("OBJECT", "FREQ", "set"), ":7\r\n");
  });

  test("deadlines in seconds, and the library of a candidate of 7.0", () => {
    const library = Buffer.concat([
      Buffer.from([0xf6]),
      text("mine"),
      text("LUA"),
      size(1),
      text("words"),
      text("code"),
    ]);
    const file = rdbFile([library, savedString("k", "v", { seconds: 2e9 })], 9);
    const { runner, functions } = loadBytes(file);
    assert.deepEqual(functions, ["#!lua name=mine\ncode"]);
    assert.equal(runner.run("EXPIRETIME", "k"), ":2000000000\r\n");
  });

  test("a preamble ends where the log begins, and it has not expired", () => {
    const preamble = rdbFile([savedString("old", "v", { deadline: NOW - 1 }), savedString("new", "v")]);
    const file = Buffer.concat([Buffer.from("begin"), preamble, Buffer.from("*1\r\n$4\r\nPING\r\n")]);
    const inside = loadBytes(file, { start: 5, isPreamble: true, now: NOW });
    assert.equal(inside.error, undefined);
    assert.equal(inside.loader.keysLoaded, 2);
    assert.equal(inside.loader.end, 5 + preamble.length);
    const outside = loadBytes(file, { start: 5, now: NOW });
    assert.equal(outside.loader.keysLoaded, 1);
    assert.equal(outside.loader.keysExpired, 1);
    assert.equal(outside.runner.run("EXISTS", "old", "new"), ":1\r\n");
    // One whose time is over at this very moment is kept, as in Redis.
    assert.equal(loadBytes(file, { start: 5, now: NOW - 1 }).loader.keysExpired, 0);
  });

  test("deadlines before 1970, of a key and beside those of its fields", () => {
    const hash = Buffer.concat([Buffer.from([23]), text(listpack(["f", "v", "77"]))]);
    for (const deadline of [-2n, -5000n, -(2n ** 62n)]) {
      const times = Buffer.concat([Buffer.from([0xfc]), littleEndian(deadline, 8)]);
      const file = rdbFile([savedString("a", "v"), times, savedString("k", "v"), times, savedKey("h", hash)], 12);
      const kept = loadBytes(file, { isPreamble: true, now: NOW });
      assert.equal(kept.error, undefined);
      assert.equal(kept.loader.keysLoaded, 3);
      kept.runner.verify();
      assert.equal(kept.runner.run("EXISTS", "a", "k", "h"), ":1\r\n");
      assert.equal(loadBytes(file, { now: NOW }).loader.keysExpired, 2);
    }
  });

  test("collections without elements are left out, as is one whose time is over", () => {
    const empty = [
      [1, size(0)],
      [2, size(0)],
      [4, size(0)],
      [5, size(0)],
      [10, text(ziplist())],
      [12, text(ziplist())],
      [13, text(ziplist())],
      [14, Buffer.concat([size(1), text(ziplist())])],
      [16, text(listpack([]))],
      [17, text(listpack([]))],
      [20, text(listpack([]))],
    ] as const;
    const records = empty.map(([type, value]) => savedKey(`k${type}`, Buffer.concat([Buffer.from([type]), value])));
    records.push(savedKey("gone", hashOf("f", "v"), { deadline: NOW - 1 }), savedString("k", "v"));
    const { runner, loader, error } = loadBytes(rdbFile(records, 11), { now: NOW });
    assert.equal(error, undefined);
    assert.equal(loader.keysEmpty, empty.length);
    assert.equal(loader.keysExpired, 1);
    assert.equal(runner.run("DBSIZE"), ":1\r\n");
    runner.verify();
  });
});

describe("what a file may be refused for", () => {
  test("every prefix of it, at its end or before, and what is there by then is sound", () => {
    for (let length = 0; length < MIXED.length; length++) {
      const { runner, error, loader } = loadBytes(MIXED.subarray(0, length), { window: 64, now: NOW });
      assert.equal(error?.code, "DAMAGED_FILE", `a file of ${length} bytes`);
      assert.ok(error.offset <= length && error.offset >= length - 80, `${length}: ${error.offset}`);
      assert.match(
        error.message,
        /\/data\/dump\.rdb is damaged at byte \d+: .*`stillwater check-rdb \/data\/dump\.rdb`/,
      );
      const keys = runner.keyspace.databases.reduce((sum, { count }) => sum + count, 0);
      assert.equal(keys, loader.keysLoaded);
      runner.verify();
    }
  });

  test("any other bit", () => {
    for (let at = 0; at < MIXED.length; at++) {
      const bytes = Buffer.from(MIXED);
      bytes[at]! ^= 1 << (at % 8);
      assert.notEqual(loadBytes(bytes, { now: NOW }).error, undefined, `byte ${at}`);
    }
  });

  test("its sum: not one that was not made, nor if nobody asks", () => {
    const wrong = Buffer.from(MIXED);
    wrong.fill(1, wrong.length - 8);
    const { error } = loadBytes(wrong);
    assert.match(error?.message ?? "", /Wrong RDB checksum expected: \(0101010101010101\) but got \([0-9a-f]{16}\)/);
    assert.equal(error?.offset, wrong.length);
    assert.equal(loadBytes(wrong, { checksum: false }).error, undefined);
    wrong.fill(0, wrong.length - 8);
    assert.equal(loadBytes(wrong).error, undefined);
    // Before version 5 there was none.
    assert.equal(loadBytes(rdbFile([savedString("k", "v")], 4)).error, undefined);
  });

  const refusals: [what: string, file: Buffer, code: string, message: RegExp][] = [
    ["a version to come", rdbFile([], 13), "UNLOADABLE_FILE", /Can't handle RDB format version 13/],
    ["version 0", rdbFile([], 0), "UNLOADABLE_FILE", /Can't handle RDB format version 0/],
    ["something else", Buffer.from("# Redis configuration file"), "DAMAGED_FILE", /byte 9: .*Wrong signature/],
    ["nothing", Buffer.alloc(0), "DAMAGED_FILE", /byte 0: the header, from byte 0 on: the file ends/],
    [
      "a key that comes twice",
      rdbFile([savedString("k", "v"), savedString("k", "w")]),
      "DAMAGED_FILE",
      /key "k" in database 0, from byte 14 on: RDB has duplicated key/,
    ],
    [
      "a stream",
      rdbFile([selectRecord(2), savedString("a", "b"), savedKey("my\nstream", Buffer.from([19, 0]))]),
      "UNLOADABLE_FILE",
      /beyond byte 27: the value of key "my\\nstream" in database 2, from byte 16 on: it is a stream, which this/,
    ],
    ["a module's value", rdbFile([savedKey("m", Buffer.from([7, 0]))]), "UNLOADABLE_FILE", /it is a value of a module/],
    ["an unknown type", rdbFile([savedKey("k", Buffer.from([99, 0]))]), "DAMAGED_FILE", /key "k".*unknown type 99/],
    ["an unknown record", rdbFile([Buffer.from([0xf4 - 1])]), "DAMAGED_FILE", /a key, from byte 9 on/],
    [
      "what a module kept",
      rdbFile([Buffer.concat([Buffer.from([0xf7, 0x81]), Buffer.from("00108310518720ff", "hex"), Buffer.alloc(9)])]),
      "UNLOADABLE_FILE",
      /module "[\w-]{9}"/,
    ],
    [
      "a database too many",
      rdbFile([selectRecord(16), savedString("k", "v")]),
      "UNLOADABLE_FILE",
      /it has keys in database 16, and there are 16 databases\. Start with --databases 17, at least\./,
    ],
    [
      "a damaged value",
      rdbFile([savedKey("list", Buffer.concat([Buffer.from([10]), text("no ziplist at all")]))]),
      "DAMAGED_FILE",
      /the value of key "list" in database 0, from byte 9 on: a ziplist/,
    ],
  ];
  for (const [what, file, code, message] of refusals) {
    test(what, () => {
      const { error, runner } = loadBytes(file);
      assert.equal(error?.code, code);
      assert.match(error.message, message);
      runner.verify();
    });
  }

  test("a disk that fails, at every call: the caller gets its error, and no file stays open", () => {
    const files = new FaultyFiles(["/data"]);
    const file = files.open(PATH, "create");
    file.write(MIXED, 0, MIXED.length);
    file.close();
    const failed = new Set<string | undefined>();
    for (let n = 1; ; n++) {
      const runner = new CommandRunner(allCommands, { regionSize: 1024 * 1024 });
      files.failAt(n, "EIO");
      try {
        const loader = new RdbLoader(files, PATH, runner.keyspace, { checksum: true, now: NOW, window: 64 });
        try {
          while (loader.step(0));
        } finally {
          loader.close();
        }
        break;
      } catch (error) {
        assert.equal((error as NodeJS.ErrnoException).code, "EIO");
        failed.add((error as NodeJS.ErrnoException).syscall);
      }
      assert.equal(files.openFiles, 0);
      runner.verify();
    }
    assert.deepEqual([...failed], ["open", "stat", "read", "close"]);
  });

  test("more than there is memory for, with what it needs", () => {
    const value = "x".repeat(20_000);
    const records = Array.from({ length: 200 }, (_, index) => savedString(`key:${index}`, `${index}${value}`));
    const { error, runner } = loadBytes(rdbFile(records));
    assert.ok(error instanceof UnloadableFileError);
    const needed = Number(/all of them need about (\d+) MiB/.exec(error.message)?.[1]);
    assert.ok(needed >= 4 && needed <= 6, error.message);
    assert.match(error.advice, /Start with --maxmemory \d+mb, or more\./);
    runner.verify();
  });
});

describe("the keyspace around it", () => {
  test("a key that is there already is an error, or replaced", () => {
    const file = rdbFile([savedString("k", "new"), savedKey("l", listOf("new"))]);
    const runner = new CommandRunner(allCommands);
    runner.run("RPUSH", "k", "old");
    runner.run("SET", "l", "old", "EX", "1000");
    assert.match(loadBytes(file, {}, runner).error?.message ?? "", /duplicated key/);
    assert.equal(runner.run("LRANGE", "k", "0", "-1"), "*1\r\n$3\r\nold\r\n");
    assert.equal(loadBytes(file, { merges: true }, runner).error, undefined);
    assert.equal(runner.run("GET", "k"), "$3\r\nnew\r\n");
    assert.equal(runner.run("LRANGE", "l", "0", "-1"), "*1\r\n$3\r\nnew\r\n");
    assert.equal(runner.run("TTL", "l"), ":-1\r\n");
    runner.verify();
  });

  test("nothing counts as a change, and nobody is notified", () => {
    const runner = new CommandRunner(allCommands);
    runner.run("SET", "before", "1");
    const { changes } = runner.keyspace;
    const events: string[] = [];
    runner.keyspace.onEvent = (_type, event) => events.push(event);
    runner.keyspace.eventTypes = -1;
    loadBytes(MIXED, { now: NOW }, runner);
    assert.equal(runner.keyspace.changes, changes);
    assert.equal(runner.keyspace.eventTypes, -1);
    assert.equal(runner.keyspace.isLoading, false);
    assert.deepEqual(events, []);
    runner.run("SET", "after", "1");
    assert.notEqual(events.length, 0);
  });

  test("steps end in time, between keys", () => {
    const records = Array.from({ length: 100_000 }, (_, index) => savedString(`key:${index}`, `value:${index}`));
    const file = rdbFile(records);
    const runner = new CommandRunner(allCommands, { regionSize: 64 * 1024 * 1024 });
    const loader = new RdbLoader(fileInMemory(file), PATH, runner.keyspace, { checksum: true, now: NOW });
    let steps = 1;
    let keys = 0;
    for (; loader.step(1); steps++) {
      assert.ok(loader.keysLoaded > keys && loader.bytesRead < file.length);
      assert.equal(runner.keyspace.databases[0]!.count, loader.keysLoaded);
      keys = loader.keysLoaded;
    }
    loader.close();
    assert.ok(steps > 10, `${steps} steps`);
    assert.equal(loader.keysLoaded, 100_000);
    assert.equal(runner.run("GET", "key:99999"), "$11\r\nvalue:99999\r\n");
  });

  test("a deadline that cannot be in milliseconds is kept as it is", () => {
    const deadline = 2n ** 62n;
    const times = Buffer.concat([Buffer.from([0xfc]), littleEndian(deadline, 8)]);
    const { runner, error } = loadBytes(rdbFile([Buffer.concat([times, savedString("k", "v")])]));
    assert.equal(error, undefined);
    assert.equal(runner.run("PEXPIRETIME", "k"), `:${deadline}\r\n`);
    runner.verify();
  });
});
