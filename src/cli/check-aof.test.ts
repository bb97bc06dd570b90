/** `stillwater check-aof`, beside redis-check-aof. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { DirectoryLock } from "../durability/directory-lock.ts";
import { runCommandLine } from "../testing/cli.ts";
import { batch, LogBuilder, resp } from "../testing/log-builder.ts";
import { rdbFile, savedString, selectRecord } from "../testing/rdb-files.ts";
import { checkAof } from "./check-aof.ts";

function directoryOf(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), "stillwater-check-aof-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

interface Outcome {
  code: number;
  lines: string[];
}

/** @param answer to the question whether to go on */
function check(args: string[], answer = ""): Outcome & { asked: number } {
  const lines: string[] = [];
  let asked = 0;
  const ask = (question: string): string => {
    assert.equal(question, "Continue? [y/N]: ");
    asked += 1;
    return answer;
  };
  const code = checkAof(args, (line) => lines.push(line), ask);
  return { code, lines, asked };
}

function redisCheck(args: string[], answer = ""): Outcome {
  const { status, stdout } = spawnSync("redis-check-aof", args, { input: answer, encoding: "latin1", timeout: 20_000 });
  return { code: status ?? -1, lines: stdout.trimEnd().split("\n") };
}

/**
 * Lines that only one of the two has: ours tell more, and redis-check-aof says what it expected, where we say what is
 * there.
 */
