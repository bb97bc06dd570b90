/** The methods of hashes, lists, sets, sorted sets, places and HyperLogLogs: what goes in, what comes out. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { open, type Stillwater } from "./index.ts";

const START = 1_700_000_000_000;
const OPTIONS = { now: () => START, seed: [1, 2], regionSize: "4mb" } as const;

const bytes = (...texts: string[]): Buffer[] => texts.map((text) => Buffer.from(text));

/** Runs each line on a fresh store: what it gives, and what is wanted. */
function expectations(title: string, lines: (fresh: Stillwater) => [given: unknown, wanted: unknown][]): void {
  test(title, async () => {
    const fresh = await open(OPTIONS);
    for (const [index, [given, wanted]] of lines(fresh).entries()) assert.deepEqual(given, wanted, `line ${index + 1}`);
    assert.equal(fresh.debug("VERIFY"), "OK");
    await fresh.close();
  });
}

/** A hash as `hgetall` returns it. */
function fieldsOf(fields: Record<string, string>): Record<string, string> {
  return Object.assign(Object.create(null), fields) as Record<string, string>;
}

expectations("hashes", (s) => [
  [s.hset("h", { a: 1, b: "zwei" }), 2],
  [s.hset("h", "b", 2, "c", Buffer.from("3")), 1],
  [s.hset("h", new Map([["d", 4]])), 1],
  [
    s.hset("h", [
      ["d", 4],
      ["e", 5],
    ]),
    1,
  ],
  [s.hmset("h", { f: "6" }), "OK"],
  [s.hget("h", "b"), "2"],
  [s.hget("h", "none"), null],
  [s.hgetBuffer("h", "c"), Buffer.from("3")],
  [s.hgetall("h"), fieldsOf({ a: "1", b: "2", c: "3", d: "4", e: "5", f: "6" })],
  [s.hgetall("none"), fieldsOf({})],
  [s.hgetall("h")["constructor"], undefined],
  [[...s.hgetallBuffer("h")].slice(0, 2), [bytes("a", "1"), bytes("b", "2")]],
  [s.hmget("h", "a", "none"), ["1", null]],
  [s.hmget("h", ["a"]), ["1"]],
  [s.hmgetBuffer("h", "none", "a"), [null, Buffer.from("1")]],
  [s.hkeys("h"), ["a", "b", "c", "d", "e", "f"]],
  [s.hkeysBuffer("h")[0], Buffer.from("a")],
  [s.hvals("h"), ["1", "2", "3", "4", "5", "6"]],
  [s.hvalsBuffer("h")[5], Buffer.from("6")],
  [s.hlen("h"), 6],
  [s.hexists("h", "a"), 1],
  [s.hstrlen("h", "a"), 1],
  [s.hsetnx("h", "a", "x"), 0],
  [s.hsetnx("h", "g", "x"), 1],
  [s.hdel("h", "d", "e", "none"), 2],
  [s.hdel("h", ["f", "g"]), 2],
  [s.hincrby("h", "n", 2n ** 53n), 2n ** 53n],
  [s.hincrbyfloat("h", "a", 0.5), "1.5"],
  [s.hset("__proto__", { ["__proto__"]: "x" }), 1],
  [Object.entries(s.hgetall("__proto__")), [["__proto__", "x"]]],
  [s.hset("one", "f", "v"), 1],
  [s.hrandfield("one"), "f"],
  [s.hrandfield("none"), null],
  [s.hrandfield("one", -2), ["f", "f"]],
  [s.hrandfield("one", 5, { WITHVALUES: true }), [["f", "v"]]],
  [s.hrandfieldBuffer("one"), Buffer.from("f")],
  [s.hrandfieldBuffer("one", 1), bytes("f")],
  [s.hrandfieldBuffer("one", 1, { WITHVALUES: true }), [bytes("f", "v")]],
  [s.hscan("one", 0), ["0", [["f", "v"]]]],
  [s.hscanBuffer("one", "0", { match: "?", count: 10 }), ["0", [bytes("f", "v")]]],
]);

