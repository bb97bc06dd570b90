/**
 * Logs are made by testing/log-builder.ts, and read with windows from tiny to usual. The properties: what was written
 * is read; of a log that was cut off at any byte, exactly the units are read that were complete, and where they end is
 * known; and of a log that was damaged, nothing is ever read that had not been written.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FaultyFiles } from "../testing/faulty-files.ts";
import { batch, LogBuilder, resp } from "../testing/log-builder.ts";
import { mutateLogs } from "../testing/log-fuzzing.ts";
import { Random, seedOfRun } from "../testing/random.ts";
import { DamagedFileError } from "./damaged-file-error.ts";
import { LogReader, type LogReaderOptions } from "./log-reader.ts";

const seed = seedOfRun();

interface Reading {
  /** Each command's words and offset. */
  commands: { words: Buffer[]; offset: number }[];
  torn: { offset: number; bytes: number; what: string } | undefined;
  error: DamagedFileError | undefined;
  sequence: number;
  timestamp: number;
}

function read(bytes: Buffer, options: LogReaderOptions = {}): Reading {
  const files = new FaultyFiles();
  files.put("/log/a.aof", bytes);
  const file = files.open("/log/a.aof", "read");
  const reader = new LogReader(file, options);
  const commands: Reading["commands"] = [];
  let error: DamagedFileError | undefined;
  try {
    while (reader.next()) {
      const { args, offset } = reader;
      commands.push({ words: Array.from({ length: args.count }, (_, index) => args.buffer(index)), offset });
    }
    assert.equal(reader.next(), false, "the end stays the end");
    if (reader.torn === undefined) assert.equal(reader.bytesRead, bytes.length);
  } catch (thrown) {
    if (!(thrown instanceof DamagedFileError)) throw thrown;
    error = thrown;
  }
  file.close();
  assert.equal(files.openFiles, 0);
  const { torn, sequence, timestamp } = reader;
  return { commands, torn, error, sequence, timestamp };
}

const text = ({ commands }: Reading): string[] => commands.map(({ words }) => words.join(" "));

const set = (value: string): Buffer => resp("SET", "k", value);
const multi = resp("MULTI");
const exec = resp("EXEC");

test("batches, foreign parts and annotations between them", () => {
  const log = Buffer.concat([
    Buffer.from("#TS:1700000000\r\n"),
    Buffer.from("# what somebody wrote\n"),
    resp("SELECT", "0"),
    batch(1, set("a"), set("b")),
    batch(2, multi, set("c"), exec),
    multi,
    set("d"),
    Buffer.from("#TS:1700000001\r\n"),
    exec,
    batch(3, Buffer.from("#TS:1700000002\r\n"), resp("DEL", "k")),
  ]);
  const reading = read(log);
  assert.equal(reading.error, undefined);
  assert.equal(reading.torn, undefined);
  assert.equal(reading.sequence, 3);
  assert.equal(reading.timestamp, 1_700_000_002);
  const expected = "SELECT 0,SET k a,SET k b,MULTI,SET k c,EXEC,MULTI,SET k d,EXEC,DEL k";
  assert.equal(text(reading).join(","), expected);
  for (const { words, offset } of reading.commands) {
    const bytes = resp(...words);
    assert.deepEqual(log.subarray(offset, offset + bytes.length), bytes);
  }
});

test("an empty log, and one that begins behind a preamble", () => {
  assert.deepEqual(text(read(Buffer.alloc(0))), []);
  const log = Buffer.concat([Buffer.from("REDIS and so on"), set("a"), batch(1, set("b"))]);
  assert.deepEqual(text(read(log, { start: 15 })), ["SET k a", "SET k b"]);
});

test("any commands, in any batches, through windows of any size", (context) => {
  context.diagnostic(`seed ${seed}`);
  const random = new Random(seed, 1);
  for (let round = 0; round < 150; round++) {
    const log = new LogBuilder();
    for (let count = random.between(1, 8); count > 0; count--) {
      const units = Array.from({ length: random.between(1, 40) }, () => [
        Array.from({ length: random.chance(0.02) ? 700 : random.between(2, 12) }, () =>
          random.bytes(random.chance(0.03) ? random.below(5000) : random.below(120)),
        ),
      ]);
      if (random.chance(0.7)) log.batch(...units);
      else for (const unit of units) log.foreign(unit);
    }
    const reading = read(log.bytes, { windowBytes: random.pick([16, 64, 300, 1024, 4096, 1 << 20]) });
    assert.equal(reading.error, undefined);
    assert.equal(reading.commands.length, log.commands.length);
    for (const [index, { words }] of reading.commands.entries()) assert.deepEqual(resp(...words), log.commands[index]);
  }
});

