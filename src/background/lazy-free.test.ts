/** Every way in which a large value dies, in a store with its thread, and what becomes of it when the thread dies. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import { allCommands } from "../commands/all-commands.ts";
import { Configuration } from "../config/configuration.ts";
import { Store } from "../engine/store.ts";
import { CommandRunner } from "../testing/commands.ts";
import { LazyFree } from "./lazy-free.ts";

const MEBIBYTE = 1024 * 1024;
const MEMBERS = 2000;
const DEATHS_OF_THREAD = 8;

/** A store, and a client that calls its commands; the store does its work by itself, with its own thread. */
class Scene {
  now = Date.now();
  readonly store: Store;
  readonly runner: CommandRunner;

  constructor(shards = 1, directives: Record<string, string> = {}) {
    const configuration = new Configuration();
    for (const [name, value] of Object.entries(directives)) configuration.initialize(name, [value]);
    this.store = new Store(configuration, () => this.now, { shards, regionSize: 64 * MEBIBYTE });
    this.runner = new CommandRunner(allCommands, { over: this.store.keyspace });
  }

  get usedBytes(): number {
    return this.store.keyspace.usedBytes;
  }

  get releaser() {
    return this.store.keyspace.releaser;
  }

  run(...command: string[]): string {
    return this.runner.run(...command);
  }

  /** Each line a command. */
  runAll(commands: string): void {
    for (const line of commands.trim().split("\n")) this.run(...line.trim().split(/\s+/));
  }

  async settle(): Promise<void> {
    for (const end = Date.now() + 20_000; this.releaser.pendingObjects > 0 || this.releaser.handover.isBusy; ) {
      // Not a turn: while the thread starts, the test runner's bookkeeping of turns would take the processor from it.
      await sleep(1);
      assert(Date.now() < end, "lazy free: it does not come to an end");
    }
  }

  fill(type: string, key: string, members = MEMBERS): void {
    for (let at = 0; at < members; at += 100) {
      const indexes = Array.from({ length: 100 }, (_, index) => at + index);
      if (type === "hash") this.run("HSET", key, ...indexes.flatMap((index) => [`f${index}`, "value"]));
      else if (type === "set") this.run("SADD", key, ...indexes.map((index) => `member ${index}`));
      else if (type === "zset") this.run("ZADD", key, ...indexes.flatMap((index) => ["7", `member ${index}`]));
      else if (type === "geo")
        this.run("GEOADD", key, ...indexes.flatMap((index) => [`${index / 20}`, "50", `m${index}`]));
      else this.run("RPUSH", key, ...indexes.map((index) => `${index}`.repeat(2000)));
    }
  }
}

