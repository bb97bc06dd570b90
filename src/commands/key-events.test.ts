/** Which events each command causes, one line each: what was done before, the command, its events. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { keyspaceEvents } from "../config/keyspace-events.ts";
import { CommandRunner } from "../testing/commands.ts";
import { allCommands } from "./all-commands.ts";

const NOW = 1_700_000_000_000;
const PAST = "1000000";
const { keyspace: _toKeyspace, keyevent: _toKeyevent, ...classes } = keyspaceEvents;
const LETTERS = new Map<number, string>(
  Object.entries({ generic: "g", string: "$", list: "l", set: "s", hash: "h", sortedSet: "z" } as const)
    .map(([name, letter]): [number, string] => [classes[name as "generic"], letter])
    .concat([
      [classes.newKey, "n"],
      [classes.keyMiss, "m"],
      [classes.expired, "x"],
    ]),
);

/** Runs commands, separated by semicolons, and returns the events of the last: class letter, event, key, database. */
function eventsOf(commands: string): string {
  const runner = new CommandRunner(allCommands, { now: () => NOW });
  const { keyspace } = runner;
  const events: string[] = [];
  keyspace.onEvent = (type, event, database, bytes, start, length) => {
    const key = bytes.toString("latin1", start, start + length);
    events.push(`${LETTERS.get(type)}:${event} ${key}${database === 0 ? "" : `@${database}`}`);
  };
  const lines = commands.split(";").map((line) => line.trim().split(" "));
  for (const [index, words] of lines.entries()) {
    keyspace.eventTypes = index === lines.length - 1 ? -1 : 0;
    const reply = runner.run(...words.map((word) => (word === "DUMPED" ? dumped(runner) : word === "''" ? "" : word)));
    if (reply.startsWith("-")) events.push(reply.trim());
  }
  runner.verify();
  return events.join(", ");
}

/** What DUMP gives of the key "from". */
function dumped(runner: CommandRunner): Buffer {
  const wire = runner.run("DUMP", "from");
  return Buffer.from(wire.slice(wire.indexOf("\r\n") + 2, -2), "latin1");
}

