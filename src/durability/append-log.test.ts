/** The log from effects to the file: batches, positions, policies, the ring, errors; on one thread. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32 } from "node:zlib";
import { FaultyFiles } from "../testing/faulty-files.ts";
import { withoutPadding } from "../testing/log-builder.ts";
import { PausedLog } from "../testing/paused-log.ts";
import { Random, seedOfRun } from "../testing/random.ts";
import { LogFailedError, type SyncPolicy } from "./append-log.ts";
import type { Files } from "./files.ts";
import { ASLEEP, BELL, STATE, SYNCING } from "./log-channel.ts";
import { LogFeed } from "./log-feed.ts";
import { PORTION_BYTES } from "./log-file-writer.ts";
import { BatchLine } from "./log-lines.ts";

const PATH = "/d/log";
const SET = "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\n";
const seed = seedOfRun();

function pausedLog(policy: SyncPolicy, files: FaultyFiles = new FaultyFiles(["/d"])): PausedLog {
  return new PausedLog(files, PATH, policy);
}

function contentOf(files: Files, path = PATH): Buffer {
  const file = files.open(path, "read");
  const bytes = Buffer.alloc(file.size());
  file.read(bytes, 0, bytes.length, 0);
  file.close();
  return bytes.subarray(0, withoutPadding(bytes.toString("latin1")).length);
}

/** The batches of a file, each checked against its line. */
function batchesOf(bytes: Buffer): string[] {
  const batches: string[] = [];
  const line = new BatchLine();
  for (let at = 0; at < bytes.length; ) {
    const start = bytes.indexOf("\n", at) + 1;
    if (!bytes.latin1Slice(at, start).startsWith("#TS:")) {
      assert(line.parse(bytes, at, start), `no batch line at ${at}`);
      assert.equal(line.sequence, batches.length + 1);
      const batch = bytes.subarray(start, start + line.length);
      assert.equal(batch.length, line.length);
      assert.equal(crc32(batch), line.crc32);
      batches.push(batch.toString());
      at = start + line.length;
    } else at = start;
  }
  return batches;
}

test("what is gathered in one turn is one batch, with its line in front", async () => {
  const files = new FaultyFiles(["/d"]);
  const one = new PausedLog(files, PATH, "no");
  one.gather("a");
  one.gather("b");
  assert.equal(contentOf(files).length, 0);
  await new Promise(setImmediate);
  one.gather("c");
  await new Promise(setImmediate);
  assert.deepEqual(batchesOf(contentOf(files)), [
    `*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n${SET}a\r\n${SET}b\r\n`,
    `${SET}c\r\n`,
  ]);
  assert.equal(one.log.appended, contentOf(files).length);
});

