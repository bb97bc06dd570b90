/** What is large is freed by a finder, whatever happens to it. With a thread: background/lazy-free.test.ts. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { allCommands } from "../commands/all-commands.ts";
import { DeadBlocks } from "../memory/dead-blocks.ts";
import { CommandRunner } from "../testing/commands.ts";
import { ReleaseThread } from "../testing/release-thread.ts";
import type { Keyspace } from "./keyspace.ts";
import { LINKED, LISTED, WALKING } from "./release-words.ts";

const MEBIBYTE = 1024 * 1024;

interface Scene {
  readonly runner: CommandRunner;
  readonly keyspace: Keyspace;
  readonly thread: ReleaseThread;
}

function start(shards = 1, regionSize = 32 * MEBIBYTE): Scene {
  const runner = new CommandRunner(allCommands, { shards, regionSize });
  const { keyspace } = runner;
  return { runner, keyspace, thread: new ReleaseThread(keyspace) };
}

/** Large values of every kind that has more than one block. */
const FILLS: Record<string, (runner: CommandRunner, key: string) => void> = {
  "hash of many fields": (runner, key) => {
    for (let at = 0; at < 3000; at += 100) runner.run("HSET", key, ...pairs(at, (index) => [`f${index}`, "v"]));
    runner.run("HSET", key, "long", "v".repeat(5000), "longer", "v".repeat(50_000));
  },
  "set of many members": (runner, key) => {
    for (let at = 0; at < 3000; at += 100) runner.run("SADD", key, ...pairs(at, (index) => [`m${index}`]));
  },
  "sorted set of many members": (runner, key) => {
    for (let at = 0; at < 3000; at += 100) runner.run("ZADD", key, ...pairs(at, (index) => [`${index}`, `m${index}`]));
  },
  "list of many items": (runner, key) => {
    const item = "x".repeat(3000);
    for (let at = 0; at < 600; at += 100) runner.run("RPUSH", key, ...pairs(at, () => [item]));
  },
};

function pairs(from: number, make: (index: number) => string[]): string[] {
  return Array.from({ length: 100 }, (_, index) => make(from + index)).flat();
}

for (const [name, fill] of Object.entries(FILLS)) {
  test(`a ${name} is freed by the finder, to the byte`, () => {
    const { runner, keyspace, thread } = start();
    runner.run("SET", "other", "1");
    const { usedBytes } = keyspace;
    fill(runner, "key");
    const full = keyspace.usedBytes;
    const { releaser } = keyspace;
    assert.equal(runner.run("DEL", "key"), ":1\r\n");
    assert.equal(thread.arms, 1);
    assert.equal(releaser.pendingObjects, 1);
    assert(keyspace.usedBytes > full - 200, "it is still in use");
    const dead = keyspace.usedBytes - usedBytes;
    // Of the hash, one of a few fields that are much longer than all others may be among those that stand for all.
    const isVague = name.startsWith("hash");
    const { pendingBytes } = releaser;
    if (isVague) assert(pendingBytes > dead / 3 && pendingBytes <= keyspace.usedBytes + 100);
    else assert(Math.abs(pendingBytes / dead - 1) < 0.3, `${pendingBytes} are said to be pending of ${dead}`);
    runner.verify();
    assert.equal(thread.settle(10_000), 1);
    assert.deepEqual([releaser.pendingObjects, releaser.pendingBytes, releaser.freedObjects], [0, 0, 1]);
    assert.deepEqual([thread.batches, releaser.inlineFrees], [1, 0]);
    assert.equal(keyspace.usedBytes, usedBytes);
    runner.verify();
    fill(runner, "key");
    assert.equal(keyspace.usedBytes, full);
    runner.verify();
  });

  test(`a ${name}: the finder dies behind each phase, or refuses it, and nothing is lost`, () => {
    const { runner, keyspace, thread } = start();
    const { releaser } = keyspace;
    fill(runner, "kept");
    const { usedBytes } = keyspace;
    for (const deathAt of [WALKING, LISTED, LINKED, undefined]) {
      fill(runner, "key");
      runner.run("DEL", "key");
      thread.isOpen = deathAt !== undefined;
      thread.onPhase = (phase) => {
        if (phase === deathAt) thread.die();
      };
      releaser.flush();
      thread.run();
      thread.onPhase = () => undefined;
      runner.verify();
      for (let step = 0; releaser.pendingObjects > 0; step++) {
        releaser.work(0);
        if (step % 3 === 0) runner.verify();
      }
      thread.isOpen = true;
      assert.equal(keyspace.usedBytes, usedBytes);
      runner.verify();
    }
    assert.equal(thread.deaths, 3);
    assert.equal(releaser.freedObjects, 4);
    assert.equal(releaser.inlineFrees, 2, "those that had not been listed");
  });
}