/** How a value of each type dies; `big` is what dies, `small` and `other` are there besides. */
const DEATHS: Record<string, readonly [type: string, commands: string]> = {
  DEL: ["hash", "DEL big"],
  "DEL of several": ["set", "DEL nothing big small"],
  UNLINK: ["zset", "UNLINK big"],
  SET: ["list", "SET big 1"],
  "SET with a deadline": ["zset", "SET big 1 EX 100"],
  MSET: ["hash", "MSET a 1 big 2"],
  "RENAME over it": ["hash", "RENAME small big"],
  "COPY REPLACE": ["set", "COPY small big REPLACE"],
  "SINTERSTORE over it": ["list", "SINTERSTORE big other other"],
  "SUNIONSTORE over it": ["hash", "SUNIONSTORE big other"],
  "SDIFFSTORE with no result": ["zset", "SDIFFSTORE big other other"],
  "ZUNIONSTORE over it": ["set", "ZUNIONSTORE big 1 other"],
  "ZINTERSTORE over it": ["set", "ZINTERSTORE big 1 other"],
  "ZDIFFSTORE with no result": ["set", "ZDIFFSTORE big 2 other other"],
  "ZRANGESTORE over it": ["hash", "ZRANGESTORE big scores 0 -1"],
  "ZRANGESTORE with no result": ["hash", "ZRANGESTORE big scores 5 9"],
  "GEOSEARCHSTORE over it": ["hash", "GEOSEARCHSTORE big places FROMLONLAT 1 50 BYRADIUS 900 km"],
  "SORT STORE over it": ["hash", "SORT other ALPHA STORE big"],
  "SORT STORE with no result": ["hash", "SORT nothing STORE big"],
  "BITOP over it": ["hash", "BITOP NOT big small"],
  "PFMERGE over nothing": ["zset", "DEL big\nPFADD big a"],
  "EXPIRE in the past": ["set", "EXPIRE big -1"],
  PEXPIREAT: ["set", "PEXPIREAT big 1"],
  "LTRIM to nothing": ["list", "LTRIM big 5 2"],
  "LPOP of all": ["list", `LPOP big ${MEMBERS}`],
  "LMPOP of all": ["list", `LMPOP 1 big RIGHT COUNT ${MEMBERS}`],
  "SPOP of all": ["set", `SPOP big ${MEMBERS}`],
  "SPOP of nearly all": ["set", `SPOP big ${MEMBERS - 3}\nDEL big`],
  "ZREMRANGEBYRANK of all": ["zset", "ZREMRANGEBYRANK big 0 -1"],
  "ZREMRANGEBYSCORE of all": ["zset", "ZREMRANGEBYSCORE big -inf +inf"],
  "ZREMRANGEBYLEX of all": ["zset", "ZREMRANGEBYLEX big - +"],
  "ZPOPMIN of all": ["zset", `ZPOPMIN big ${MEMBERS}`],
  "ZMPOP of all": ["zset", `ZMPOP 1 big MAX COUNT ${MEMBERS}`],
  "FLUSHDB beside another database": ["hash", "SELECT 1\nSET keep 1\nSELECT 0\nFLUSHDB"],
  "FLUSHDB ASYNC": ["hash", "SELECT 1\nSET keep 1\nSELECT 0\nFLUSHDB ASYNC"],
  "SWAPDB, then FLUSHDB": ["hash", "SWAPDB 0 1\nSET keep 1\nSELECT 1\nFLUSHDB\nSWAPDB 0 1\nSELECT 0"],
};

for (const shards of [1, 4]) {
  for (const [name, [type, commands]] of Object.entries(DEATHS)) {
    test(`${name}: a large ${type} is freed by the thread, ${shards} shards`, async () => {
      const scene = new Scene(shards);
      scene.runAll(`SET small 1
        SADD other a b
        ZADD scores 1 a
        GEOADD places 1 50 here`);
      const prepare = scene.run("COPY", "small", "spare");
      assert.equal(prepare, ":1\r\n");
      scene.fill(type, "big");
      scene.runAll(commands);
      assert(scene.releaser.pendingObjects > 0, "nothing was handed over");
      scene.store.keyspace.verify();
      await scene.settle();
      scene.store.keyspace.verify();
      assert(scene.releaser.freedObjects > 0);
      assert.equal(scene.releaser.inlineFrees, 0);
      assert(scene.store.lazyFree.thread.messages > 0);
      // What is left is what there is if `big` never was large.
      scene.run("FLUSHALL");
      const empty = scene.usedBytes;
      scene.store.keyspace.verify();
      assert.equal(scene.run("DBSIZE"), ":0\r\n");
      scene.runAll(`SET small 1
        DEL small`);
      assert.equal(scene.usedBytes, empty);
      await scene.store.close();
    });
  }
}

test("memory returns to its level, to the byte, for every type", async () => {
  for (const type of ["hash", "set", "zset", "geo", "list"]) {
    const scene = new Scene();
    scene.run("SET", "other", "1");
    const { usedBytes } = scene;
    for (let round = 0; round < 3; round++) {
      scene.fill(type, "big");
      scene.run("DEL", "big");
      await scene.settle();
      assert.equal(scene.usedBytes, usedBytes);
    }
    assert.equal(scene.releaser.freedObjects, 3);
    scene.store.keyspace.verify();
    await scene.store.close();
  }
});