expectations("fields that expire", (s) => [
  [s.hset("h", { a: 1, b: 2, c: 3 }), 3],
  [s.hexpire("h", 100, ["a", "none"]), [1, -2]],
  [s.hexpire("h", 200, ["a", "b"], "XX"), [1, 0]],
  [s.httl("h", "a", "b", "none"), [200, -1, -2]],
  [s.hpexpire("h", 1500, ["b"], "NX"), [1]],
  [s.hpttl("h", ["b"]), [1500]],
  [s.hexpireat("h", START / 1000 + 7, ["a"]), [1]],
  [s.hexpiretime("h", "a"), [START / 1000 + 7]],
  [s.hpexpireat("h", START + 7, ["a"]), [1]],
  [s.hpexpiretime("h", "a"), [START + 7]],
  [s.hpersist("h", "a", "c", "none"), [1, -1, -2]],
  [s.hexpire("h", 0, ["a"]), [2]],
  [s.hkeys("h"), ["b", "c"]],
]);

expectations("lists", (s) => [
  [s.rpush("l", "b", "c"), 2],
  [s.lpush("l", ["a"]), 3],
  [s.rpushx("none", "x"), 0],
  [s.lpushx("l", "x"), 4],
  [s.lpop("l"), "x"],
  [s.lrange("l", 0, -1), ["a", "b", "c"]],
  [s.lrangeBuffer("l", -1, -1), bytes("c")],
  [s.lindex("l", 1), "b"],
  [s.lindex("l", 9), null],
  [s.lindexBuffer("l", -1), Buffer.from("c")],
  [s.linsert("l", "BEFORE", "b", "x"), 4],
  [s.lset("l", 1, "y"), "OK"],
  [s.lpos("l", "y"), 1],
  [s.lpos("l", "none"), null],
  [s.lpos("l", "y", { COUNT: 0, RANK: -1 }), [1]],
  [s.lrem("l", 0, "y"), 1],
  [s.llen("l"), 3],
  [s.lmove("l", "m", "LEFT", "RIGHT"), "a"],
  [s.lmoveBuffer("l", "m", "LEFT", "RIGHT"), Buffer.from("b")],
  [s.rpoplpush("m", "m"), "b"],
  [s.rpoplpushBuffer("m", "m"), Buffer.from("a")],
  [s.lmpop(["none", "m"], "RIGHT"), ["m", ["b"]]],
  [s.lmpopBuffer(["m"], "LEFT", { COUNT: 5 }), [Buffer.from("m"), bytes("a")]],
  [s.lmpop(["m"], "LEFT"), null],
  [s.rpush("l", 1, 2, 3, 4), 5],
  [s.ltrim("l", 0, -2), "OK"],
  [s.rpop("l"), "3"],
  [s.rpopBuffer("l"), Buffer.from("2")],
  [s.rpop("l", 2), ["1", "c"]],
  [s.rpop("l", 2), null],
  [s.rpush("l", 1, 2, 3), 3],
  [s.lpop("l", 2), ["1", "2"]],
  [s.lpopBuffer("l", 1), bytes("3")],
  [s.lpopBuffer("l"), null],
  [s.rpopBuffer("l", 1), null],
]);