test("cut off at any byte, what was complete is read, and where it ends is known", () => {
  const random = new Random(seed, 2);
  const log = new LogBuilder()
    .line("#TS:1700000000")
    .foreign([["SET", "k", "foreign"]])
    .batch([["SET", "k", "1"]], [["SET", "k", "2"]])
    .batch(
      [
        ["SET", "k", "3"],
        ["DEL", "k"],
      ],
      [["SET", "k", "x".repeat(200)]],
    )
    .foreign([
      ["SET", "k", "4"],
      ["APPEND", "k", "5"],
    ])
    .foreign([["SET", "k", ""]])
    .batch([["SET", "k", "\r\n#stillwater:9 5 00000000\r\n*1\r\n$4\r\n"]])
    .foreign([["SET", "k", "the end"]]);
  const { bytes } = log;
  for (let length = 0; length <= bytes.length; length++) {
    const reading = read(bytes.subarray(0, length), { windowBytes: random.pick([16, 100, 1 << 16]) });
    const { end, commands } = log.boundaryAt(length);
    assert.equal(reading.error, undefined, `cut at ${length}: ${reading.error?.message}`);
    assert.equal(reading.torn?.offset ?? length, end, `cut at ${length}`);
    assert.equal(reading.torn === undefined, length === end);
    if (reading.torn !== undefined) assert.equal(reading.torn.bytes, length - end);
    const complete = reading.commands.filter(({ offset }) => offset < end);
    assert.deepEqual(
      complete.map(({ words }) => resp(...words)),
      log.commands.slice(0, commands),
    );
  }
});

/** A log that must not be accepted: what is wrong, and where. */
const DAMAGES: [string, Buffer[], RegExp, number][] = [
  [
    "a batch of which a byte has changed",
    [changed(batch(1, set("a")), -3), batch(2, set("b"))],
    /^batch 1 does not/,
    0,
  ],
  ["a gap", [batch(1, set("a")), batch(3, set("b"))], /^batch 3 where batch 2 should be$/, 54],
  ["a batch twice", [batch(1, set("a")), batch(1, set("a"))], /^batch 1 where batch 2/, 54],
  ["a file that does not begin with its first batch", [batch(2, set("a"))], /^batch 2 where batch 1/, 0],
  [
    "a length too large, with a batch behind it",
    [relabelled(1, 999, set("a")), batch(2, set("b"))],
    /there are intact/,
    0,
  ],
  ["a length that takes in all that follows", [relabelled(1, 81, set("a")), batch(2, set("b"))], /there are intact/, 0],
  [
    "zeros instead of a batch",
    [batch(1, set("a")), Buffer.alloc(70), batch(3, set("b"))],
    /^a zero byte instead of a com/,
    54,
  ],
  ["zeros behind what Redis wrote", [set("a"), Buffer.alloc(4096)], /^a zero byte instead of a command/, 27],
  ["zeros, and what Redis wrote", [batch(1, set("a")), Buffer.alloc(40), set("b")], /^a zero byte instead/, 54],
  [
    "a batch line with a wrong beginning",
    [Buffer.from("#stillwatex:1 27 00000000\r\n"), set("a")],
    /^a line that may have been/,
    0,
  ],
  ["another line behind a batch", [batch(1, set("a")), Buffer.from("# what\r\n")], /^a line that may/, 54],
  [
    "a batch line with a wrong number",
    [Buffer.from("#stillwater:1x 27 00000000\r\n"), set("a")],
    /^a line that may/,
    0,
  ],
  ["an inline command", [Buffer.from("SET k v\r\n")], /^'S' instead of a command/, 0],
  ["no words", [Buffer.from("*0\r\n")], /^a command of no words/, 0],
  ["a negative count", [Buffer.from("*-1\r\n")], /^a length that is no number/, 0],
  ["a negative length", [Buffer.from("*1\r\n$-1\r\n")], /^a length that is no number/, 4],
  ["a length with a leading zero", [Buffer.from("*1\r\n$04\r\nPING\r\n")], /^a length that is no number/, 4],
  ["a length beyond anything", [Buffer.from("*1\r\n$4294967296\r\nPING\r\n")], /^a length of 4294967296/, 4],
  ["a count of too many digits", [Buffer.from("*11111111111\r\n")], /^a length that is no number/, 0],
  ["a line end of one byte", [Buffer.from("*1\n$4\r\nPING\r\n")], /^a length that is no number/, 0],
  ["no line end behind an argument", [Buffer.from("*1\r\n$3\r\nPING\r\n*1")], /^no line end/, 11],
  ["another byte before the line feed", [set("z"), changed(set("a"), -2), set("b")], /^no line end/, 52],
  ["another byte in the place of a line feed", [set("z"), changed(set("a"), -1), set("b")], /^no line end/, 52],
  ["an argument without its sign", [Buffer.from("*1\r\n4\r\nPING\r\n")], /^'4' instead of an argument/, 4],
  [
    "a transaction without its end before a batch",
    [multi, set("a"), batch(1, set("b"))],
    /^a transaction without its EXEC/,
    0,
  ],
  [
    "a batch that ends within a transaction",
    [batch(1, multi, set("a")), batch(2, exec)],
    /^the batch ends in the middle of a tr/,
    69,
  ],
  [
    "a batch that ends within a command",
    [batch(1, set("abc").subarray(0, 20))],
    /^the batch ends in the middle of a com/,
    27,
  ],
  ["a batch within a batch", [batch(1, batch(1, set("a")))], /^a batch line within a batch/, 27],
  [
    "a line that never ends",
    [Buffer.from(`#${"-".repeat(1500)}\r\n`)],
    /^a line beginning with '#' that does not end/,
    0,
  ],
  [
    "a foreign length that takes in a batch",
    [Buffer.from("*1\r\n$999\r\nPING\r\n"), batch(1, set("a"))],
    /there are intact/,
    0,
  ],
];

