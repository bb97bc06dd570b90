/** What a command would give away, and no reply can hold, stays where it is, and nothing is logged. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { digestOf } from "../keyspace/live-digest.ts";
import { CommandRunner } from "../testing/commands.ts";
import { Follower, takeEffects } from "../testing/effects.ts";
import { allCommands } from "./all-commands.ts";

/** The least that can be. */
const LENGTH_MAX = 64 * 1024;
/** Of keys named so, whatever they hold is one listpack. */
const PACKED = "p";
const PACKED_LIMITS = { setListpackEntries: 1e6, setListpackValue: 1e6, sortedSetEntries: 1e6, sortedSetValue: 1e6 };

/** Elements of 1,000 bytes and their scores, as arguments of ZADD or of others. */
function elements(count: number, hasScores = false): string[] {
  return Array.from({ length: count }, (_, index) => {
    const text = `${index}`.padEnd(1000, "x");
    return hasScores ? [`${index}`, text] : [text];
  }).flat();
}

const numbers = Array.from({ length: 20_000 }, (_, index) => `${index + 100_000}`);
const many = elements(300);
const scored = elements(300, true);

/** What is there, the encoding that it must have, the command, and elements that are left when its reply has room. */
const CASES: readonly [made: string[], encoding: string, popping: string[], left: number][] = [
  [["SADD", "k", ...many], "hashtable", ["SPOP", "k", "120"], 180],
  [["SADD", "k", ...many], "hashtable", ["SPOP", "k", "200"], 100],
  [["SADD", "k", ...many], "hashtable", ["SPOP", "k", "290"], 10],
  [["SADD", "k", ...many], "hashtable", ["SPOP", "k", "300"], 0],
  [["SADD", "k", "l".repeat(LENGTH_MAX)], "hashtable", ["SPOP", "k"], 0],
  [["SADD", PACKED, ...many], "listpack", ["SPOP", PACKED, "100"], 200],
  [["SADD", "k", ...numbers], "intset", ["SPOP", "k", "19000"], 1000],
  [["RPUSH", "k", ...many], "quicklist", ["LPOP", "k", "100"], 200],
  [["RPUSH", "k", ...many], "quicklist", ["RPOP", "k", "300"], 0],
  [["RPUSH", "k", ...many], "quicklist", ["LMPOP", "2", "none", "k", "RIGHT", "COUNT", "100"], 200],
  [["RPUSH", "k", "l".repeat(LENGTH_MAX)], "quicklist", ["LPOP", "k"], 0],
  [["ZADD", "k", ...scored], "skiplist", ["ZPOPMIN", "k", "100"], 200],
  [["ZADD", "k", ...scored], "skiplist", ["ZPOPMAX", "k", "300"], 0],
  [["ZADD", "k", ...scored], "skiplist", ["ZMPOP", "2", "none", "k", "MIN", "COUNT", "100"], 200],
  [["ZADD", PACKED, ...scored], "listpack", ["ZPOPMAX", PACKED, "100"], 200],
  [["SET", "k", "l".repeat(LENGTH_MAX)], "raw", ["GETDEL", "k"], 0],
];

const COUNTS: Readonly<Record<string, string>> = { SADD: "SCARD", RPUSH: "LLEN", ZADD: "ZCARD", SET: "EXISTS" };

for (const [made, encoding, popping, left] of CASES) {
  test(`${popping.join(" ")} of a ${encoding}: refused as a whole, and with more room done as a whole`, () => {
    const runner = new CommandRunner(allCommands, { regionSize: 1 << 24 });
    const { keyspace, effects } = runner;
    Object.assign(keyspace.limits, { setIntsetEntries: numbers.length }, made[1] === PACKED ? PACKED_LIMITS : {});
    const follower = new Follower(runner);
    runner.run(...made);
    follower.follow();
    assert.equal(runner.ask("OBJECT", "ENCODING", made[1]!), encoding);
    const database = keyspace.databases[0]!;
    const before = digestOf(database);
    const { changes } = keyspace;
    runner.replyLengthMax = LENGTH_MAX;
    assert.throws(() => runner.run(...popping), { code: "REPLY_TOO_LONG" });
    assert.equal(digestOf(database), before);
    assert.equal(keyspace.changes, changes);
    assert.equal(takeEffects(effects).length, 0);
    runner.verify();

    runner.replyLengthMax = LENGTH_MAX * 10;
    assert(runner.run(...popping).length > LENGTH_MAX);
    assert.equal(runner.run(COUNTS[made[0]!]!, made[1]!), `:${left}\r\n`);
    assert(follower.follow().length > 0);
    assert.deepEqual(follower.differences(), []);
    runner.verify();
  });
}