test("with aof-timestamp-enabled each batch says when it was made", () => {
  const files = new FaultyFiles(["/d"]);
  const one = new PausedLog(files, PATH, "no");
  one.log.hasTimestamps = true;
  one.gather("a");
  one.log.flush();
  assert.match(contentOf(files).toString(), /^#TS:\d{10}\r\n#stillwater:1 /);
  assert.equal(batchesOf(contentOf(files)).length, 1);
});

test("everysec and no: the owner writes, unless the writer is syncing or has something to append", () => {
  for (const policy of ["everysec", "no"] as const) {
    const paused = pausedLog(policy);
    paused.gather("a");
    paused.log.flush();
    assert.equal(paused.log.written, paused.log.appended);
    assert.equal(paused.log.released, paused.log.appended);
    assert(paused.log.durable < paused.log.appended);
    paused.channel.store(SYNCING, 1);
    paused.gather("b");
    paused.log.flush();
    assert(paused.log.released < paused.log.appended, "it was not written while a sync was under way");
    paused.channel.store(SYNCING, 0);
    paused.gather("c");
    paused.log.flush();
    assert(paused.log.released < paused.log.appended, "it did not overtake what is in the ring");
    paused.round();
    assert.equal(paused.log.released, paused.log.appended);
  }
});

test("always: nothing is released before it is synced, and what has come meanwhile shares the next sync", () => {
  const files = new FaultyFiles(["/d"]);
  const one = new PausedLog(files, PATH, "always");
  let syncs = 0;
  let told = 0;
  files.onCall = (call) => {
    if (call === "fdatasync") syncs += 1;
  };
  one.log.listeners.add(() => {
    told += 1;
  });
  for (let batch = 0; batch < 5; batch += 1) {
    one.gather("x");
    one.log.flush(1);
    assert.equal(one.log.released, 0);
  }
  assert.equal(told, 0);
  one.round();
  assert.equal(one.log.released, one.log.appended);
  assert.equal(syncs, 1);
  assert.equal(told, 1);
  assert.equal(batchesOf(contentOf(files)).length, 5);
});

test("everysec: a sync a second after the first byte, or at once when much is unsynced", () => {
  const one = pausedLog("everysec");
  assert.equal(one.round(), Number.POSITIVE_INFINITY);
  one.gather("a");
  one.log.flush();
  assert.equal(one.round(), 1000);
  one.now = 400;
  one.gather("b");
  one.log.flush();
  assert.equal(one.round(), 600);
  assert.equal(one.log.durable, 0);
  one.now = 1000;
  assert.equal(one.round(), Number.POSITIVE_INFINITY);
  assert.equal(one.log.durable, one.log.appended);
  one.gather("x".repeat(PORTION_BYTES));
  one.log.flush();
  one.round();
  assert.equal(one.log.durable, one.log.appended);
});

test("everysec: the writer is woken once for each sync, and not by every append", () => {
  const one = pausedLog("everysec");
  one.round();
  one.wakes = 0;
  const bell = one.channel.load(BELL);
  for (let batch = 0; batch < 10; batch += 1) {
    one.gather("a");
    one.log.flush();
  }
  assert.equal(one.wakes, 1);
  assert.equal(one.channel.load(BELL), bell + 1);
  one.round();
  one.now = 1000;
  one.round();
  one.gather("b");
  one.log.flush();
  assert.equal(one.wakes, 2);
});

test("an append that was slow makes the next ones go by the writer, for a while", () => {
  const one = pausedLog("everysec");
  one.log.slowMs = -1;
  one.gather("a");
  one.log.flush();
  assert.equal(one.log.written, one.log.appended);
  one.gather("b");
  one.log.flush();
  assert(one.log.written < one.log.appended);
  one.round();
  assert.equal(one.log.written, one.log.appended);
});

test("a bell that rings while the writer falls asleep is heard", () => {
  const one = pausedLog("always");
  const { channel } = one;
  const store = channel.store.bind(channel);
  let isRung = false;
  channel.store = (word, value) => {
    if (word === STATE && value === ASLEEP && !isRung) {
      isRung = true;
      one.gather("x");
      one.log.flush();
    }
    store(word, value);
  };
  one.wakes = 0;
  one.writer.work();
  one.log.poll();
  assert.equal(isRung, true);
  assert.equal(one.wakes, 0, "the owner took it for awake");
  assert.equal(one.log.durable, one.log.appended);
});

test("no: nothing is synced but what somebody waits for", async () => {
  const one = pausedLog("no");
  one.gather("a");
  one.log.flush();
  assert.equal(one.round(), Number.POSITIVE_INFINITY);
  assert.equal(one.log.durable, 0);
  const done = one.log.sync();
  one.round();
  await done;
  assert.equal(one.log.durable, one.log.appended);
});

test("a change of policy is in force at once", () => {
  const one = pausedLog("always");
  one.gather("a");
  one.log.flush();
  one.log.policy = "everysec";
  one.round();
  assert.equal(one.log.durable, 0);
  assert.equal(one.log.released, one.log.appended);
  one.log.policy = "always";
  assert.equal(one.log.released, 0);
  one.round();
  assert.equal(one.log.released, one.log.appended);
  one.log.isSuspended = true;
  one.gather("b");
  one.log.flush();
  assert.equal(one.log.released, one.log.appended);
});

test("batches of all sizes go round the ring unharmed", () => {
  const random = new Random(seed, 1);
  const files = new FaultyFiles(["/d"]);
  const one = new PausedLog(files, PATH, "always");
  const values: string[] = [];
  for (let batch = 0; batch < 500; batch += 1) {
    const value = String.fromCharCode(97 + (batch % 26)).repeat(random.below(300));
    values.push(value);
    one.gather(value);
    one.log.flush(1);
    if (one.channel.pending > 400 || random.below(3) === 0) one.round();
  }
  one.round();
  const found = batchesOf(contentOf(files));
  assert.deepEqual(
    found.map((batch) => batch.split("\r\n").at(-2)),
    values,
  );
  assert.equal(one.log.durable, contentOf(files).length);
});

test("whether a sync is pending: asked for, by somebody or by what is put under always, or under way", async () => {
  const later = pausedLog("everysec");
  later.gather("a");
  later.log.flush();
  assert.equal(later.log.isSyncPending, false, "a second later it will be");
  later.channel.store(SYNCING, 1);
  assert.equal(later.log.isSyncPending, true);
  later.channel.store(SYNCING, 0);
  const isDurable = later.log.sync();
  assert.equal(later.log.isSyncPending, true);
  later.round();
  await isDurable;
  assert.equal(later.log.isSyncPending, false);
  const soon = pausedLog("always");
  soon.gather("a");
  soon.log.flush();
  assert.equal(soon.log.isSyncPending, true);
  soon.round();
  assert.equal(soon.log.isSyncPending, false);
  soon.gather("b");
  soon.log.flush();
  soon.log.fail("gone");
  assert.equal(soon.log.isSyncPending, false, "nobody will see to it any more");
});

test("a ring that stays full fails the log, and says that it has waited", () => {
  const one = pausedLog("always");
  const waits: number[] = [];
  const port = { wake: (): void => undefined };
  const feed = new LogFeed(one.channel, port, (milliseconds) => waits.push(milliseconds), 20);
  assert.equal(feed.put(Buffer.alloc(1024), 0, 1024, 0), true);
  assert.equal(feed.put(Buffer.alloc(1), 0, 1, 0), false);
  assert.equal(waits.length, 1);
  assert(waits[0]! >= 20);
});

test("a switch: the old file is complete and synced before the next is written, and the next begins anew", () => {
  const files = new FaultyFiles(["/d"]);
  const one = new PausedLog(files, PATH, "always");
  one.gather("old");
  one.log.flush();
  one.writer.prepare("/d/next");
  one.log.switchTo(files.open("/d/next", "append"));
  one.gather("new");
  one.log.flush();
  const calls: string[] = [];
  files.onCall = (call, path) => calls.push(`${call} ${path}`);
  one.round();
  files.onCall = undefined;
  assert.deepEqual(
    calls.filter((call) => /^(write|fdatasync)/.test(call)),
    ["write /d/log", "fdatasync /d/log", "write /d/next", "fdatasync /d/next"],
  );
  assert.match(batchesOf(contentOf(files))[0]!, /old/);
  const [batch] = batchesOf(contentOf(files, "/d/next"));
  assert.match(batch!, /SELECT[\s\S]*new/);
  assert.equal(one.log.durable, one.log.appended);
});

test("an error of write or sync fails the log for good: nothing is released, written, or tried again", async () => {
  for (const policy of ["always", "everysec"] as const) {
    for (const failing of [1, 2]) {
      const files = new FaultyFiles(["/d"]);
      const one = new PausedLog(files, PATH, policy);
      one.gather("a");
      files.failAt(failing, "EIO");
      one.log.flush();
      const done = assert.rejects(one.log.sync(), LogFailedError);
      one.round();
      one.now = 2000;
      one.round();
      assert.notEqual(one.log.failure, undefined, `${policy}, call ${failing}`);
      assert(one.log.durable < one.log.appended);
      if (policy === "always") assert(one.log.released < one.log.appended);
      await done;
      const { calls } = files;
      const { appended } = one.log;
      one.gather("b");
      one.log.flush();
      one.round();
      assert.equal(one.log.appended, appended);
      assert.equal(files.calls, calls, "the file was touched again");
      await assert.rejects(one.log.sync(), LogFailedError);
    }
  }
});

test("a short write is finished, and a disk that takes nothing fails the log", () => {
  for (const policy of ["always", "everysec"] as const) {
    const files = new FaultyFiles(["/d"]);
    const one = new PausedLog(files, PATH, policy);
    one.gather("abc");
    // The writer looks at the file's length before.
    files.failAt(policy === "always" ? 2 : 1, "short");
    one.log.flush();
    one.round();
    assert.equal(files.faults, 1);
    assert.equal(batchesOf(contentOf(files)).length, 1);
    assert.equal(one.log.failure, undefined);
  }
});

test("the reason of a failure is the system's, also where its message comes late", () => {
  const files = new FaultyFiles(["/d"]);
  const one = new PausedLog(files, PATH, "always");
  one.gather("a");
  one.log.flush();
  files.failAt(2, "ENOSPC");
  one.round();
  assert.equal(one.log.failure, "the log writer has failed");
  const told = one.told.at(-1)!;
  assert(told.kind === "failed");
  one.log.fail(told.error);
  assert.equal(one.log.failure, "No space left on device");
});

test("a new beginning after a failure goes on, in another file", () => {
  const files = new FaultyFiles(["/d"]);
  const one = new PausedLog(files, PATH, "always");
  one.gather("a");
  one.log.flush();
  files.failAt(1, "EIO");
  one.round();
  const other = new PausedLog(files, "/d/other", "always", one.effects);
  one.log.end();
  other.log.begin(other.channel, files.open("/d/other", "append"), { wake: () => undefined }, 1);
  other.gather("b");
  other.log.flush();
  other.round();
  assert.equal(other.log.released, other.log.appended);
  assert.match(batchesOf(contentOf(files, "/d/other"))[0]!, /SELECT[\s\S]*b/);
});

test("at the end of the process what was gathered is written without any turn of the event loop", () => {
  const files = new FaultyFiles(["/d"]);
  const one = new PausedLog(files, PATH, "everysec");
  one.gather("last");
  assert.equal(one.log.finishWithin(10), true);
  assert.equal(batchesOf(contentOf(files)).length, 1);
  const always = pausedLog("always");
  always.gather("last");
  assert.equal(always.log.finishWithin(10), false, "nobody has synced it");
});