function changed(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[bytes.length + at]! ^= 0x41;
  return copy;
}

/** A batch whose line tells another length. */
function relabelled(sequence: number, length: number, ...commands: Buffer[]): Buffer {
  const proper = batch(sequence, ...commands).toString("latin1");
  return Buffer.from(proper.replace(/ \d+ /, ` ${length} `), "latin1");
}

for (const [what, pieces, message, offset] of DAMAGES) {
  test(`damage: ${what}`, () => {
    for (const windowBytes of [16, 1 << 20]) {
      const { error, torn } = read(Buffer.concat(pieces), { windowBytes, advice: "Do something." });
      assert.equal(torn, undefined);
      assert.match(error?.reason ?? "nothing is said to be wrong", message);
      assert.equal(error?.offset, offset);
      assert.equal(error.advice, "Do something.");
      assert.equal(error.file, "/log/a.aof");
    }
  });
}

test("a last batch without its checksum is torn; so is one that was never all written", () => {
  const first = batch(1, set("a"));
  const second = batch(2, set("b"), set("c"));
  for (const broken of [changed(second, -3), second.subarray(0, second.length - 1)]) {
    const reading = read(Buffer.concat([first, broken]));
    assert.equal(reading.error, undefined);
    assert.equal(reading.torn?.offset, first.length);
    assert.equal(reading.torn.bytes, broken.length);
    assert.equal(reading.sequence, 1);
    assert.deepEqual(text(reading), ["SET k a"]);
  }
});

/** A batch before which so many bytes were not known to be on the disk. */
function unsynced(bytes: number, sequence: number, ...commands: Buffer[]): Buffer {
  const proper = batch(sequence, ...commands).toString("latin1");
  return Buffer.from(proper.replace(/\r\n/, ` ${bytes}\r\n`), "latin1");
}

/** What a power cut leaves of a log: pieces behind a batch of 54 bytes that was synced. */
const LOST: [string, Buffer[]][] = [
  ["zeros", [Buffer.alloc(4096)]],
  ["zeros, and a batch that was not synced either", [Buffer.alloc(54), unsynced(54, 3, set("b"))]],
  ["zeros, and two of them", [Buffer.alloc(54), unsynced(54, 3, set("b")), unsynced(111, 4, set("c"))]],
  ["zeros, and half of a batch", [Buffer.alloc(54), batch(3, set("b")).subarray(0, 40)]],
  ["zeros, and half of a batch line", [Buffer.alloc(54), Buffer.from("#still")]],
  ["half of a line, zeros, and a batch", [Buffer.from("#still"), Buffer.alloc(48), unsynced(54, 3, set("b"))]],
  ["half of a line, and zeros", [Buffer.from("#still"), Buffer.alloc(48)]],
  ["a batch with a hole, and one behind it", [holed(batch(2, set("b"))), unsynced(54, 3, set("c"))]],
  ["a batch with a hole, and half of one behind it", [holed(batch(2, set("b"))), Buffer.from("#stillwater:3 9")]],
  ["a batch with a hole, and zeros behind it", [holed(batch(2, set("b"))), Buffer.alloc(100)]],
];

