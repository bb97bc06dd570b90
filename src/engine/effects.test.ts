/** What each command logs, and that it does the same again elsewhere: by the table of all commands. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { allCommands } from "../commands/all-commands.ts";
import { BY_EXPIRY, BY_PAST_DEADLINE, BY_REPLACEMENT, type Cause } from "../keyspace/cause.ts";
import { CommandRunner } from "../testing/commands.ts";
import { Follower } from "../testing/effects.ts";

const NOW = 1_700_000_000_000;
/** So much later: of what lives ten seconds, and of what lives for a minute. */
const IN_10_S = `${NOW + 10_000}`;
const IN_60_S = `${NOW + 60_000}`;
const DATED = `HPEXPIREAT h ${IN_10_S} FIELDS 1 a`;

/**
 * `what there is before ; ... ; the command => its effects | ...`: a dash for none, nothing behind the arrow if it is
 * the command itself.
 */
const ROWS = `
  APPEND k x =>
  SETBIT k 7 1 =>
  SETBIT k 7 1 ; SETBIT k 7 1 => -
  SETBIT k 7 1 ; SETBIT k 8 0 =>
  SET k a ; BITFIELD k SET u8 0 97 => -
  BITFIELD k OVERFLOW FAIL SET u8 0 300 =>
  SET k a ; BITFIELD k SET u8 0 98 OVERFLOW SAT INCRBY u8 8 300 =>
  BITFIELD nokey GET u8 0 => -
  BITOP NOT d nokey => -
  SET a abc ; BITOP NOT d a =>
  SET d x ; BITOP NOT d nokey =>
  DECR n =>
  DECRBY n 5 =>
  INCR n =>
  INCRBY n 5 =>
  SET n 5.0 ; INCRBYFLOAT n 0.1 => SET n 5.1 KEEPTTL
  INCRBYFLOAT n 1e3 => SET n 1000 KEEPTTL
  MSET a 1 b 2 =>
  MSETNX a 1 b 2 =>
  SET b 1 ; MSETNX a 1 b 2 => -
  SET k v =>
  SET k v KEEPTTL =>
  SET k v EX 10 ; SET k w keepttl GET =>
  SET k v EX 10 => SET k v PXAT ${IN_10_S}
  SET k v NX GET PX 10000 => SET k v PXAT ${IN_10_S}
  SET k v EXAT 1700000060 => SET k v PXAT ${IN_60_S}
  SET k v PXAT ${IN_60_S} =>
  SET k v pxat ${IN_60_S} NX GET =>
  SET k v ; SET k w NX => -
  SET k v NX GET =>
  SETNX k v =>
  SET k v ; SETNX k w => -
  SETEX k 10 v => SET k v PXAT ${IN_10_S}
  PSETEX k 10000 v => SET k v PXAT ${IN_10_S}
  SETRANGE k 5 x =>
  SETRANGE k 5 '' => -
  GETSET k v =>
  GETDEL k => -
  SET k v ; GETDEL k => DEL k
  GETEX k EX 10 => -
  SET k v ; GETEX k => -
  SET k v ; GETEX k EX 10 => PEXPIREAT k ${IN_10_S}
  SET k v ; GETEX k PXAT 1 => UNLINK k
  SET k v ; GETEX k PERSIST => -
  SET k v EX 10 ; GETEX k PERSIST => PERSIST k
  EXPIRE k 10 => -
  SET k v ; EXPIRE k 10 NX => PEXPIREAT k ${IN_10_S}
  SET k v ; EXPIRE k -1 => UNLINK k
  SET k v EX 60 ; EXPIRE k 10 GT => -
  SET k v EX 10 ; EXPIRE k 60 GT => PEXPIREAT k ${IN_60_S}
  SET k v ; PEXPIRE k 10000 => PEXPIREAT k ${IN_10_S}
  SET k v ; EXPIREAT k 1700000010 => PEXPIREAT k ${IN_10_S}
  SET k v ; PEXPIREAT k ${IN_10_S} => PEXPIREAT k ${IN_10_S}
  SET k v ; PERSIST k => -
  SET k v EX 10 ; PERSIST k =>
  DEL a b => -
  SET b 1 ; DEL a b =>
  SET b 1 ; UNLINK a b =>
  SET a 1 ; RENAME a b =>
  SET a 1 ; RENAME a a => -
  SET a 1 ; RENAMENX a b =>
  SET a 1 ; SET b 1 ; RENAMENX a b => -
  SET a 1 EX 10 ; COPY a b =>
  SET a 1 ; COPY a b DB 3 =>
  SET a 1 ; SET b 1 ; COPY a b => -
  SET a 1 ; MOVE a 3 =>
  MOVE a 3 => -
  SET a 1 ; SWAPDB 0 3 =>
  FLUSHDB => -
  SET a 1 ; FLUSHDB =>
  SET a 1 ; FLUSHALL ASYNC =>
  HSET h a 1 b 2 =>
  HMSET h a 1 =>
  HSETNX h a 1 =>
  HSET h a 1 ; HSETNX h a 2 => -
  HDEL h a => -
  HSET h a 1 b 2 ; HDEL h a c =>
  HINCRBY h a 5 =>
  HSET h a 5.0 ; HINCRBYFLOAT h a 0.1 => HSET h a 5.1
  HSET h a 1 ; HEXPIRE h 10 FIELDS 1 a ; HINCRBYFLOAT h a 1 => MULTI | HSET h a 2 | ${DATED} | EXEC
  HSET h a 1 b 2 ; HEXPIRE h 10 NX FIELDS 2 a c => HPEXPIREAT h ${IN_10_S} NX FIELDS 2 a c
  HSET h a 1 b 2 ; HEXPIRE h 0 FIELDS 2 a c => HDEL h a
  HSET h a 1 ; HEXPIRE h 10 XX FIELDS 1 a => -
  HSET h a 1 ; HPEXPIRE h 10000 FIELDS 1 a => ${DATED}
  HSET h a 1 ; HEXPIREAT h 1700000010 FIELDS 1 a => ${DATED}
  HSET h a 1 ; HPEXPIREAT h ${IN_10_S} FIELDS 1 a => ${DATED}
  HSET h a 1 ; HPEXPIREAT h 1 FIELDS 1 a => HDEL h a
  HSET h a 1 ; HPERSIST h FIELDS 1 a => -
  HSET h a 1 ; HEXPIRE h 10 FIELDS 1 a ; HPERSIST h FIELDS 1 a =>
  LPUSH l a b =>
  RPUSH l a b =>
  LPUSHX l a => -
  RPUSHX l a => -
  RPUSH l a ; LPUSHX l b =>
  RPUSH l a ; RPUSHX l b =>
  RPUSH l a b ; LPOP l =>
  LPOP l => -
  RPUSH l a b ; RPOP l 5 =>
  RPUSH l a b ; LMPOP 2 k l LEFT COUNT 1 => LPOP l 1
  RPUSH l a b ; LMPOP 1 l RIGHT COUNT 10 => RPOP l 2
  LMPOP 1 l LEFT => -
  RPUSH l a b ; LMOVE l m LEFT RIGHT =>
  RPUSH l a b ; RPOPLPUSH l l =>
  RPUSH l a b ; LSET l 0 x =>
  RPUSH l a b ; LINSERT l BEFORE b x =>
  RPUSH l a b ; LINSERT l BEFORE c x => -
  RPUSH l a b ; LREM l 0 a =>
  RPUSH l a b ; LREM l 0 c => -
  RPUSH l a b ; LTRIM l 1 1 =>
  RPUSH l a b ; LTRIM l 0 -1 => -
  SADD s a =>
  SADD s a ; SADD s a => -
  SADD s a b ; SREM s a =>
  SADD s a b ; SMOVE s t a =>
  SADD s a b ; SADD t a ; SMOVE s t a =>
  SADD s a ; SPOP s => SREM s a
  SPOP s => -
  SADD s a b ; SPOP s 2 => UNLINK s
  SADD s 1 ; SPOP s 0 => -
  SADD s a b ; SINTERSTORE d s s =>
  SADD s a b ; SUNIONSTORE d s t =>
  SADD s a b ; SDIFFSTORE d s t =>
  SDIFFSTORE d s t => -
  SORT l => -
  RPUSH l b a ; SORT l ALPHA => -
  RPUSH l b a ; SORT l ALPHA STORE d =>
  SADD s b a ; SORT s BY nothing STORE d =>
  SADD s a ; RPUSH d x ; SORT s BY w_* ALPHA STORE d => MULTI | DEL d | RPUSH d a | EXEC
  SET w_a 1 ; ZADD z 1 a ; SORT z BY w_* ALPHA GET # GET w_* STORE d => RPUSH d a 1
  RPUSH d x ; SORT nokey STORE d =>
  SORT nokey STORE d => -
  PFADD p a =>
  PFADD p a ; PFADD p a => -
  PFADD p a ; PFCOUNT p =>
  PFADD p a ; PFCOUNT p ; PFCOUNT p => -
  PFADD p a ; PFMERGE q p =>
  PFADD p a ; PFDEBUG TODENSE p =>
  ZADD z 1 a =>
  ZADD z 1 a ; ZADD z NX 2 a => -
  ZADD z 1 a ; ZINCRBY z 0.1 a =>
  ZADD z 1 a ; ZREM z a =>
  ZADD z 1 a 2 b ; ZPOPMIN z =>
  ZADD z 1 a 2 b ; ZPOPMAX z 5 =>
  ZADD z 1 a 2 b ; ZMPOP 2 y z MAX => ZPOPMAX z 1
  ZADD z 1 a 2 b ; ZMPOP 1 z MIN COUNT 10 => ZPOPMIN z 2
  ZMPOP 1 z MIN => -
  ZADD z 1 a 2 b ; ZREMRANGEBYRANK z 0 0 =>
  ZADD z 1 a 2 b ; ZREMRANGEBYSCORE z 1 1 =>
  ZADD z 1 a 1 b ; ZREMRANGEBYLEX z [a [a =>
  ZADD z 1 a 2 b ; ZRANGESTORE d z 0 0 =>
  ZADD z 1 a ; ZUNIONSTORE d 2 z z WEIGHTS 1 0.1 =>
  ZADD z 1 a ; ZINTERSTORE d 1 z =>
  ZADD z 1 a ; ZDIFFSTORE d 1 z =>
  GEOADD g 13.4 38.1 a =>
  GEOADD g 13.4 38.1 a ; GEOSEARCHSTORE d g FROMMEMBER a BYRADIUS 1 km =>
  GEOADD g 13.4 38.1 a ; GEORADIUS g 13 38 100 km STOREDIST d =>
  GEOADD g 13.4 38.1 a ; GEORADIUSBYMEMBER g a 100 km STORE d =>
  GEOADD g 13.4 38.1 a ; GEORADIUSBYMEMBER g a 100 km => -
`;