const TABLE: Readonly<Record<string, readonly (readonly [commands: string, events: string])[]>> = {
  strings: [
    ["SET a 1", "n:new a, $:set a"],
    ["SET a 1; SET a 2", "$:set a"],
    ["SET a 1; SET a 2 NX", ""],
    ["SET a 1 XX", ""],
    ["SET a 1 EX 10", "n:new a, $:set a, g:expire a"],
    ["SET a 1 EX 10; SET a 2 KEEPTTL", "$:set a"],
    ["SET a 1 GET", "m:keymiss a, n:new a, $:set a"],
    ["SET a 1; SET a 2 GET PX 5", "$:set a, g:expire a"],
    ["SETNX a 1", "n:new a, $:set a"],
    ["SET a 1; SETNX a 1", ""],
    ["SETEX a 10 x", "n:new a, $:set a, g:expire a"],
    ["PSETEX a 10 x", "n:new a, $:set a, g:expire a"],
    ["GETSET a x", "m:keymiss a, n:new a, $:set a"],
    ["SET a 1; GETDEL a", "g:del a"],
    ["GETDEL a", "m:keymiss a"],
    ["SET a 1; GETEX a", ""],
    ["SET a 1; GETEX a EX 10", "g:expire a"],
    ["SET a 1; GETEX a EXAT 1", "g:del a"],
    ["SET a 1; GETEX a PERSIST", ""],
    ["SET a 1 EX 10; GETEX a PERSIST", "g:persist a"],
    ["GET a", "m:keymiss a"],
    ["MGET a b", "m:keymiss a, m:keymiss b"],
    ["SET a 1; GET a", ""],
    ["INCR a", "n:new a, $:incrby a"],
    ["SET a 1; DECRBY a 2", "$:incrby a"],
    ["SET a x; INCR a", "-ERR value is not an integer or out of range"],
    ["INCRBYFLOAT a 1.5", "n:new a, $:incrbyfloat a"],
    ["APPEND a x", "n:new a, $:append a"],
    ["SET a x; APPEND a y", "$:append a"],
    ["SETRANGE a 2 x", "n:new a, $:setrange a"],
    ["SETRANGE a 2 ''", ""],
    ["SET a 1; MSET a 1 b 2", "$:set a, n:new b, $:set b"],
    ["MSETNX a 1 b 2", "n:new a, $:set a, n:new b, $:set b"],
    ["SET b 1; MSETNX a 1 b 2", ""],
    ["STRLEN a", "m:keymiss a"],
  ],
  bitmaps: [
    ["SETBIT a 7 1", "n:new a, $:setbit a"],
    ["SETBIT a 7 1; SETBIT a 7 1", ""],
    ["SETBIT a 7 1; SETBIT a 7 0", "$:setbit a"],
    ["SETBIT a 7 1; SETBIT a 20 0", "$:setbit a"],
    ["BITFIELD a SET u8 0 1 SET u8 8 1", "n:new a, $:setbit a"],
    ["BITFIELD a SET u8 0 1; BITFIELD a SET u8 0 1 GET u8 0", ""],
    ["BITFIELD a OVERFLOW FAIL INCRBY u2 0 9", "n:new a"],
    ["BITFIELD a GET u8 0", "m:keymiss a"],
    ["SET a x; BITOP AND b a", "n:new b, $:set b"],
    ["SET b x; BITOP AND b a", "m:keymiss a, g:del b"],
    ["BITOP NOT b a", "m:keymiss a"],
  ],
  hyperloglog: [
    ["PFADD a x", "n:new a, $:pfadd a"],
    ["PFADD a", "n:new a, $:pfadd a"],
    ["PFADD a x; PFADD a x", ""],
    ["PFADD a x; PFMERGE b a", "m:keymiss b, n:new b, $:pfadd b"],
    ["PFCOUNT a", "m:keymiss a"],
  ],
  keys: [
    ["SET a 1; SET b 1; DEL a b c", "g:del a, g:del b"],
    ["SET a 1; UNLINK a", "g:del a"],
    ["EXISTS a; EXISTS a", "m:keymiss a"],
    ["TYPE a", "m:keymiss a"],
    ["TTL a", "m:keymiss a"],
    ["TOUCH a", "m:keymiss a"],
    ["OBJECT ENCODING a", ""],
    ["SET a 1; EXPIRE a 10", "g:expire a"],
    ["SET a 1; EXPIRE a -1", "g:del a"],
    ["SET a 1; EXPIRE a 10 XX", ""],
    [`SET a 1; PEXPIREAT a ${PAST}`, "g:del a"],
    ["SET a 1 EX 10; PERSIST a", "g:persist a"],
    ["SET a 1; PERSIST a", ""],
    ["SET a 1; RENAME a b", "n:new b, g:rename_from a, g:rename_to b"],
    ["SET a 1; SET b 1; RENAME a b", "n:new b, g:rename_from a, g:rename_to b"],
    ["SET a 1; RENAME a a", ""],
    ["LPUSH a 1; SET b 1; RENAME a b", "n:new b, g:rename_from a, g:rename_to b"],
    ["SET a 1; SET b 1; RENAMENX a b", ""],
    ["SET a 1; COPY a b", "n:new b, g:copy_to b"],
    ["SET a 1; SET b 1; COPY a b REPLACE", "n:new b, g:copy_to b"],
    ["SET a 1; COPY a b DB 3", "n:new b@3, g:copy_to b@3"],
    ["COPY a b", "m:keymiss a"],
    ["SET b 1 PXAT 1; COPY a b", "m:keymiss a"],
    ["SET a 1; MOVE a 2", "n:new a@2, g:move_from a, g:move_to a@2"],
    ["MOVE a 2", ""],
    ["SET from 1; RESTORE a 0 DUMPED", "n:new a, g:restore a"],
    ["SET from 1; RESTORE from 0 DUMPED REPLACE", "n:new from, g:restore from"],
    ["SET from 1; RESTORE from 1 DUMPED REPLACE ABSTTL", "g:del from"],
    ["SET from 1; RESTORE a 1 DUMPED ABSTTL", ""],
    ["SET a 1; FLUSHALL", ""],
    ["SET a 1; SWAPDB 0 1", ""],
    ["SET a 1; FLUSHDB", ""],
  ],
  hashes: [
    ["HSET a f 1", "n:new a, h:hset a"],
    ["HSET a f 1; HSET a f 1", "h:hset a"],
    ["HMSET a f 1 g 2", "n:new a, h:hset a"],
    ["HSETNX a f 1", "n:new a, h:hset a"],
    ["HSET a f 1; HSETNX a f 1", ""],
    ["HINCRBY a f 1", "n:new a, h:hincrby a"],
    ["HINCRBYFLOAT a f 1", "n:new a, h:hincrbyfloat a"],
    ["HSET a f 1 g 1; HDEL a f", "h:hdel a"],
    ["HSET a f 1 g 1; HDEL a f g", "h:hdel a, g:del a"],
    ["HSET a f 1; HDEL a g", ""],
    ["HSET a f 1; HEXPIRE a 10 FIELDS 2 f g", "h:hexpire a"],
    ["HSET a f 1; HEXPIRE a 10 FIELDS 1 g", ""],
    ["HSET a f 1 g 1; HPEXPIREAT a 1 FIELDS 1 f", "h:hdel a"],
    ["HSET a f 1; HEXPIREAT a 1 FIELDS 1 f", "h:hdel a, g:del a"],
    ["HSET a f 1; HEXPIRE a 10 FIELDS 1 f; HPERSIST a FIELDS 1 f", "h:hpersist a"],
    ["HSET a f 1; HPERSIST a FIELDS 1 f", ""],
    ["HGETALL a", "m:keymiss a"],
  ],
  lists: [
    ["LPUSH a x y", "n:new a, l:lpush a"],
    ["RPUSH a x; RPUSH a x", "l:rpush a"],
    ["LPUSHX a x", ""],
    ["RPUSH a x; RPUSHX a x", "l:rpush a"],
    ["RPUSH a x y; LPOP a", "l:lpop a"],
    ["RPUSH a x; RPOP a", "l:rpop a, g:del a"],
    ["RPUSH a x y; RPOP a 5", "l:rpop a, g:del a"],
    ["RPUSH a x; LPOP a 0", ""],
    ["RPUSH b x y; LMPOP 2 a b RIGHT", "l:rpop b"],
    ["RPUSH a x; LMOVE a b LEFT RIGHT", "n:new b, l:rpush b, l:lpop a, g:del a"],
    ["RPUSH a x; RPOPLPUSH a a", "l:lpush a, l:rpop a"],
    ["RPUSH a x y; RPUSH b z; RPOPLPUSH a b", "l:lpush b, l:rpop a"],
    ["RPUSH a x; LSET a 0 y", "l:lset a"],
    ["RPUSH a x; LINSERT a BEFORE x y", "l:linsert a"],
    ["RPUSH a x; LINSERT a BEFORE z y", ""],
    ["RPUSH a x y; LREM a 0 x", "l:lrem a"],
    ["RPUSH a x; LREM a 0 x", "l:lrem a, g:del a"],
    ["RPUSH a x; LREM a 0 y", ""],
    ["RPUSH a x; LTRIM a 0 -1", "l:ltrim a"],
    ["RPUSH a x; LTRIM a 5 9", "l:ltrim a, g:del a"],
    ["LRANGE a 0 -1", "m:keymiss a"],
  ],
  sets: [
    ["SADD a x", "n:new a, s:sadd a"],
    ["SADD a x; SADD a x", ""],
    ["SADD a x y; SREM a x", "s:srem a"],
    ["SADD a x; SREM a x", "s:srem a, g:del a"],
    ["SADD a x; SREM a y", ""],
    ["SADD a x y; SMOVE a b x", "s:srem a, n:new b, s:sadd b"],
    ["SADD a x; SMOVE a b x", "s:srem a, g:del a, n:new b, s:sadd b"],
    ["SADD a x; SADD b x; SMOVE a b x", "s:srem a, g:del a"],
    ["SADD a x; SMOVE a a x", ""],
    ["SADD a x; SMOVE a b y", ""],
    ["SADD a x y; SPOP a", "s:spop a"],
    ["SADD a x; SPOP a", "s:spop a, g:del a"],
    ["SADD a x y; SPOP a 9", "s:spop a, g:del a"],
    ["SADD a x y; SPOP a 0", ""],
    ["SADD a x; SINTERSTORE b a", "n:new b, s:sinterstore b"],
    ["SADD a x; SADD b y; SINTERSTORE b a b", "g:del b"],
    ["SADD a x; SUNIONSTORE b a c", "m:keymiss c, n:new b, s:sunionstore b"],
    ["SADD a x; SADD b y; SDIFFSTORE b a", "s:sdiffstore b"],
    ["SDIFFSTORE b a", "m:keymiss a"],
    ["SCARD a", "m:keymiss a"],
  ],
  "sorted sets": [
    ["ZADD a 1 x", "n:new a, z:zadd a"],
    ["ZADD a 1 x; ZADD a 1 x", ""],
    ["ZADD a 1 x; ZADD a 2 x", "z:zadd a"],
    ["ZADD a XX 1 x", ""],
    ["ZADD a INCR 1 x", "n:new a, z:zincr a"],
    ["ZINCRBY a 1 x", "n:new a, z:zincr a"],
    ["ZADD a 1 x; ZINCRBY a 0 x", ""],
    ["ZADD a 1 x 2 y; ZREM a x", "z:zrem a"],
    ["ZADD a 1 x; ZREM a x y", "z:zrem a, g:del a"],
    ["ZADD a 1 x 2 y; ZPOPMIN a", "z:zpopmin a"],
    ["ZADD a 1 x; ZPOPMAX a 2", "z:zpopmax a, g:del a"],
    ["ZADD b 1 x 2 y; ZMPOP 2 a b MAX", "z:zpopmax b"],
    ["ZADD a 1 x 2 y; ZREMRANGEBYRANK a 0 0", "z:zremrangebyrank a"],
    ["ZADD a 1 x; ZREMRANGEBYSCORE a 0 9", "z:zremrangebyscore a, g:del a"],
    ["ZADD a 1 x; ZREMRANGEBYLEX a - +", "z:zremrangebylex a, g:del a"],
    ["ZADD a 1 x; ZREMRANGEBYSCORE a 5 9", ""],
    ["ZADD a 1 x; ZUNIONSTORE b 1 a", "n:new b, z:zunionstore b"],
    ["ZADD a 1 x; ZADD b 1 y; ZINTERSTORE b 2 a b", "g:del b"],
    ["ZADD a 1 x; ZADD b 1 y; ZDIFFSTORE b 1 a", "z:zdiffstore b"],
    ["ZADD a 1 x; ZRANGESTORE b a 0 -1", "n:new b, z:zrangestore b"],
    ["ZADD b 1 x; ZRANGESTORE b a 0 -1", "m:keymiss a, g:del b"],
    ["GEOADD a 1 1 x", "n:new a, z:zadd a"],
    ["GEOADD a 1 1 x; GEOADD a 1 1 x", ""],
    ["GEOADD a 1 1 x; GEOSEARCHSTORE b a FROMLONLAT 1 1 BYRADIUS 9 km", "n:new b, z:geosearchstore b"],
    ["GEOADD a 1 1 x; GEORADIUS a 1 1 9 km STORE b", "n:new b, z:georadiusstore b"],
    ["ZADD b 1 x; GEOSEARCHSTORE b a FROMLONLAT 1 1 BYRADIUS 9 km", "m:keymiss a, g:del b"],
  ],
  sort: [
    ["RPUSH a 2 1; SORT a STORE b", "n:new b, l:sortstore b"],
    ["SET b 1; SORT a STORE b", "m:keymiss a, g:del b"],
    ["RPUSH a 1; SORT a BY w_*", "m:keymiss w_1"],
    ["RPUSH a 2; SET b 1; SORT a STORE b", "l:sortstore b"],
  ],
};

for (const [family, lines] of Object.entries(TABLE)) {
  test(`events of ${family}`, () => {
    for (const [commands, events] of lines) assert.equal(eventsOf(commands), events, commands);
  });
}

test("classes that are not selected are not told of", () => {
  const runner = new CommandRunner(allCommands);
  const events: string[] = [];
  runner.keyspace.onEvent = (_type, event) => events.push(event);
  runner.keyspace.eventTypes = keyspaceEvents.list | keyspaceEvents.newKey;
  runner.run("SET", "a", "1");
  runner.run("RPUSH", "b", "1");
  runner.run("DEL", "a");
  runner.keyspace.eventTypes = 0;
  runner.run("RPUSH", "c", "1");
  assert.deepEqual(events, ["new", "new", "rpush"]);
  runner.verify();
});
