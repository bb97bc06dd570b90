/** What the compiler must accept, infer and refuse: checked by compiling this file. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Redis } from "ioredis";
import { Redis as Redis5 } from "ioredis5";
import { type Int64, type LcsMatches, open, type ReplyValue, type Stillwater } from "./index.ts";

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
  exactly<ReplyValue<Buffer>>()(db.callBuffer("ANY"));
  exactly<ReplyValue>()(await db.callAsync("ANY"));
  for (const key of db.scanIterator({ match: "a*", count: 10, type: "string" })) exactly<string>()(key);
  for (const key of db.scanIteratorBuffer()) exactly<Buffer>()(key);
  exactly<void>()(await db.close());
  await db.listen({ port: 0 });
  await db.listen({ path: "/tmp/s", keepAlive: true });
  new Redis({ Connector: db.connector() });
  new Redis5({ Connector: db.connector(), db: 1 });
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
  // @ts-expect-error: no such option
  await open({ maxmemory: 1 });
  // @ts-expect-error: text
  await open({ password: 1 });
  // @ts-expect-error: neither port nor path
  await db.listen({ host: "::1" });
}

test("the types are as declared", () => {
  assert.equal(typeof inferred, "function");
  assert.equal(typeof refused, "function");
});