test("expiry and eviction hand over too", async () => {
  const scene = new Scene();
  for (const key of ["touched", "untouched"]) {
    scene.fill("set", key);
    scene.run("PEXPIRE", key, "50");
  }
  scene.now += 100;
  assert.equal(scene.run("EXISTS", "touched"), ":0\r\n");
  scene.now += 2000;
  while (scene.store.tick()) await nextTurn();
  await scene.settle();
  assert.equal(scene.run("DBSIZE"), ":0\r\n");
  assert.equal(scene.releaser.freedObjects, 2);
  for (let key = 0; key < 20; key++) scene.fill("zset", `evicted ${key}`);
  scene.store.configuration.configSet([
    ["maxmemory-policy", "allkeys-random"],
    ["maxmemory", `${Math.floor(scene.usedBytes / 2)}`],
  ]);
  for (const end = Date.now() + 20_000; scene.usedBytes > scene.store.configuration.get("maxmemory"); ) {
    scene.store.tick();
    await nextTurn();
    assert(Date.now() < end, "no room was made");
  }
  await scene.settle();
  assert(scene.store.keyspace.evictedKeys >= 10);
  assert.equal(scene.releaser.freedObjects, 2 + scene.store.keyspace.evictedKeys);
  assert.equal(scene.releaser.inlineFrees, 0);
  scene.store.keyspace.verify();
  await scene.store.close();
});

test("DUMP, RESTORE REPLACE", async () => {
  const scene = new Scene();
  const { runner } = scene;
  runner.run("SET", "small", "1");
  scene.fill("hash", "big");
  const dump = Buffer.from(runner.run("DUMP", "small"), "latin1");
  const payload = dump.subarray(dump.indexOf("\r\n") + 2, dump.length - 2);
  assert.equal(runner.run("RESTORE", "big", "0", payload, "REPLACE"), "+OK\r\n");
  await scene.settle();
  assert.equal(scene.releaser.freedObjects, 1);
  assert.equal(scene.releaser.inlineFrees, 0);
  scene.store.keyspace.verify();
  await scene.store.close();
});

test("LTRIM and LPOP that cut much off hand over the chunks, and leave the list right", async () => {
  const scene = new Scene();
  scene.releaser.limits.thresholdBlocks = 64;
  for (const [command, first, last] of [
    ["LTRIM big 0 9", 0, 9],
    ["LTRIM big -10 -1", MEMBERS - 10, MEMBERS - 1],
    ["LTRIM big 900 999", 900, 999],
    ["LTRIM big 100 -1", 100, MEMBERS - 1],
    ["LTRIM big 0 -101", 0, MEMBERS - 101],
    [`LPOP big ${MEMBERS - 7}`, MEMBERS - 7, MEMBERS - 1],
    [`RPOP big 1500`, 0, MEMBERS - 1501],
  ] as const) {
    const before = scene.releaser.freedObjects;
    scene.run("DEL", "big");
    await scene.settle();
    scene.fill("list", "big");
    const freed = scene.releaser.freedObjects;
    scene.run(...command.split(" "));
    assert(scene.releaser.pendingObjects > 0, command);
    assert.equal(scene.run("LLEN", "big"), `:${last - first + 1}\r\n`);
    for (const index of [first, Math.floor((first + last) / 2), last]) {
      const item = `${index}`.repeat(2000);
      assert.equal(scene.run("LINDEX", "big", `${index - first}`), `$${item.length}\r\n${item}\r\n`);
    }
    scene.store.keyspace.verify();
    await scene.settle();
    assert(scene.releaser.freedObjects > freed && freed >= before);
    scene.store.keyspace.verify();
  }
  await scene.store.close();
});

