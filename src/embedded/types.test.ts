/** What the compiler must accept, infer and refuse: checked by compiling this file. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Redis } from "ioredis";
import { Redis as Redis5 } from "ioredis5";
import {
  type GeoMatch,
  type Int64,
  type LcsMatches,
  type Metric,
  open,
  type PersistenceError,
  type ReplyValue,
  type Stillwater,
  type StoreStats,
  type ThreadError,
  type ThreadFigures,
} from "./index.ts";

type Same<Left, Right> = (<T>() => T extends Left ? 1 : 2) extends <T>() => T extends Right ? 1 : 2 ? true : false;

/** Compiles only if `Given` is exactly `Wanted`. */
function exactly<Wanted>() {
  return <Given>(_given: Given, ..._proof: Same<Given, Wanted> extends true ? [] : [never]): void => undefined;
}

/** Never run. */
async function inferred(db: Stillwater): Promise<void> {
  exactly<string | null>()(db.get("k"));
  exactly<Buffer | null>()(db.getBuffer(Buffer.from("k")));
  exactly<"OK">()(db.set("k", 1));
  exactly<"OK" | null>()(db.set("k", 1n, { NX: true }));
  exactly<string | null>()(db.set("k", new Uint8Array(1), { EX: 10, GET: true }));
  exactly<Int64>()(db.incr("k"));
  exactly<(string | null)[]>()(db.mget("a", "b"));
  exactly<(string | null)[]>()(db.mget(["a", "b"] as const));
  exactly<(Buffer | null)[]>()(db.mgetBuffer(["a"]));
  exactly<"OK">()(db.mset({ a: 1, b: "2" }));
  exactly<"OK">()(db.mset([["a", 1] as const, ["b", Buffer.from("2")] as const]));
  exactly<string>()(db.lcs("a", "b"));
  exactly<number>()(db.lcs("a", "b", { LEN: true }));
  exactly<LcsMatches>()(db.lcs("a", "b", { IDX: true, MINMATCHLEN: 3 }));
  exactly<0 | 1>()(db.getbit("k", 7));
  exactly<(Int64 | null)[]>()(db.bitfield("k", "GET", "u8", 0));
  exactly<string | null>()(db.object("ENCODING", "k"));
  exactly<number | null>()(db.object("IDLETIME", "k"));
  exactly<[cursor: string, keys: string[]]>()(db.scan(0));
  exactly<Record<string, string>>()(db.config("GET", "maxmemory"));
  exactly<ReplyValue>()(db.call("ANY", "k", 1, 2n, Buffer.alloc(1)));
  exactly<boolean>()(db.tick());
  exactly<StoreStats>()(db.stats());
  exactly<readonly ThreadFigures[]>()(db.stats().threads);
  exactly<Stillwater>()(db.on("error", (error) => exactly<ThreadError | PersistenceError>()(error)));
  db.on("metric", (metric) => {
    exactly<Metric>()(metric);
    if (metric.type === "expiry") exactly<number>()(metric.fields);
    else if (metric.type === "worker") exactly<string>()(metric.thread);
    else if (metric.type === "log") exactly<string>()(metric.error);
    else exactly<number>()(metric.durationMs);
  });
  exactly<ReplyValue<Buffer>>()(db.callBuffer("ANY"));
  exactly<ReplyValue>()(await db.callAsync("ANY"));
  for (const key of db.scanIterator({ match: "a*", count: 10, type: "string" })) exactly<string>()(key);
  for (const key of db.scanIteratorBuffer()) exactly<Buffer>()(key);
  collections(db);
  exactly<void>()(await db.close());
  await db.listen({ port: 0 });
  await db.listen({ path: "/tmp/s", keepAlive: true });
  new Redis({ Connector: db.connector() });
  new Redis5({ Connector: db.connector(), db: 1 });
}