function holed(bytes: Buffer): Buffer {
  return Buffer.from(bytes).fill(0, 40, 46);
}

for (const [what, pieces] of LOST) {
  test(`power lost: ${what}`, () => {
    const tail = Buffer.concat(pieces);
    for (const windowBytes of [16, 1 << 20]) {
      const lost = read(Buffer.concat([batch(1, set("a")), tail]), { windowBytes });
      assert.equal(lost.error, undefined);
      assert.deepEqual([lost.torn?.offset, lost.torn?.bytes], [54, tail.length]);
      assert.deepEqual(text(lost), ["SET k a"]);
      const known = Buffer.concat([batch(1, set("a")), tail, batch(9, set("z"))]);
      assert.equal(read(known, { windowBytes }).error?.offset, 54, "a batch behind it tells that it was on the disk");
      const told = (offset: number) => Buffer.concat([batch(1, set("a")), tail, synced(offset)]);
      assert.equal(read(told(55), { windowBytes }).error?.offset, 54, "a line behind it tells that it was on the disk");
      assert.deepEqual(text(read(told(54), { windowBytes })), ["SET k a"], "a line tells of what stands before");
      const foreign = Buffer.concat([batch(1, set("a")), resp("SET", "k", "f"), tail]);
      assert.equal(
        read(foreign, { windowBytes }).torn === undefined,
        !/^half of a batch line|^half of a line, and/.test(what),
      );
    }
  });
}

/** The line that tells how far the file is on the disk. */
function synced(offset: number): Buffer {
  return Buffer.from(`#stillwater:synced ${offset}\r\n`);
}

test("synced lines are skipped, and a log may be cut off in one", () => {
  const before = Buffer.concat([batch(1, set("a")), synced(54)]);
  const log = Buffer.concat([before, batch(2, set("b")), synced(54 + before.length)]);
  const whole = read(log);
  assert.deepEqual([text(whole), whole.torn, whole.error], [["SET k a", "SET k b"], undefined, undefined]);
  for (let length = log.length - 1; length > before.length + 54; length--) {
    const cut = read(log.subarray(0, length));
    assert.deepEqual([text(cut), cut.torn?.offset], [["SET k a", "SET k b"], before.length + 54]);
  }
  const ahead = read(Buffer.concat([batch(1, set("a")), synced(55)]));
  assert.equal(ahead.error?.offset, 54);
  assert.match(ahead.error.message, /what had been synced is missing/);
});

test("how far back a batch tells that all was on the disk: to the byte", () => {
  const first = batch(1, set("a"));
  const at = (bytes: number) => read(Buffer.concat([first, Buffer.alloc(54), unsynced(bytes, 3, set("c"))]));
  assert.equal(at(54).torn?.offset, 54);
  assert.equal(at(53).error?.offset, 54);
  assert.equal(at(5400).torn?.offset, 54);
});

test("a command claims to be huge: no memory is taken for it", () => {
  const before = process.memoryUsage().arrayBuffers;
  const reading = read(Buffer.concat([set("a"), Buffer.from("*2\r\n$3\r\nGET\r\n$2000000000\r\nabc")]));
  assert.equal(reading.torn?.offset, set("a").length);
  assert.ok(process.memoryUsage().arrayBuffers - before < 2 ** 26);
});

test("a batch larger than the window is gone through twice, and none of it is given out before", () => {
  const value = "v".repeat(700);
  const log = batch(1, ...Array.from({ length: 20 }, () => set(value)));
  assert.equal(read(log, { windowBytes: 1024 }).commands.length, 20);
  const broken = read(Buffer.concat([changed(log, -5), batch(2, set("b"))]), { windowBytes: 1024 });
  assert.equal(broken.commands.length, 0);
  assert.equal(broken.error?.offset, 0);
});

test("logs damaged at random: nothing is given out that was not written", (context) => {
  context.diagnostic(`seed ${seed}`);
  const outcome = mutateLogs(new Random(seed, 3), 5000);
  assert.ok(outcome.damaged > 1000 && outcome.torn > 300, JSON.stringify(outcome));
});