test("ZREMRANGE and ZPOP that leave little hand over the old tree, and leave the rest right", async () => {
  const scene = new Scene();
  const rank = (n: number): string => `member ${String(n).padStart(6, "0")}`;
  for (const [command, left] of [
    [`ZREMRANGEBYRANK big 0 ${MEMBERS - 11}`, [MEMBERS - 10, MEMBERS - 1]],
    ["ZREMRANGEBYRANK big 10 -1", [0, 9]],
    [`ZREMRANGEBYRANK big 3 ${MEMBERS - 4}`, [0, 1, 2, MEMBERS - 3, MEMBERS - 2, MEMBERS - 1]],
    ["ZREMRANGEBYSCORE big 5 +inf", [0, 4]],
    [`ZPOPMIN big ${MEMBERS - 2}`, [MEMBERS - 2, MEMBERS - 1]],
    [`ZPOPMAX big ${MEMBERS - 100}`, [0, 99]],
  ] as const) {
    const members = Array.from({ length: MEMBERS }, (_, n) => [String(n), rank(n)]);
    for (let at = 0; at < MEMBERS; at += 100) scene.run("ZADD", "big", ...members.slice(at, at + 100).flat());
    scene.run("PEXPIREAT", "big", "99999999999999");
    const { changes } = scene.store.keyspace;
    const { freedObjects } = scene.releaser;
    scene.run(...command.split(" "));
    assert.equal(scene.releaser.pendingObjects, 1, command);
    scene.store.keyspace.verify();
    const count = Number(scene.run("ZCARD", "big").slice(1));
    assert.equal(scene.store.keyspace.changes - changes, MEMBERS - count);
    const shown = scene.run("ZRANGE", "big", "0", "-1");
    for (const n of left) assert(shown.includes(rank(n)), `${command}: ${n} is missing`);
    assert.equal(scene.run("ZRANK", "big", rank(left[left.length - 1]!)), `:${count - 1}\r\n`);
    assert.equal(scene.run("ZSCORE", "big", rank(left[0])), `$${String(left[0]).length}\r\n${left[0]}\r\n`);
    assert.equal(scene.run("PEXPIRETIME", "big"), ":99999999999999\r\n");
    await scene.settle();
    assert.equal(scene.releaser.freedObjects, freedObjects + 1);
    scene.store.keyspace.verify();
    scene.run("DEL", "big");
    await scene.settle();
  }
  await scene.store.close();
});

test("the thread dies in the middle, again and again: all is freed, by the owner or by the next one", async () => {
  const scene = new Scene(2);
  const { threads, housekeeper } = scene.store;
  // Like the store's own, which is thereby out of use, but soon back: that one would stay away for 23 seconds in all.
  const limits = { retryMinMs: 10, retryMaxMs: 200 };
  const { thread } = new LazyFree(scene.releaser, threads, () => housekeeper.hurry(), { limits });
  scene.run("SET", "other", "1");
  const { usedBytes } = scene;
  for (let round = 0; round < DEATHS_OF_THREAD; round++) {
    for (let key = 0; key < 5; key++) scene.fill(["hash", "zset", "list", "set"][key % 4]!, `big ${key}`, 6000);
    for (let key = 0; key < 5; key++) scene.run("UNLINK", `big ${key}`);
    scene.store.tick();
    if (round > 0) await sleep(round / 2);
    const end = thread.kill();
    scene.store.keyspace.verify();
    await end;
    scene.store.keyspace.verify();
    await scene.settle();
    assert.equal(scene.usedBytes, usedBytes);
    scene.store.keyspace.verify();
    while (thread.state !== "running") await sleep(10);
  }
  assert.equal(thread.restarts, DEATHS_OF_THREAD);
  assert.equal(scene.releaser.freedObjects, 5 * DEATHS_OF_THREAD);
  assert(scene.releaser.inlineFrees > 0, "no value was given back to the owner");
  await scene.store.close();
});