expectations("sets", (s) => [
  [s.sadd("s", 1, 2, 3), 3],
  [s.sadd("t", ["3", "4"]), 2],
  [s.scard("s"), 3],
  [s.smembers("s"), ["1", "2", "3"]],
  [s.smembersBuffer("t"), bytes("3", "4")],
  [s.sismember("s", 1), 1],
  [s.smismember("s", 1, 9), [1, 0]],
  [s.sdiff("s", "t"), ["1", "2"]],
  [s.sdiffBuffer(["t", "s"]), bytes("4")],
  [s.sinter("s", "t"), ["3"]],
  [s.sinterBuffer("s", "t"), bytes("3")],
  [s.sintercard(["s", "t"]), 1],
  [s.sintercard(["s", "s"], { LIMIT: 2 }), 2],
  [s.sunion("s", "t").sort(), ["1", "2", "3", "4"]],
  [s.sunionBuffer("t"), bytes("3", "4")],
  [s.sdiffstore("d", "s", "t"), 2],
  [s.sinterstore("d", ["s", "t"]), 1],
  [s.sunionstore("d", "s", "t"), 4],
  [s.smove("s", "t", 1), 1],
  [s.srem("t", 1, 9), 1],
  [s.srem("t", ["4"]), 1],
  [s.srandmember("t"), "3"],
  [s.srandmember("none"), null],
  [s.srandmember("t", -2), ["3", "3"]],
  [s.srandmemberBuffer("t"), Buffer.from("3")],
  [s.srandmemberBuffer("t", 2), bytes("3")],
  [s.sscan("t", 0), ["0", ["3"]]],
  [s.sscanBuffer("t", "0", { match: "3" }), ["0", bytes("3")]],
  [s.spop("t"), "3"],
  [s.spop("t"), null],
  [s.spop("t", 2), []],
  [s.spopBuffer("t"), null],
  [s.spopBuffer("d", 10).length, 4],
]);

expectations("sorted sets, member by member", (s) => [
  [
    s.zadd("z", [
      [1, "a"],
      ["+inf", "b"],
    ]),
    2,
  ],
  [s.zadd("z", 2.5, "c", "-1e3", "d"), 2],
  [s.zadd("z", [[5, "a"]], { NX: true }), 0],
  [s.zadd("z", [[5, "a"]], { GT: true, CH: true }), 1],
  [s.zadd("z", [[1, "a"]], { INCR: true }), 6],
  [s.zadd("z", [[1, "a"]], { INCR: true, NX: true }), null],
  [s.zcard("z"), 4],
  [s.zscore("z", "b"), Number.POSITIVE_INFINITY],
  [s.zscore("z", "none"), null],
  [s.zmscore("z", "c", "none"), [2.5, null]],
  [s.zincrby("z", -1, "a"), 5],
  [s.zrank("z", "a"), 2],
  [s.zrank("z", "none"), null],
  [s.zrank("z", "a", { WITHSCORE: true }), [2, 5]],
  [s.zrevrank("z", "a"), 1],
  [s.zrevrank("z", "d", { WITHSCORE: true }), [3, -1000]],
  [
    s.zscan("z", 0),
    [
      "0",
      [
        ["d", -1000],
        ["c", 2.5],
        ["a", 5],
        ["b", Number.POSITIVE_INFINITY],
      ],
    ],
  ],
  [s.zscanBuffer("z", 0, { match: "a" }), ["0", [[Buffer.from("a"), 5]]]],
  [s.zpopmin("z"), ["d", -1000]],
  [s.zpopmax("z", 2).join(), "b,Infinity,a,5"],
  [s.zrandmember("z"), "c"],
  [s.zrandmember("none"), null],
  [s.zrandmember("z", 3), ["c"]],
  [s.zrandmember("z", -2, { WITHSCORES: true }).join(), "c,2.5,c,2.5"],
  [s.zrandmemberBuffer("z"), Buffer.from("c")],
  [s.zrandmemberBuffer("z", 1), bytes("c")],
  [s.zrandmemberBuffer("z", 1, { WITHSCORES: true }), [[Buffer.from("c"), 2.5]]],
  [s.zpopmaxBuffer("z"), [Buffer.from("c"), 2.5]],
  [s.zpopmax("z"), null],
  [s.zpopminBuffer("z"), null],
  [s.zpopmin("z", 2), []],
  [s.zadd("z", 1, "a", 2, "b", 3, "c"), 3],
  [s.zmpop(["none", "z"], "MIN"), ["z", [["a", 1]]]],
  [s.zmpopBuffer(["z"], "MAX", { COUNT: 1 }), [Buffer.from("z"), [[Buffer.from("c"), 3]]]],
  [s.zpopminBuffer("z", 1), [[Buffer.from("b"), 2]]],
  [s.zpopmaxBuffer("z", 1), []],
  [s.zmpop(["z"], "MIN"), null],
  [s.zadd("z", 1, "a"), 1],
  [s.zrem("z", "a", "none"), 1],
]);