test("a thread that dies in the middle of marking, or of linking, leaves no trace", () => {
  const { runner, keyspace, thread } = start();
  const { usedBytes } = keyspace;
  const linking = Array.from({ length: 20 }, (_, index) => 3005 + index);
  let seenLinks = 0;
  for (const steps of [1, 2, 10, 300, 3000, ...linking]) {
    // Their fields share spans, so that there is something to link.
    for (let at = 0; at < 3000; at += 100) {
      for (const key of ["key", "kept"]) runner.run("HSET", key, ...pairs(at, (index) => [`f${index}`, "v"]));
    }
    const before = runner.run("DEBUG", "DIGEST-VALUE", "kept");
    runner.run("DEL", "key");
    keyspace.releaser.flush();
    killAfter(keyspace, steps, () => thread.run());
    if (keyspace.releaser.handover.words.phase === LISTED) seenLinks += 1;
    thread.end();
    runner.verify();
    thread.settle();
    runner.verify();
    assert.equal(runner.run("DEBUG", "DIGEST-VALUE", "kept"), before);
    runner.run("DEL", "kept");
    thread.settle();
    assert.equal(keyspace.usedBytes, usedBytes);
  }
  assert(seenLinks > 3, "it was hardly ever linking");
  runner.verify();
});

/** Where a row of the area has its TAIL, which is stored last (dead-blocks.ts draws it). */
const tailAt = (row: number): number => 16 + row * 4 + 3;

/** Runs `work`, which is broken off after so many steps: in a block's marking, or within a row's linking. */
function killAfter(keyspace: Keyspace, steps: number, work: () => void): void {
  const { mark, link } = DeadBlocks.prototype;
  let left = steps;
  const isLast = (): boolean => {
    left -= 1;
    return left === 0;
  };
  DeadBlocks.prototype.mark = function (block) {
    if (isLast()) throw new Error("killed");
    mark.call(this, block);
  };
  DeadBlocks.prototype.link = function (row) {
    link.call(this, row);
    if (!isLast()) return;
    new Int32Array(this.buffer)[tailAt(row)] = 0;
    throw new Error("killed");
  };
  try {
    work();
  } catch (error) {
    assert.equal((error as Error).message, "killed");
  } finally {
    Object.assign(DeadBlocks.prototype, { mark, link });
  }
  assert(keyspace.releaser.handover.isBusy);
}

test("what is small, or a string, or not to be lazy, is freed at once", () => {
  const { runner, keyspace, thread } = start();
  const { releaser } = keyspace;
  const { usedBytes } = keyspace;
  runner.run("SET", "string", "x".repeat(5 * MEBIBYTE));
  runner.run("RPUSH", "list", ..."abcdefgh");
  runner.run("SADD", "set", ...pairs(0, (index) => [`member ${index}`, `other ${index}`]));
  assert.equal(runner.run("UNLINK", "string", "list", "set"), ":3\r\n");
  assert.equal(keyspace.usedBytes, usedBytes);
  releaser.isLazy.fill(false);
  const fill = FILLS["set of many members"]!;
  for (const command of [["DEL", "key"], ["SET", "key", "1"], ["FLUSHDB", "SYNC"], ["FLUSHDB"]]) {
    fill(runner, "key");
    runner.run(...command);
    runner.run("DEL", "key");
    assert.equal(keyspace.usedBytes, usedBytes, command.join(" "));
  }
  assert.equal(thread.arms, 0);
  fill(runner, "key");
  runner.run("UNLINK", "key");
  assert.equal(thread.arms, 1, "UNLINK asks no directive");
  thread.settle();
  assert.equal(keyspace.usedBytes, usedBytes);
});

test("too much pending: the rest is freed here, in slices, and counted", () => {
  const { runner, keyspace, thread } = start();
  const { releaser } = keyspace;
  const { usedBytes } = keyspace;
  const keys = Array.from({ length: 12 }, (_, index) => `key ${index}`);
  for (const key of keys) FILLS["set of many members"]!(runner, key);
  releaser.limits.maxPendingBytes = 1;
  runner.run("DEL", ...keys);
  assert.equal(releaser.inlineFrees, 11);
  runner.verify();
  const turns = thread.settle(0);
  // Most of it while the keys died: what is too much is worked off then.
  assert(turns > 2, `all in ${turns} slices`);
  assert.equal(releaser.freedObjects, 12);
  assert.equal(thread.batches, 1);
  assert.equal(keyspace.usedBytes, usedBytes);
  assert(releaser.longestSliceMs > 0);
  runner.run("CONFIG", "RESETSTAT");
  assert.deepEqual([releaser.freedObjects, releaser.inlineFrees, releaser.longestSliceMs], [0, 0, 0]);
  runner.verify();
});