const comparable = ({ lines }: Outcome): string[] =>
  lines
    .filter((line) => !/^(\[|0x|What was cut off)/.test(line))
    .map((line) => line.replace(/ok_up_to_line=\d+/, "line"));

const select = [["SELECT", "0"]];
const set = [["SET", "k", "a\r\nb"]];
const pair = [
  ["SET", "k", "1"],
  ["INCR", "k"],
];
/** A log that both can read. */
const SOUND = new LogBuilder().foreign(select).batch(set, pair).line("#TS:1700000000").foreign(pair).batch(set);

test("of a log that is in order it says what redis-check-aof says", (t) => {
  const path = join(directoryOf(t), "a.aof");
  writeFileSync(path, SOUND.bytes);
  const ours = check([path]);
  const theirs = redisCheck([path]);
  assert.deepEqual(
    ours.lines.filter((line) => !line.startsWith("[info]")),
    theirs.lines,
  );
  assert.match(theirs.lines[1] ?? "", /^AOF analyzed: filename=.*a\.aof, size=\d+, ok_up_to=(\d+), ok_up_to_line=\d+/);
  assert.ok(ours.lines.includes("[info] 11 commands read, 6 of them in 2 batches whose checksums are right"));
  assert.deepEqual([ours.code, theirs.code], [0, 0]);
});

test("the first command that does not exist here is named, and the file is valid all the same", (t) => {
  const path = join(directoryOf(t), "a.aof");
  const log = new LogBuilder()
    .foreign(select)
    .foreign([["FUNCTION", "LOAD", "#!lua name=f\n"]])
    .batch(pair);
  writeFileSync(path, log.bytes);
  assert.ok(!check([path]).lines.some((line) => line.startsWith("[warning]")));
  const offset = log.bytes.length;
  log.foreign([["XADD", "s", "1-1", "f", "v"]]).foreign([["XDEL", "s", "1-1"]]);
  writeFileSync(path, log.bytes);
  const { code, lines } = check([path]);
  assert.deepEqual(
    lines.filter((line) => line.startsWith("[warning]")),
    [`[warning] The command 'XADD' at offset ${offset} does not exist here: no store here starts with it`],
  );
  assert.deepEqual([code, redisCheck([path]).code], [0, 0]);
  assert.equal(lines.at(-1), `AOF ${path} is valid`);
});

test("a directory is none of a log's files: its manifest is named", (t) => {
  const directory = directoryOf(t);
  assert.deepEqual(check([directory]).lines, [`${directory} is a directory; name a file of a log, or its manifest`]);
  const inside = join(directory, "appendonlydir");
  mkdirSync(inside);
  const manifest = join(inside, "appendonly.aof.manifest");
  writeFileSync(manifest, "file appendonly.aof.1.incr.aof seq 1 type i\n");
  for (const given of [directory, inside]) {
    const { code, lines } = check([given]);
    assert.deepEqual([code, lines], [1, [`${given} is a directory; name the manifest: ${manifest}`]]);
  }
});

const BROKEN: [string, Buffer][] = [
  ["a command that is cut off", SOUND.bytes.subarray(0, SOUND.bytes.length - 4)],
  ["a transaction without its end", Buffer.concat([resp("SET", "k", "v"), resp("MULTI"), resp("SET", "k", "v")])],
  ["what is no command", Buffer.concat([resp("SET", "k", "v"), Buffer.from("nonsense\r\n"), resp("SET", "k", "v")])],
  ["zeros", Buffer.concat([resp("SET", "k", "v"), Buffer.alloc(100)])],
];

for (const [what, bytes] of BROKEN) {
  test(`${what}: found, and cut off if that is wanted`, (t) => {
    const directory = directoryOf(t);
    const path = join(directory, "a.aof");
    writeFileSync(path, bytes);
    const ours = check([path]);
    const theirs = redisCheck([path]);
    assert.deepEqual([ours.code, theirs.code, ours.asked], [1, 1, 0]);
    assert.equal(ours.lines.at(-1), `AOF ${path} is not valid. Use the --fix option to try fixing it.`);
    const refused = check(["--fix", path], "n");
    assert.deepEqual([refused.code, refused.asked, refused.lines.at(-1)], [1, 1, "Aborting..."]);
    assert.deepEqual(readFileSync(path), bytes);
    const fixed = check(["--fix", path], "y");
    assert.equal(fixed.code, 0);
    const end = readFileSync(path).length;
    assert.ok(end < bytes.length);
    assert.deepEqual(readFileSync(path), bytes.subarray(0, end));
    const keptAs = /^What was cut off is kept as (.*)$/.exec(fixed.lines.at(-1) ?? "")?.[1] ?? "";
    assert.deepEqual(readFileSync(keptAs), bytes.subarray(end));
    assert.deepEqual([check([path]).code, redisCheck([path]).code], [0, 0]);
    assert.deepEqual(readdirSync(directory).length, 2);
  });
}

test("what it says of a foreign log that is torn is what redis-check-aof says", (t) => {
  const path = join(directoryOf(t), "a.aof");
  const bytes = new LogBuilder().foreign(select).foreign(pair).foreign(set).bytes;
  for (const length of [bytes.length - 1, bytes.length - 9, bytes.length - 40, bytes.length - 60]) {
    for (const [args, answer] of [
      [[path], ""],
      [["--fix", path], "n\n"],
      [["--fix", path], "y\n"],
    ] as [string[], string][]) {
      writeFileSync(path, bytes.subarray(0, length));
      const theirs = redisCheck(args, answer);
      writeFileSync(path, bytes.subarray(0, length));
      const ours = check(args, answer);
      assert.equal(ours.code, theirs.code);
      const expected = comparable(theirs).map((line) => line.replace("Continue? [y/N]: ", ""));
      assert.deepEqual(comparable(ours), expected);
    }
  }
});

test("a batch whose checksum is wrong is found, where redis-check-aof sees nothing", (t) => {
  const path = join(directoryOf(t), "a.aof");
  const log = new LogBuilder().batch(set).batch(set).batch(set);
  const bytes = Buffer.from(log.bytes);
  const second = log.boundaries[1]!.end;
  bytes[log.boundaries[2]!.end - 3]! ^= 1;
  writeFileSync(path, bytes);
  assert.equal(redisCheck([path]).code, 0);
  const { code, lines } = check(["--fix", path], "y");
  assert.equal(code, 0);
  assert.ok(lines.includes(`[offset ${second}] batch 2 does not have its checksum`), lines.join("\n"));
  assert.deepEqual(readFileSync(path), log.bytes.subarray(0, second));
});

function putSet(directory: string, base: Buffer, ...incrs: Buffer[]): string {
  mkdirSync(join(directory, "logs"));
  const names = incrs.map((_, index) => `a.aof.${index + 1}.incr.aof`);
  writeFileSync(join(directory, "logs", "a.aof.1.base.rdb"), base);
  for (const [index, bytes] of incrs.entries()) writeFileSync(join(directory, "logs", names[index]!), bytes);
  const lines = names.map((name, index) => `file ${name} seq ${index + 1} type i\n`);
  const manifest = join(directory, "logs", "a.aof.manifest");
  writeFileSync(manifest, `file a.aof.1.base.rdb seq 1 type b\n${lines.join("")}`);
  return manifest;
}

const RDB = rdbFile([selectRecord(0), savedString("k", "v")]);

test("a manifest: all files, and only the end of the last is cut off", (t) => {
  const manifest = putSet(directoryOf(t), RDB, SOUND.bytes, SOUND.bytes);
  const ours = check([manifest]);
  const theirs = redisCheck([manifest]);
  assert.deepEqual([ours.code, theirs.code], [0, 0]);
  assert.deepEqual(comparable(ours), comparable(theirs));
  const last = join(manifest, "..", "a.aof.2.incr.aof");
  writeFileSync(last, SOUND.bytes.subarray(0, SOUND.bytes.length - 1));
  assert.equal(check([manifest]).code, 1);
  const fixed = check(["--fix", manifest], "Y");
  assert.deepEqual([fixed.code, fixed.lines.at(-1)], [0, "All AOF files and manifest are valid"]);
  const first = join(manifest, "..", "a.aof.1.incr.aof");
  writeFileSync(first, SOUND.bytes.subarray(0, SOUND.bytes.length - 1));
  const refused = check(["--fix", manifest], "y");
  assert.equal(refused.code, 1);
  assert.equal(refused.lines.at(-1), "Failed to truncate AOF a.aof.1.incr.aof because it is not the last file");
  assert.equal(refused.asked, 0);
});

test("a manifest with a base that is damaged, a file that is missing, or nothing that can be read", (t) => {
  const directory = directoryOf(t);
  const manifest = putSet(directory, RDB.subarray(0, RDB.length - 3), SOUND.bytes);
  const damaged = check(["--fix", manifest], "y");
  assert.equal(damaged.code, 1);
  assert.ok(damaged.lines.includes("RDB preamble of AOF file is not sane, aborting."));
  rmSync(join(directory, "logs", "a.aof.1.incr.aof"));
  assert.match(check([manifest]).lines.at(-1) ?? "", /it lists .*a\.aof\.1\.incr\.aof, and there is no such file/);
  writeFileSync(manifest, "file a b\n");
  const unreadable = check([manifest]);
  assert.equal(unreadable.code, 1);
  assert.match(unreadable.lines.at(-1) ?? "", /Invalid AOF manifest file format/);
});

/** Redis's own way of telling the time, before commands and at the end. */
const TIMED = new LogBuilder()
  .line("#TS:100")
  .foreign(select)
  .foreign(set)
  .line("#TS:200")
  .foreign(pair)
  .line("#TS:300")
  .foreign(set)
  .line("#TS:400").bytes;

/** What both say, and leave, of the same file. */
function truncateBoth(path: string, bytes: Buffer, timestamp: string, of = path): { ours: Outcome; left: Buffer } {
  const args = ["--truncate-to-timestamp", timestamp, of];
  writeFileSync(path, bytes);
  const theirs = redisCheck(args);
  const left = readFileSync(path);
  writeFileSync(path, bytes);
  const ours = check(args, "y");
  assert.deepEqual(comparable(ours), comparable(theirs));
  assert.deepEqual([ours.code, ours.asked], [theirs.code, 0]);
  assert.deepEqual(readFileSync(path), left);
  const keptAs = /^What was cut off is kept as (.*)$/m.exec(ours.lines.join("\n"))?.[1];
  assert.equal(keptAs !== undefined, left.length < bytes.length);
  if (keptAs !== undefined) assert.deepEqual(Buffer.concat([left, readFileSync(keptAs)]), bytes);
  return { ours, left };
}

test("what was logged after a time is cut off, as redis-check-aof does it", (t) => {
  const path = join(directoryOf(t), "a.aof");
  const lengths = new Set<number>();
  for (const timestamp of ["-5", "99", "100", "199", "200", "399", "400", "999", "12x", "1.5", " 7 8", `${1e20}`]) {
    lengths.add(truncateBoth(path, TIMED, timestamp).left.length);
  }
  assert.equal(lengths.size, 4, "too few different ends");
  const damaged = TIMED.subarray(0, TIMED.length - 12);
  assert.equal(truncateBoth(path, damaged, "200").ours.code, 0);
  assert.equal(truncateBoth(path, Buffer.concat([TIMED, Buffer.from("nonsense")]), "150").ours.code, 0);
  for (const line of ["#TS:", "#TS: +5"]) {
    truncateBoth(path, new LogBuilder().foreign(set).line(line).foreign(set).bytes, "4");
  }
  for (const line of ["#TS:x", "#TS: ", "#TS:1 2"]) {
    const bytes = new LogBuilder().foreign(set).line(line).foreign(set).bytes;
    assert.equal(truncateBoth(path, bytes, "5").ours.lines.at(-1), "Invalid timestamp annotation");
  }
  const isBefore = new LogBuilder().foreign(set).line("#TS:9").line("nonsense").bytes;
  assert.equal(truncateBoth(path, isBefore, "5").ours.code, 0);
  writeFileSync(path, Buffer.concat([resp("SET", "k", "v"), Buffer.from("nonsense\r\n#TS:9\r\n")]));
  assert.equal(check(["--truncate-to-timestamp", "5", path]).code, 1);
});

test("a batch or a transaction that is later in part goes as a whole", (t) => {
  const path = join(directoryOf(t), "a.aof");
  const timed = (time: number, ...commands: Buffer[]): Buffer[] => [Buffer.from(`#TS:${time}\r\n`), ...commands];
  const first = batch(1, ...timed(100, resp("SELECT", "0"), resp("INCR", "a")));
  const second = batch(2, ...timed(200, resp("INCR", "a")), resp("INCR", "b"), ...timed(300, resp("INCR", "c")));
  const open = Buffer.concat([...timed(200), resp("MULTI"), resp("INCR", "a"), ...timed(300, resp("EXEC"))]);
  const cuts: [Buffer[], string, number][] = [
    [[first, second], "99", -1],
    [[first, second], "100", first.length],
    [[first, second], "250", first.length],
    [[first, second, ...timed(400), batch(3, resp("INCR", "d"))], "300", first.length + second.length],
    [[first, second.subarray(0, second.length - 1)], "250", -1],
    [[resp("INCR", "a"), open], "250", resp("INCR", "a").length + 9],
    [[resp("INCR", "a"), open], "199", resp("INCR", "a").length],
  ];
  for (const [parts, timestamp, length] of cuts) {
    const bytes = Buffer.concat(parts);
    writeFileSync(path, bytes);
    const { code, lines } = check(["--truncate-to-timestamp", timestamp, path]);
    assert.deepEqual(
      [code, readFileSync(path)],
      length === -1 ? [1, bytes] : [0, bytes.subarray(0, length)],
      `${lines}`,
    );
    if (code === 0) assert.equal(check([path]).code, 0);
  }
});

test("of several files, only the last is cut off for its time", (t) => {
  const manifest = putSet(directoryOf(t), RDB, TIMED, TIMED);
  const last = join(manifest, "..", "a.aof.2.incr.aof");
  const late = new LogBuilder().line("#TS:400").foreign(set).line("#TS:500").foreign(set).bytes;
  for (const timestamp of ["50", "150", "399", "400", "450", "500"]) truncateBoth(last, late, timestamp, manifest);
  writeFileSync(last, late);
  const lock = DirectoryLock.acquire(join(manifest, "..", ".."), "a test");
  const { code, lines } = check(["--truncate-to-timestamp", "450", manifest]);
  lock.release();
  assert.equal(code, 1);
  assert.match(lines.at(-1) ?? "", /is in use: .*a test/);
  assert.deepEqual(readFileSync(last), late);
});

test("what it is not called with", (t) => {
  const directory = directoryOf(t);
  const time = "--truncate-to-timestamp";
  for (const args of [[], ["--fix"], ["--nonsense", "a.aof"], ["a.aof", "b.aof"], [time], [time, "5"]]) {
    assert.deepEqual(check(args), {
      code: 1,
      lines: ["Usage: stillwater check-aof [--fix|--truncate-to-timestamp $timestamp] <file.manifest|file.aof>"],
      asked: 0,
    });
  }
  for (const name of ["none.aof", "none.manifest"]) {
    const path = join(directory, name);
    assert.equal(check([path]).lines.at(-1), redisCheck([path]).lines.at(-1)?.replaceAll(/\0/g, ""));
  }
  writeFileSync(join(directory, "empty.aof"), "");
  assert.equal(check([join(directory, "empty.aof")]).lines.at(-1), `AOF ${join(directory, "empty.aof")} is empty`);
});

test("nothing is cut off while a store is there", (t) => {
  const directory = directoryOf(t);
  const manifest = putSet(directory, RDB, SOUND.bytes.subarray(0, SOUND.bytes.length - 1));
  const lock = DirectoryLock.acquire(directory, "a test");
  const { code, lines, asked } = check(["--fix", manifest], "y");
  lock.release();
  assert.deepEqual([code, asked], [1, 0]);
  assert.match(lines.at(-1) ?? "", /is in use: .*a test/);
  assert.equal(check(["--fix", manifest], "y").code, 0);
});

test("from the command line, with an answer from a pipe, and with none", async (t) => {
  const path = join(directoryOf(t), "a.aof");
  writeFileSync(path, SOUND.bytes.subarray(0, SOUND.bytes.length - 1));
  const none = runCommandLine(t, ["check-aof", "--fix", path]);
  assert.equal(await none.ended, 1);
  assert.match(none.output(), /Continue\? \[y\/N\]: Aborting\.\.\.\n$/);
  const yes = runCommandLine(t, ["check-aof", "--fix", path], { input: "yes\n" });
  assert.equal(await yes.ended, 0);
  assert.match(yes.output(), /Successfully truncated AOF \S+a\.aof\n/);
  const sound = runCommandLine(t, ["check-aof", path]);
  assert.equal(await sound.ended, 0);
  assert.match(sound.output(), /AOF \S+a\.aof is valid\n$/);
});