/** RESTORE has bytes for arguments: these stand for the dump of a key that holds "v". */
const RESTORES: readonly (readonly [command: string, effects: string])[] = [
  ["RESTORE r 0 %", ""],
  ["RESTORE r 0 % REPLACE FREQ 5", ""],
  ["RESTORE r 10000 % IDLETIME 3", `RESTORE r ${IN_10_S} % IDLETIME 3 ABSTTL`],
  [`RESTORE r ${IN_10_S} % ABSTTL`, ""],
  ["RESTORE r 1 % ABSTTL", "-"],
  ["RESTORE k 1 % ABSTTL REPLACE", "UNLINK k"],
];

const DESCRIBED = /^(?<before>.*; )?(?<command>.*?) =>(?<effects>.*)$/;

interface Row {
  readonly before: readonly string[];
  readonly command: string;
  /** The words of each, in one text. */
  readonly effects: readonly string[];
}

function rows(): Row[] {
  return ROWS.split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .map((line) => {
      const { before = "", command = "", effects = "" } = DESCRIBED.exec(line)!.groups!;
      const expected = effects.trim() === "" ? command : effects.trim();
      return {
        before: before.split(" ; ").filter((text) => text !== ""),
        command,
        effects: expected === "-" ? [] : expected.split(" | "),
      };
    });
}