expectations("sorted sets, ranges", (s) => [
  [s.zadd("z", 1, "a", 2, "b", 3, "c"), 3],
  [s.zrange("z", 0, -1), ["a", "b", "c"]],
  [s.zrange("z", 0, 0, { WITHSCORES: true }), [["a", 1]]],
  [s.zrange("z", "(1", "+inf", { BYSCORE: true, LIMIT: [1, 1] }), ["c"]],
  [s.zrange("z", 3, 2, { BYSCORE: true, REV: true, WITHSCORES: true }).join(), "c,3,b,2"],
  [s.zrange("z", "[a", "(c", { BYLEX: true }), ["a", "b"]],
  [s.zrangeBuffer("z", 0, 0), bytes("a")],
  [s.zrangeBuffer("z", 0, 0, { WITHSCORES: true }), [[Buffer.from("a"), 1]]],
  [s.zrevrange("z", 0, 1), ["c", "b"]],
  [s.zrevrange("z", 0, 0, { WITHSCORES: true }), [["c", 3]]],
  [s.zrevrangeBuffer("z", 0, 0), bytes("c")],
  [s.zrevrangeBuffer("z", 0, 0, { WITHSCORES: true }), [[Buffer.from("c"), 3]]],
  [s.zrangebyscore("z", 2, "+inf"), ["b", "c"]],
  [s.zrangebyscore("z", 2, 3, { LIMIT: [0, 1], WITHSCORES: true }), [["b", 2]]],
  [s.zrangebyscoreBuffer("z", 2, 2), bytes("b")],
  [s.zrangebyscoreBuffer("z", 2, 2, { WITHSCORES: true }), [[Buffer.from("b"), 2]]],
  [s.zrevrangebyscore("z", 3, 2), ["c", "b"]],
  [s.zrevrangebyscore("z", 3, 2, { LIMIT: [1, 1], WITHSCORES: true }), [["b", 2]]],
  [s.zrevrangebyscoreBuffer("z", 2, 2), bytes("b")],
  [s.zrevrangebyscoreBuffer("z", 2, 2, { WITHSCORES: true }), [[Buffer.from("b"), 2]]],
  [s.zrangebylex("z", "-", "[b"), ["a", "b"]],
  [s.zrangebylexBuffer("z", "-", "+", { LIMIT: [2, 1] }), bytes("c")],
  [s.zrevrangebylex("z", "+", "-"), ["c", "b", "a"]],
  [s.zrevrangebylexBuffer("z", "+", "-", { LIMIT: [0, 1] }), bytes("c")],
  [s.zcount("z", 1, "(3"), 2],
  [s.zlexcount("z", "-", "+"), 3],
  [s.zrangestore("r", "z", 1, 2, { REV: true }), 2],
  [s.zadd("y", 10, "b", 20, "x"), 2],
  [s.zinter(["z", "y"]), ["b"]],
  [s.zinter(["z", "y"], { WEIGHTS: [2, 1], AGGREGATE: "MAX", WITHSCORES: true }), [["b", 10]]],
  [s.zinterBuffer(["z", "y"]), bytes("b")],
  [s.zinterBuffer(["z", "y"], { WITHSCORES: true }), [[Buffer.from("b"), 12]]],
  [s.zintercard(["z", "y"], { LIMIT: 5 }), 1],
  [s.zunion(["z", "y"], { AGGREGATE: "MIN" }), ["a", "b", "c", "x"]],
  [s.zunion(["y"], { WITHSCORES: true }).join(), "b,10,x,20"],
  [s.zunionBuffer(["y"]), bytes("b", "x")],
  [s.zunionBuffer(["y"], { WITHSCORES: true })[0], [Buffer.from("b"), 10]],
  [s.zdiff(["y", "z"]), ["x"]],
  [s.zdiff(["y", "z"], { WITHSCORES: true }), [["x", 20]]],
  [s.zdiffBuffer(["y", "z"]), bytes("x")],
  [s.zdiffBuffer(["y", "z"], { WITHSCORES: true }), [[Buffer.from("x"), 20]]],
  [s.zdiffstore("d", ["y", "z"]), 1],
  [s.zinterstore("d", ["y", "z"], { WEIGHTS: [1, "0.5"] }), 1],
  [s.zunionstore("d", ["y", "z"]), 4],
  [s.zremrangebyrank("d", 0, 0), 1],
  [s.zremrangebyscore("d", "-inf", 3), 1],
  [s.zremrangebylex("d", "-", "+"), 2],
]);

