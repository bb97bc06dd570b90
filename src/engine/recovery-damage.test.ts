/** Recovery of logs that were cut off, or damaged, and on a disk that fails. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { DamagedFileError } from "../durability/damaged-file-error.ts";
import { UnloadableFileError } from "../durability/unloadable-file-error.ts";
import { digestOfAll } from "../keyspace/live-digest.ts";
import { FaultyFiles } from "../testing/faulty-files.ts";
import { LogBuilder, type Unit } from "../testing/log-builder.ts";
import { LogMachine, MACHINE_DIRECTORY } from "../testing/log-machine.ts";
import {
  AOF_DIR,
  BASE,
  BASE_UNIT,
  basePath,
  DIR,
  digestAfter,
  HISTORY,
  historyLogs,
  incrPath,
  MANIFEST,
  ON,
  putSet,
  refusal,
  runnerWith,
  start,
} from "../testing/recovering.ts";
import { Recovery } from "./recovery.ts";

for (const policy of ["always", "everysec"]) {
  test(`${policy}: of what a store was closed with, no byte changes unnoticed`, async () => {
    const files = new FaultyFiles([DIR]);
    const directives = { appendonly: "yes", appendfsync: policy };
    const machine = await LogMachine.start(files, directives);
    for (let count = 0; count < 8; count++) assert.equal(machine.execute("INCR", "n"), "acknowledged");
    assert.ok(await machine.close());
    const path = join(MACHINE_DIRECTORY, "appendonlydir", "appendonly.aof.1.incr.aof");
    const content = files.contentOf(path)!;
    assert.match(content.toString("latin1"), /INCR\r\n\$1\r\nn\r\n#stillwater:synced \d+\r\n$/);
    const lastLine = content.lastIndexOf("#stillwater:synced ");
    const isDamage = (error: unknown) => assert.ok(error instanceof DamagedFileError);
    const whole = await LogMachine.start(files, directives);
    assert.equal(whole.runner.ask("GET", "n"), "8");
    // What a batch says of what is unsynced is a hint, which is checked against nothing.
    const hints = [...content.toString("latin1").matchAll(/#stillwater:\d+ \d+ [0-9a-f]{8}( \d+)\r/g)];
    const isHint = (at: number) =>
      hints.some(({ index, 0: line }) => at > index + line.lastIndexOf(" ") && at < index + line.length - 1);
    for (let at = 0; at < content.length; at++) {
      if (isHint(at)) continue;
      const damaged = Buffer.from(content);
      damaged[at]! ^= 1 << (at % 8);
      const disk = new FaultyFiles([DIR]);
      for (const name of files.list(join(MACHINE_DIRECTORY, "appendonlydir"))) {
        const file = join(MACHINE_DIRECTORY, "appendonlydir", name);
        disk.put(file, file === path ? damaged : files.contentOf(file)!);
      }
      const again = LogMachine.start(disk, directives);
      if (at < lastLine) await assert.rejects(again, DamagedFileError, `byte ${at} of ${content.length}`);
      else await again.then(({ runner }) => assert.equal(runner.ask("GET", "n"), "8"), isDamage);
    }
  });
}

test("every prefix of the last increment, and again after a second start with new appends", async () => {
  const [first, second] = historyLogs();
  const units = [BASE_UNIT, ...HISTORY.slice(0, 3)];
  const appended: Unit = [["INCR", "n"]];
  const expected = [0, 1, 2, 3].map((count) => digestAfter(...units, ...HISTORY.slice(3, 3 + count)));
  const later = [0, 1, 2, 3].map((count) => digestAfter(...units, ...HISTORY.slice(3, 3 + count), appended));
  const { bytes } = second;
  for (let length = 0; length <= bytes.length; length++) {
    const files = new FaultyFiles([DIR]);
    putSet(files, BASE, first.bytes, bytes.subarray(0, length));
    const { runner, recovered } = await start(files);
    const { end } = second.boundaryAt(length);
    const complete = second.boundaries.findIndex((boundary) => boundary.end === end);
    assert.equal(digestOfAll(runner.keyspace), expected[complete], `cut at ${length}`);
    const { cutOff } = recovered.report;
    assert.equal(cutOff.length, length === end ? 0 : 1);
    if (length > end) {
      const { file, offset, bytes: cut, keptAs } = cutOff[0]!;
      assert.deepEqual([file, offset, cut], [incrPath(2), end, length - end]);
      assert.deepEqual(files.contentOf(keptAs), bytes.subarray(end, length));
    }
    const { incr } = recovered.log!;
    assert.deepEqual(files.contentOf(incr!.path), bytes.subarray(0, end));
    assert.equal(incr!.bytes, end);
    const next = new LogBuilder();
    next.sequence = incr!.nextSequence - 1;
    next.batch(appended);
    files.put(incr!.path, Buffer.concat([bytes.subarray(0, end), next.bytes]));
    const again = await start(files);
    assert.equal(digestOfAll(again.runner.keyspace), later[complete], `cut at ${length}, second start`);
    assert.equal(again.recovered.report.cutOff.length, 0);
  }
});

test("an increment that is not the last may be torn only while those behind it are empty", async () => {
  const [first, second] = historyLogs();
  for (let length = 0; length < first.bytes.length; length++) {
    const { end } = first.boundaryAt(length);
    const empty = new FaultyFiles([DIR]);
    putSet(empty, BASE, first.bytes.subarray(0, length), Buffer.alloc(0));
    const { recovered } = await start(empty);
    assert.equal(recovered.report.cutOff.length, length === end ? 0 : 1);
    assert.deepEqual(recovered.log?.incr, { path: incrPath(2), bytes: 0, nextSequence: 1 });
    if (length === end) continue;
    const full = new FaultyFiles([DIR]);
    putSet(full, BASE, first.bytes.subarray(0, length), second.bytes);
    const error = await refusal(full);
    assert.equal(error.file, incrPath(1));
    assert.equal(error.offset, end);
    assert.deepEqual(full.contentOf(incrPath(1)), first.bytes.subarray(0, length), "nothing is touched");
  }
});

test("every prefix of a base is refused", async () => {
  for (let length = 0; length < BASE.length; length++) {
    const files = new FaultyFiles([DIR]);
    putSet(files, BASE.subarray(0, length), historyLogs()[0].bytes);
    if (length === 0) continue;
    assert.equal((await refusal(files)).file, basePath(1));
  }
});

test("aof-load-truncated no: a torn log is refused, and left as it is", async () => {
  const log = new LogBuilder().batch(HISTORY[0]!).bytes;
  const files = new FaultyFiles([DIR]);
  putSet(files, undefined, log.subarray(0, log.length - 1));
  const error = await refusal(files, { ...ON, "aof-load-truncated": "no" });
  assert.match(error.message, /ends with batch 1, of which 26 of 27 bytes .*check-aof --fix/);
  assert.equal(files.contentOf(incrPath(1))?.length, log.length - 1);
  assert.equal(files.list(AOF_DIR).length, 2);
});

const REFUSED: [string, (files: FaultyFiles) => void, RegExp][] = [
  [
    "a file is missing",
    (files) => {
      putSet(files, BASE, Buffer.alloc(0));
      files.remove(incrPath(1));
    },
    /it lists .*incr\.aof, and there is no such file/,
  ],
  [
    "the base is missing",
    (files) => {
      putSet(files, BASE, Buffer.alloc(0));
      files.remove(basePath(1));
    },
    /it lists .*base\.rdb, and there is no such file/,
  ],
  ["an empty manifest", (files) => files.put(MANIFEST, Buffer.alloc(0)), /Found an empty AOF manifest/],
  ["a manifest of nonsense", (files) => files.put(MANIFEST, Buffer.from("file a b\n")), /Invalid AOF manifest/],
  [
    "increments without a manifest",
    (files) => files.put(incrPath(1), new LogBuilder().batch(HISTORY[0]!).bytes),
    /manifest .*it is missing, and appendonly\.aof\.1\.incr\.aof is there/,
  ],
  [
    "an RDB in the place of an increment",
    (files) => putSet(files, undefined, BASE),
    /incr\.aof is damaged at byte 0: 'R' instead of a command/,
  ],
  [
    "a command that no program can have",
    (files) => putSet(files, undefined, new LogBuilder().batch([["SET", "k", "v"]], [["NO\x01SUCH", "k"]]).bytes),
    /at byte 54: the command 'NO\x01SUCH' there fails with "ERR unknown command/,
  ],
  [
    "a command that fails",
    (files) => putSet(files, undefined, new LogBuilder().batch([["SET", "k", "v"]], [["LPUSH", "k", "v"]]).bytes),
    /the command 'LPUSH' there fails with "WRONGTYPE/,
  ],
  [
    "a command that fails in a transaction",
    (files) =>
      putSet(
        files,
        undefined,
        new LogBuilder().batch([
          ["SET", "k", "v"],
          ["INCR", "k"],
        ]).bytes,
      ),
    /at byte 69: the command 'INCR' there fails with "ERR value is not an integer/,
  ],
  [
    "an EXEC without its MULTI",
    (files) => putSet(files, undefined, new LogBuilder().foreign([["EXEC"]]).bytes),
    /EXEC without MULTI/,
  ],
  ["an RDB whose checksum is wrong", (files) => putSet(files, changed(BASE, BASE.length - 20)), /base\.rdb is damaged/],
  [
    "a log whose checksum is wrong",
    (files) => {
      const bytes = new LogBuilder().batch(HISTORY[0]!).batch(HISTORY[1]!).bytes;
      putSet(files, undefined, changed(bytes, 40));
    },
    /batch 1 does not have its checksum\. .*"stillwater check-aof --fix \S+1\.incr\.aof"/,
  ],
];

function changed(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at]! ^= 0x10;
  return copy;
}

for (const [what, prepare, message] of REFUSED) {
  test(`refused: ${what}`, async () => {
    const files = new FaultyFiles([DIR, AOF_DIR]);
    prepare(files);
    const before = files.list(AOF_DIR).map((name) => [name, files.contentOf(join(AOF_DIR, name))]);
    assert.match((await refusal(files)).message, message);
    assert.deepEqual(
      files.list(AOF_DIR).map((name) => [name, files.contentOf(join(AOF_DIR, name))]),
      before,
    );
  });
}

test("increments without anything in them, and files of other names, are no sign of a lost manifest", async () => {
  const files = new FaultyFiles([DIR]);
  files.put(incrPath(1), Buffer.alloc(0));
  files.put(join(AOF_DIR, "other.aof.1.incr.aof"), Buffer.from("x"));
  assert.equal((await start(files)).recovered.log?.manifest, undefined);
});

test("data for which there is no room is not loaded in part", async () => {
  const files = new FaultyFiles([DIR]);
  const log = new LogBuilder();
  for (let index = 0; index < 40; index++) log.batch([["SET", `k${index}`, "v".repeat(60_000)]]);
  putSet(files, undefined, log.bytes);
  const recovery = new Recovery(runnerWith(ON).engine, { files });
  await assert.rejects(
    recovery.run(),
    (error) => error instanceof UnloadableFileError && /no room/.test(error.message),
  );
});

test("a command that there is not here is told by its name and place, and its log is not called damaged", async () => {
  const set = ["SET", "k", "v"];
  const stream = ["xadd", "s", "1-1", "f", "v"];
  for (const log of [
    new LogBuilder().foreign([set]).foreign([stream]),
    new LogBuilder().batch([set], [stream]),
    new LogBuilder().batch([set, stream]),
  ]) {
    const files = new FaultyFiles([DIR]);
    putSet(files, undefined, log.bytes);
    const error = await refusal(files, ON, UnloadableFileError);
    assert.equal(error.offset, log.bytes.indexOf("*5\r\n"));
    assert.equal(error.reason, "the command 'xadd' there does not exist here");
    assert.match(error.advice, /BGREWRITEAOF/);
  }
});

test("a log in one file that is refused stays where it is", async () => {
  const old = new LogBuilder().foreign([["INCR", "n"]]).foreign([["XADD", "s", "1-1", "f", "v"]]).bytes;
  const files = new FaultyFiles([DIR]);
  files.put(join(DIR, "appendonly.aof"), old);
  await refusal(files, ON, UnloadableFileError);
  files.put(join(DIR, "appendonly.aof"), changed(old, 3));
  await refusal(files);
  assert.deepEqual(files.contentOf(join(DIR, "appendonly.aof")), changed(old, 3));
  assert.equal(files.size(AOF_DIR), undefined);
});

test("a log in one file, of Redis 6, becomes the base; killed anywhere, the next start finds it", async () => {
  const old = Buffer.concat([BASE, new LogBuilder().foreign([["INCR", "n"]]).bytes]);
  let calls = 0;
  for (let failing = 1; ; failing++) {
    const files = new FaultyFiles([DIR]);
    files.put(join(DIR, "appendonly.aof"), old);
    files.failAt(failing, "EIO");
    const outcome = await new Recovery(runnerWith(ON).engine, { files }).run().then(
      () => "started",
      (error: NodeJS.ErrnoException) => error.code ?? "another",
    );
    calls += 1;
    files.heal();
    const { runner, recovered } = await start(files);
    assert.equal(runner.run("GET", "n"), "$1\r\n6\r\n", `after the failure of call ${failing}`);
    assert.equal(recovered.log?.manifest?.base?.name, "appendonly.aof");
    assert.equal(files.size(join(DIR, "appendonly.aof")), undefined);
    if (files.faults === 0) {
      assert.equal(outcome, "started");
      break;
    }
    assert.equal(outcome, "EIO");
  }
  assert.ok(calls > 10);
});

test("the n-th call fails, for every n: an error or all of the data, and nothing is lost by it", async () => {
  const [first, second] = historyLogs();
  const torn = second.bytes.subarray(0, second.bytes.length - 3);
  const expected = digestAfter(BASE_UNIT, ...HISTORY.slice(0, 5));
  for (const kind of ["EIO", "ENOSPC", "short"] as const) {
    let faults = 0;
    for (let failing = 1; ; failing++) {
      const files = new FaultyFiles([DIR]);
      putSet(files, BASE, first.bytes, torn);
      const { calls } = files;
      files.failAt(failing, kind);
      const failure = await new Recovery(runnerWith(ON).engine, { files }).run().then(
        () => undefined,
        (error: NodeJS.ErrnoException) => error.code,
      );
      assert.equal(failure, files.faults === 0 || kind === "short" ? undefined : kind);
      assert.equal(files.openFiles, 0);
      if (files.calls - calls < failing) break;
      faults += files.faults;
      files.heal();
      const { runner } = await start(files);
      assert.equal(digestOfAll(runner.keyspace), expected);
      const copies = files.list(AOF_DIR).filter((name) => name.includes(".torn-"));
      assert.ok(
        copies.some((name) =>
          files.contentOf(join(AOF_DIR, name))?.equals(torn.subarray(second.boundaryAt(torn.length).end)),
        ),
      );
    }
    assert.ok(faults >= (kind === "EIO" ? 20 : 1), `${kind}: ${faults}`);
  }
});