test("a program whose event loop never turns does not gather what is dead", () => {
  const { runner, keyspace } = start();
  keyspace.releaser.limits.maxPendingBytes = MEBIBYTE;
  for (let round = 0; round < 400; round++) {
    FILLS["set of many members"]!(runner, "key");
    runner.run("DEL", "key");
  }
  assert(keyspace.releaser.pendingBytes < 3 * MEBIBYTE);
  assert(keyspace.usedBytes < 3 * MEBIBYTE);
  runner.verify();
});

for (const shards of [1, 2]) {
  test(`FLUSHDB of one of several databases is O(1), ${shards} shards`, () => {
    const { runner, keyspace, thread } = start(shards);
    runner.run("SELECT", "1");
    runner.run("SET", "other", "1");
    const { usedBytes } = keyspace;
    runner.run("SELECT", "0");
    for (let index = 0; index < 5000; index++)
      runner.run("SET", `key ${index}`, "x".repeat(index % 100 === 0 ? 4000 : 50));
    for (const [name, fill] of Object.entries(FILLS)) fill(runner, name);
    runner.run("EXPIRE", "key 1", "1000");
    runner.run("SWAPDB", "0", "2");
    runner.run("SELECT", "2");
    const keys = keyspace.databases[2]!.count;
    runner.run("FLUSHDB");
    assert.equal(runner.run("DBSIZE"), ":0\r\n");
    assert.equal(keyspace.releaser.pendingObjects, keys);
    runner.run("SET", "key 1", "1");
    runner.verify();
    runner.run("DEL", "key 1");
    thread.settle();
    assert.equal(keyspace.usedBytes, usedBytes);
    assert.equal(keyspace.releaser.freedObjects, keys);
    assert.deepEqual([thread.batches, keyspace.releaser.inlineFrees], [1, 0]);
    runner.verify();
  });

  test(`FLUSHDB without a finder goes in slices, values within values too, ${shards} shards`, () => {
    const { runner, keyspace, thread } = start(shards);
    runner.run("SELECT", "1");
    runner.run("SET", "other", "1");
    const { usedBytes } = keyspace;
    runner.run("SELECT", "0");
    for (const [name, fill] of Object.entries(FILLS)) fill(runner, name);
    for (let index = 0; index < 3000; index++) runner.run("SET", `key ${index}`, "x".repeat(index));
    const keys = keyspace.databases[0]!.count;
    thread.isOpen = false;
    runner.run("FLUSHDB", "ASYNC");
    runner.verify();
    const { releaser } = keyspace;
    releaser.flush();
    for (let step = 0; releaser.isDue; step++) {
      releaser.work(0);
      if (step % 5 === 0) runner.verify();
    }
    assert.equal(keyspace.usedBytes, usedBytes);
    assert.equal(releaser.freedObjects, keys);
    assert.equal(releaser.inlineFrees, shards);
    runner.verify();
  });
}

for (const [moment, phase] of Object.entries({ posted: undefined, walking: WALKING, listed: LISTED, linked: LINKED })) {
  for (const size of [200, 20_000]) {
    test(`FLUSHALL while a batch is ${moment}, of ${size} keys: what comes after is left alone`, () => {
      const { runner, keyspace, thread } = start(2, 64 * MEBIBYTE);
      const fill = (): void => {
        for (const [name, fillKey] of Object.entries(FILLS)) fillKey(runner, name);
        for (let index = 0; index < size; index++) runner.run("SET", `key ${index}`, "x".repeat(1000));
      };
      const flush = (): void => {
        runner.run("FLUSHALL");
        fill();
      };
      fill();
      const before = runner.run("DEBUG", "DIGEST");
      runner.run("DEL", ...Object.keys(FILLS));
      keyspace.releaser.flush();
      if (phase === undefined) flush();
      thread.onPhase = (reached) => {
        if (reached === phase) flush();
      };
      thread.run();
      thread.onPhase = () => undefined;
      assert.equal(runner.run("DEBUG", "DIGEST"), before);
      assert.equal(keyspace.releaser.pendingObjects, 0);
      runner.verify();
      thread.settle();
      runner.verify();
      runner.run("DEL", ...Object.keys(FILLS));
      thread.settle();
      assert(thread.batches >= 2 && keyspace.releaser.inlineFrees === 0);
      runner.verify();
    });
  }
}