test("each of the settings is about its own deaths", async () => {
  for (const [directive, freesAtOnce, handsOver] of [
    ["lazyfree-lazy-user-del", "DEL big", "UNLINK big"],
    ["lazyfree-lazy-user-del", "DEL big", "EXPIRE big -1"],
    ["lazyfree-lazy-expire", "EXPIRE big -1", "SET big 1"],
    ["lazyfree-lazy-expire", "PEXPIREAT big 1", "DEL big"],
    ["lazyfree-lazy-server-del", "SET big 1", "EXPIRE big -1"],
  ] as const) {
    const scene = new Scene(1, { [directive]: "no" });
    for (const [command, pending] of [
      [freesAtOnce, 0],
      [handsOver, 1],
    ] as const) {
      scene.run("DEL", "big");
      scene.fill("set", "big");
      scene.run(...command.split(" "));
      assert.equal(scene.releaser.pendingObjects, pending, `${directive} no: ${command}`);
      await scene.settle();
    }
    await scene.store.close();
  }
});

test("INFO and CONFIG know of it", async () => {
  const scene = new Scene(1, { "lazyfree-threshold-blocks": "100", "lazyfree-lazy-user-del": "no" });
  const { releaser } = scene;
  const { configuration } = scene.store;
  assert.equal(releaser.limits.thresholdBlocks, 100);
  scene.fill("set", "big");
  scene.run("DEL", "big");
  assert.equal(releaser.freedObjects, 0);
  configuration.configSet([
    ["lazyfree-lazy-user-del", "yes"],
    ["lazyfree-max-pending-bytes", "5mb"],
    ["lazyfree-threshold-bytes", "123456"],
  ]);
  assert.deepEqual(releaser.limits, { thresholdBlocks: 100, thresholdBytes: 123_456, maxPendingBytes: 5 * MEBIBYTE });
  scene.fill("set", "big");
  scene.run("DEL", "big");
  const field = (name: string): string => new RegExp(`${name}:(.*)\r`).exec(scene.run("INFO", "memory"))![1]!;
  assert.equal(field("lazyfree_pending_objects"), "1");
  assert(Number(field("lazyfree_pending_bytes")) > 50_000);
  await scene.settle();
  assert.deepEqual(
    ["pending_objects", "pending_bytes", "inline_frees"].map((name) => field(`lazyfree_${name}`)),
    ["0", "0", "0"],
  );
  assert.equal(field("lazyfreed_objects"), "1");
  assert(Number(field("lazyfree_longest_slice_ms")) > 0);
  await scene.store.close();
  configuration.configSet([["lazyfree-threshold-bytes", "1"]]);
  assert.equal(releaser.limits.thresholdBytes, 123_456, "a store that is closed listens no more");
});

test("a store that is ticked by hand does it all in ticks", async () => {
  const store = new Store(new Configuration(), Date.now, { shards: 1, regionSize: 64 * MEBIBYTE }, { mode: "manual" });
  const runner = new CommandRunner(allCommands, { over: store.keyspace });
  const { releaser } = store.keyspace;
  const before = store.keyspace.usedBytes;
  for (let at = 0; at < 5000; at++) runner.run("SADD", "big", `member ${at}`);
  runner.run("DEL", "big");
  await sleep(20);
  assert.equal(releaser.pendingObjects, 1);
  assert.equal(store.lazyFree.thread.messages, 0);
  // No turn of the event loop in between: what the thread has done shows in shared words.
  for (const end = Date.now() + 20_000; releaser.pendingObjects > 0; ) {
    store.tick();
    assert(Date.now() < end);
  }
  assert.equal(store.keyspace.usedBytes, before);
  assert.equal(releaser.inlineFrees, 0);
  store.keyspace.verify();
  await store.close();
});
