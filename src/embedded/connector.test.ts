/** ioredis 5 and 6 on an embedded store: the real clients, with no socket. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { Redis as Redis6 } from "ioredis";
import { Redis as Redis5 } from "ioredis5";
import { SHIPPED_INDEX } from "../testing/shipped.ts";
import { open, type Stillwater } from "./index.ts";

// The two versions have the methods used here with the same types.
const VERSIONS: Record<string, typeof Redis6> = {
  "ioredis 5": Redis5 as unknown as typeof Redis6,
  "ioredis 6": Redis6,
};

async function ended(redis: Redis6): Promise<void> {
  if (redis.status !== "end") await once(redis, "end");
}

type Use = (redis: Redis6, db: Stillwater, Redis: typeof Redis6) => Promise<void>;

function each(title: string, use: Use): void {
  for (const [name, Redis] of Object.entries(VERSIONS)) {
    test(`${name}: ${title}`, async () => {
      const db = await open();
      const redis = new Redis({ Connector: db.connector() });
      await use(redis, db, Redis);
      redis.disconnect();
      await ended(redis);
      assert.equal(db.debug("VERIFY"), "OK");
      await db.close();
    });
  }
}

each("commands, text and bytes", async (redis, db) => {
  assert.equal(await redis.set("k", "wért", "EX", 100), "OK");
  assert.equal(await redis.get("k"), "wért");
  assert.deepEqual(await redis.getBuffer("k"), Buffer.from("wért"));
  assert.equal(db.get("k"), "wért");
  db.set("n", 41);
  assert.equal(await redis.incr("n"), 42);
  assert.deepEqual(await redis.mget("k", "none"), ["wért", null]);
  assert.equal(await redis.mset({ a: 1, b: 2 }), "OK");
  assert.equal(await redis.bitcount("k"), db.bitcount("k"));
  assert.equal(await redis.object("ENCODING", "n"), "int");
  assert.match(await redis.info("server"), /redis_version:7\.2/);
  assert.match(String(await redis.client("LIST")), /addr=embedded/);
  await assert.rejects(redis.incr("k"), { message: "ERR value is not an integer or out of range" });
  await assert.rejects(redis.call("NOSUCH"), /unknown command/);
});

each("large values and many commands at once", async (redis, db) => {
  const large = Buffer.alloc(5_000_000, "ab");
  await redis.set("large", large);
  assert((await redis.getBuffer("large"))?.equals(large));
  const counts = await Promise.all(Array.from({ length: 10_000 }, () => redis.incr("n")));
  assert.deepEqual(
    counts,
    Array.from({ length: 10_000 }, (_, index) => index + 1),
  );
  const values = await Promise.all(Array.from({ length: 50 }, () => redis.getBuffer("large")));
  assert(values.every((value) => value?.equals(large)));
  assert.equal(db.get("n"), "10000");
});

each("pipelines and automatic ones", async (redis, db) => {
  const pipeline = redis.pipeline();
  for (let index = 0; index < 1000; index++) pipeline.set(`k${index}`, "v".repeat(index));
  pipeline.incr("k1");
  pipeline.strlen("k999");
  const results = (await pipeline.exec()) ?? [];
  assert.deepEqual(results[0], [null, "OK"]);
  assert.match(String(results[1000]?.[0]), /not an integer/);
  assert.deepEqual(results[1001], [null, 999]);
  assert.equal(db.dbsize(), 1000);
  const automatic = redis.duplicate({ enableAutoPipelining: true });
  assert.deepEqual(await Promise.all(["k1", "k2", "k3"].map((key) => automatic.get(key))), ["v", "vv", "vvv"]);
  automatic.disconnect();
});

each("duplicates, databases and reconnections", async (redis, db, Redis) => {
  const second = new Redis({ Connector: db.connector(), db: 1, connectionName: "second" });
  await second.set("k", "one");
  assert.equal(await redis.get("k"), null);
  assert.equal(db.database(1).get("k"), "one");
  assert.match(String(await redis.client("LIST")), /name=second .*db=1 /);
  const duplicate = second.duplicate();
  assert.equal(await duplicate.get("k"), "one");
  await duplicate.quit();
  second.disconnect();
  await once(second, "end");
  await second.connect();
  assert.equal(await second.get("k"), "one");
  second.disconnect(true);
  await once(second, "ready");
  assert.equal(await second.get("k"), "one");
  second.disconnect();
  await once(second, "end");
  assert.equal(db.client("LIST").match(/\n/g)?.length, 1);
});

each("a connection that is killed comes back", async (redis, db) => {
  await redis.set("k", "v");
  const closed = once(redis, "close");
  assert.equal(db.client("KILL", "TYPE", "normal"), 1);
  await closed;
  assert.equal(await redis.get("k"), "v");
});

each("monitor, end by quit", async (redis, db) => {
  const monitor = await redis.monitor();
  const lines: unknown[] = [];
  monitor.on("monitor", (_time: string, args: string[], source: string, database: string) => {
    lines.push([...args, source, database]);
  });
  await redis.set("from", "client");
  db.set("from", "program");
  db.call("GET", "from");
  await redis.ping();
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(lines.slice(0, 3), [
    ["set", "from", "client", "embedded", "0"],
    ["SET", "from", "program", "embedded", "0"],
    ["GET", "from", "embedded", "0"],
  ]);
  monitor.disconnect();
  assert.equal(await redis.quit(), "OK");
  await ended(redis);
});

for (const [name, Redis] of Object.entries(VERSIONS)) {
  test(`${name}: a store with a password asks for it; a closed one refuses`, async () => {
    const db = await open({ password: "secret" });
    const Connector = db.connector();
    const refused = new Redis({ Connector: db.connector(), retryStrategy: null });
    refused.on("error", (error) => assert.match(error.message, /NOAUTH/));
    await assert.rejects(refused.get("k"), /NOAUTH/);
    refused.disconnect();
    const redis = new Redis({ Connector: db.connector(), password: "secret", retryStrategy: null });
    assert.equal(await redis.set("k", "v"), "OK");
    await db.close();
    await ended(redis);
    await assert.rejects(new Connector().connect(), { message: "the store is closed" });
  });
}

/** Replies that come later, or never: nothing but the client that waits for them keeps such a program alive. */
const LATE_REPLIES = {
  "to a write that must be on disk": [`redis.incr("n")`, "1"],
  "to WAITAOF": [`redis.call("WAITAOF", 1, 1, 50)`, "[1,0]"],
  "until it gives up": [`Promise.race([redis.call("WAITAOF", 0, 1, 0), sleep(50, "gave up")])`, `"gave up"`],
} as const;

for (const [title, [call, expected]] of Object.entries(LATE_REPLIES)) {
  test(`a program waits for a reply ${title}, and then ends by itself`, async (t) => {
    const dir = mkdtempSync(join(tmpdir(), "stillwater-connector-"));
    t.after(() => rmSync(dir, { recursive: true, force: true }));
    const script = `
      import { setTimeout as sleep } from "node:timers/promises";
      import { Redis } from "ioredis";
      import { open } from ${JSON.stringify(SHIPPED_INDEX)};
      const db = await open({ dir: ${JSON.stringify(dir)}, fsync: "always" });
      const redis = new Redis({ Connector: db.connector() });
      process.stdout.write(JSON.stringify(await ${call}));
      redis.disconnect();`;
    const cwd = new URL("../..", import.meta.url);
    const run = promisify(execFile)(process.execPath, ["--input-type=module", "-e", script], { cwd, timeout: 20_000 });
    assert.equal((await run).stdout, expected);
  });
}