expectations("places", (s) => [
  [s.geoadd("g", [[13.361389, 38.115556, "Palermo"]]), 1],
  [s.geoadd("g", 15.087269, 37.502669, "Catania"), 1],
  [s.geoadd("g", [[13, 38, "Palermo"]], { NX: true, CH: true }), 0],
  [Math.round(s.geodist("g", "Palermo", "Catania") ?? 0), 166274],
  [s.geodist("g", "Palermo", "none", "km"), null],
  [s.geohash("g", "Palermo", "none"), ["sqc8b49rny0", null]],
  [
    s.geopos("g", "Palermo", "none").map((at) => at?.map((degrees) => degrees.toFixed(3))),
    [["13.361", "38.116"], undefined],
  ],
  [s.geosearch("g", { FROMLONLAT: [15, 37], BYRADIUS: [200, "km"], ASC: true }), ["Catania", "Palermo"]],
  [s.geosearch("g", { FROMMEMBER: "Palermo", BYBOX: [10, 10, "km"] }), ["Palermo"]],
  [
    s.geosearch("g", { FROMMEMBER: "Palermo", BYRADIUS: [1, "mi"], WITHHASH: true, WITHDIST: true }),
    [{ member: "Palermo", distance: 0, hash: 3479099956230698 }],
  ],
  [
    s.geosearchBuffer("g", { FROMLONLAT: [15, 37], BYRADIUS: [200, "km"], COUNT: 1, ANY: true, WITHDIST: true })[0]
      ?.member instanceof Buffer,
    true,
  ],
  [s.geosearchBuffer("g", { FROMMEMBER: "Palermo", BYRADIUS: [1, "ft"] }), bytes("Palermo")],
  [s.georadius("g", 15, 37, 100, "km"), ["Catania"]],
  [s.georadius("g", 15, 37, 100, "km", { WITHCOORD: true })[0]?.coordinates?.length, 2],
  [s.georadius("g", 15, 37, 100, "km", { STORE: "near" }), 1],
  [s.georadius_ro("g", 15, 37, 100, "km", { COUNT: 1 }), ["Catania"]],
  [s.georadius_ro("g", 15, 37, 100, "km", { WITHDIST: true })[0]?.distance, 56.4413],
  [s.georadiusbymember("g", "Catania", 100, "m"), ["Catania"]],
  [s.georadiusbymember("g", "Catania", 100, "m", { WITHDIST: true }), [{ member: "Catania", distance: 0 }]],
  [s.georadiusbymember("g", "Catania", 100, "m", { STOREDIST: "near" }), 1],
  [s.georadiusbymember_ro("g", "Catania", 100, "m", { DESC: true }), ["Catania"]],
  [s.georadiusbymember_ro("g", "Catania", 1, "m", { WITHDIST: true }), [{ member: "Catania", distance: 0 }]],
  [s.geosearchstore("near", "g", { FROMLONLAT: [15, 37], BYRADIUS: [200, "km"], STOREDIST: true }), 2],
  [Math.round(s.zscore("near", "Catania") ?? 0), 56],
]);

expectations("HyperLogLogs", (s) => [
  [s.pfadd("p", "a", "b"), 1],
  [s.pfadd("p", ["a"]), 0],
  [s.pfadd("q", "c"), 1],
  [s.pfcount("p"), 2],
  [s.pfcount(["p", "q"]), 3],
  [s.pfmerge("r", "p", "q"), "OK"],
  [s.pfcount("r"), 3],
  [s.pfdebug("ENCODING", "p"), "sparse"],
]);