/** Never run. */
function collections(db: Stillwater): void {
  exactly<number>()(db.hset("h", { a: 1 }));
  exactly<number>()(db.hset("h", "a", 1, "b", Buffer.from("2")));
  exactly<Record<string, string>>()(db.hgetall("h"));
  exactly<Map<Buffer, Buffer>>()(db.hgetallBuffer("h"));
  exactly<string | null>()(db.hrandfield("h"));
  exactly<string[]>()(db.hrandfield("h", 2));
  exactly<[field: string, value: string][]>()(db.hrandfield("h", 2, { WITHVALUES: true }));
  for (const [field, value] of db.hscanIterator("h")) exactly<string>()(field + value);
  exactly<string[] | null>()(db.lpop("l", 2));
  exactly<Buffer | null>()(db.rpopBuffer("l"));
  exactly<number | null>()(db.lpos("l", "a"));
  exactly<number[]>()(db.lpos("l", "a", { COUNT: 0, MAXLEN: 10 }));
  exactly<[key: string, items: string[]] | null>()(db.lmpop(["a", "b"], "LEFT"));
  exactly<string[]>()(db.spop("s", 2));
  for (const member of db.sscanIteratorBuffer("s")) exactly<Buffer>()(member);
  exactly<number>()(db.zadd("z", [[1, "a"] as const], { GT: true, CH: true }));
  exactly<number>()(db.zadd("z", 1, "a", "2.5", "b", "+inf", "c"));
  exactly<number | null>()(db.zadd("z", [[1, "a"]], { INCR: true, NX: true }));
  exactly<string[]>()(db.zrange("z", 0, -1));
  exactly<string[]>()(db.zrange("z", "(1", "+inf", { BYSCORE: true, LIMIT: [0, 10] }));
  exactly<[member: string, score: number][]>()(db.zrange("z", 0, -1, { WITHSCORES: true }));
  exactly<[member: Buffer, score: number][]>()(db.zunionBuffer(["y", "z"], { WEIGHTS: [1, 2], WITHSCORES: true }));
  exactly<[member: string, score: number] | null>()(db.zpopmin("z"));
  exactly<[member: string, score: number][]>()(db.zpopmin("z", 1));
  exactly<[rank: number, score: number] | null>()(db.zrank("z", "a", { WITHSCORE: true }));
  exactly<string[]>()(db.geosearch("g", { FROMLONLAT: [1, 2], BYRADIUS: [3, "km"] }));
  exactly<GeoMatch<Buffer>[]>()(db.geosearchBuffer("g", { FROMMEMBER: "a", BYBOX: [1, 2, "m"], WITHDIST: true }));
  exactly<number>()(db.georadius("g", 1, 2, 3, "ft", { STORE: "h" }));
  exactly<(string | null)[]>()(db.sort("l", { GET: ["#", "w*"] }));
  exactly<number>()(db.sort("l", { STORE: "m" }));
  exactly<Buffer | null>()(db.dump("k"));
}

/** Never run. */
async function refused(db: Stillwater): Promise<void> {
  // @ts-expect-error: no such option
  db.set("k", "v", { ex: 1 });
  // @ts-expect-error: a number
  db.set("k", "v", { EX: "1" });
  // @ts-expect-error: no booleans
  db.set("k", true);
  // @ts-expect-error: a key is missing
  db.get();
  // @ts-expect-error: no such operation
  db.bitop("NAND", "a", "b");
  // @ts-expect-error: no such condition
  db.expire("k", 1, "EQ");
  // @ts-expect-error: no such bit
  db.setbit("k", 0, 2);
  // @ts-expect-error: a score is no word
  db.zadd("z", "one", "a");
  // @ts-expect-error: pairs of a score and a member
  db.zadd("z", [[1, "a", "b"]]);
  // @ts-expect-error: two numbers
  db.zrange("z", 0, 1, { LIMIT: [1] });
  // @ts-expect-error: no such end
  db.lmove("a", "b", "TOP", "LEFT");
  // @ts-expect-error: no such unit
  db.geodist("g", "a", "b", "yd");
  // @ts-expect-error: no such option
  await open({ maxmemory: 1 });
  // @ts-expect-error: text
  await open({ password: 1 });
  // @ts-expect-error: no such mode
  await open({ expiry: { mode: "never" } });
  // @ts-expect-error: no such event
  db.on("metrics", () => undefined);
  // @ts-expect-error: a metric has no such field
  db.on("metric", (metric) => metric.keys);
  // @ts-expect-error: neither port nor path
  await db.listen({ host: "::1" });
}

test("the types are as declared", () => {
  assert.equal(typeof inferred, "function");
  assert.equal(typeof refused, "function");
});