const wordsOf = (command: string): string[] => command.split(" ").map((word) => (word === "''" ? "" : word));

function leader(): { runner: CommandRunner; follower: Follower } {
  const runner = new CommandRunner(allCommands, { now: () => NOW, shards: 2, seed: [1, 2] });
  return { runner, follower: new Follower(runner) };
}

test("each command logs what does the same again, and nothing if it has changed nothing", () => {
  const { runner, follower } = leader();
  for (const { before, command, effects } of rows()) {
    runner.run("FLUSHALL");
    for (const text of before) assert.doesNotMatch(runner.run(...wordsOf(text)), /^-/, text);
    // So that the database has been selected.
    runner.run("SET", "other", "x");
    runner.run("DEL", "other");
    follower.follow();
    assert.doesNotMatch(runner.run(...wordsOf(command)), /^-/, command);
    assert.deepEqual(follower.follow(), effects, command);
    assert.deepEqual(follower.differences(), [], command);
  }
});

test("what goes unasked is deleted by UNLINK where the settings allow freeing in the background, else by DEL", () => {
  let now = NOW;
  const runner = new CommandRunner(allCommands, { now: () => now, shards: 2, seed: [1, 2] });
  const follower = new Follower(runner);
  const { isLazy } = runner.keyspace.releaser;
  const rows: readonly (readonly [cause: Cause, before: string, command: string])[] = [
    [BY_PAST_DEADLINE, "SET k v", "EXPIRE k -1"],
    [BY_PAST_DEADLINE, "SET k v", "GETEX k PXAT 1"],
    [BY_REPLACEMENT, "SADD k a", "SPOP k 1"],
    [BY_EXPIRY, "SET k v PX 10", "EXISTS k"],
  ];
  for (const [cause, before, command] of rows) {
    for (const [allowed, expected] of [
      [false, "DEL k"],
      [true, "UNLINK k"],
    ] as const) {
      isLazy.fill(!allowed);
      isLazy[cause] = allowed;
      runner.run(...wordsOf(before));
      follower.follow();
      now += 20;
      runner.run(...wordsOf(command));
      assert.deepEqual(follower.follow(), [expected], command);
      assert.deepEqual(follower.differences(), [], command);
    }
  }
});