expectations("sorting, dumping and restoring", (s) => [
  [s.rpush("l", 3, 1, 2), 3],
  [s.mset({ w1: 9, w2: 8, w3: 7, n1: "one" }), "OK"],
  [s.sort("l"), ["1", "2", "3"]],
  [s.sort("l", { BY: "w*", GET: ["#", "n*"], LIMIT: [1, 2] }), ["2", null, "1", "one"]],
  [s.sort("l", { DESC: true, ALPHA: true, STORE: "m" }), 3],
  [s.sortBuffer("m", { ASC: true }), bytes("1", "2", "3")],
  [s.sort_ro("m", { BY: "nosort" }), ["3", "2", "1"]],
  [s.sort_roBuffer("m", { LIMIT: [0, 1] }), bytes("1")],
  [s.dump("none"), null],
  [s.restore("copy", 0, s.dump("l") ?? Buffer.alloc(0)), "OK"],
  [s.restore("copy", 5000n, s.dumpBuffer("m") ?? Buffer.alloc(0), { REPLACE: true }), "OK"],
  [s.lrange("copy", 0, -1), ["3", "2", "1"]],
  [s.pttl("copy"), 5000],
]);

test("walking large collections", async () => {
  const db = await open(OPTIONS);
  const names = Array.from({ length: 2000 }, (_, index) => `member:${index}`);
  db.hset(
    "h",
    names.map((name, index) => [name, index]),
  );
  db.sadd("s", names);
  db.zadd(
    "z",
    names.map((name, index) => [index / 4, name]),
  );
  assert.deepEqual(new Map(db.hscanIterator("h")), new Map(names.map((name, index) => [name, String(index)])));
  assert.deepEqual([...new Set(db.sscanIterator("s"))].sort(), [...names].sort());
  assert.deepEqual(new Map(db.zscanIterator("z")), new Map(names.map((name, index) => [name, index / 4])));
  const wanted = { match: "member:77", count: 1000 };
  assert.deepEqual([...db.hscanIteratorBuffer("h", wanted)], [bytes("member:77", "77")]);
  assert.deepEqual([...db.sscanIteratorBuffer("s", wanted)], bytes("member:77"));
  assert.deepEqual([...db.zscanIteratorBuffer("z", wanted)], [[Buffer.from("member:77"), 19.25]]);
  for (const member of db.sscanIterator("s")) db.srem("s", member);
  assert.equal(db.exists("s"), 0);
  assert.equal(db.debug("VERIFY"), "OK");
  await db.close();
});

test("what is wrong is named before anything is done", async () => {
  const db = await open(OPTIONS);
  const wrong: [() => unknown, RegExp][] = [
    [() => db.zadd("k", [[1, "a"], [2]] as unknown as [number, string][]), /^zadd: element 2 is not an array of 2$/],
    [() => db.zadd("k", [[1, "a"]], { FX: true } as object), /^zadd: no option is called FX; there are NX, XX/],
    [
      () => db.geoadd("k", [[1, 2]] as unknown as [number, number, string][]),
      /^geoadd: element 1 is not an array of 3/,
    ],
    [() => db.zrange("k", 0, 1, { LIMIT: 5 } as object), /^zrange: option LIMIT is a number, not an array$/],
    [() => db.hset("k", [["a"]] as unknown as [string, string][]), /^hset: element 1 is no pair$/],
    [() => db.sort("k", { GET: "#" } as object), /^sort: option GET is a string, not an array$/],
    [() => db.hscanIterator("k", { count: "5" } as object), /^hscanIterator: option count is a string, not a number$/],
    [() => db.sscanIterator("k", { counts: 5 } as object), /^sscanIterator: no option is called counts/],
  ];
  for (const [call, message] of wrong) assert.throws(call, { name: "TypeError", message });
  assert.throws(() => db.zadd("k", [[Number.NaN, "a"]]), { message: "ERR value is not a valid float" });
  assert.equal(db.dbsize(), 0);
  await db.close();
});