test("RESTORE logs its bytes with an absolute time to live", () => {
  const { runner, follower } = leader();
  for (const [command, effects] of RESTORES) {
    runner.run("FLUSHALL");
    runner.run("SET", "k", "v");
    const reply = runner.run("DUMP", "k");
    const dump = Buffer.from(reply.slice(reply.indexOf("\n") + 1, -2), "latin1");
    follower.follow();
    const words = command.split(" ").map((word) => (word === "%" ? dump : word));
    assert.equal(runner.run(...words), "+OK\r\n", command);
    const shown = follower.follow().map((line) => line.replace(dump.toString("latin1"), "%"));
    assert.deepEqual(shown, effects === "-" ? [] : [effects === "" ? command : effects], command);
    assert.deepEqual(follower.differences(), []);
  }
});

test("every command that may change data states how it is replayed, and is tried above", () => {
  const tried = new Map<string, boolean[]>();
  const note = (command: string, effects: readonly string[]): void => {
    if (effects.length === 0) return;
    const name = command.split(" ", 1)[0]!;
    tried.set(name, [...(tried.get(name) ?? []), effects.length === 1 && effects[0] === command]);
  };
  for (const { command, effects } of rows()) note(command, effects);
  for (const [command, effects] of RESTORES) if (effects !== "-") note(command, [effects === "" ? command : effects]);
  const changing = allCommands.filter(({ mayChange, group }) => mayChange && group !== "pubsub");
  assert.ok(changing.length > 80);
  for (const { name, isRewritten, subcommands } of changing) {
    assert.equal(subcommands, undefined, `${name}: subcommands are to be tried as well`);
    const asItCame = tried.get(name) ?? [];
    assert.ok(asItCame.length > 0, `${name} is not tried`);
    if (!isRewritten) assert.ok(asItCame.every(Boolean), `${name} is declared as-is, and is not`);
  }
});

test("many popped, expired or sorted elements are several commands of one unit", () => {
  const { runner, follower } = leader();
  const members = Array.from({ length: 3000 }, (_, index) => `m${index}`);
  const lengths = (): number[] => follower.follow().map((line) => line.split(" ").length);
  runner.run("SADD", "s", ...members);
  runner.run("HSET", "h", ...members.flatMap((member) => [member, "1"]));
  follower.follow();
  runner.run("SPOP", "s", "2500");
  assert.deepEqual(lengths(), [1, 1026, 1026, 454, 1]);
  runner.run("HEXPIRE", "h", "0", "FIELDS", "2500", ...members.slice(0, 2500));
  assert.deepEqual(lengths(), [1, 1026, 1026, 454, 1]);
  runner.run("SADD", "s", ...members);
  runner.run("SORT", "s", "BY", "w_*", "ALPHA", "STORE", "d");
  follower.follow();
  assert.deepEqual(follower.differences(), []);
});
