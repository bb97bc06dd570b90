import assert from "node:assert/strict";
import { test } from "node:test";
import { allCommands } from "../commands/all-commands.ts";
import { keyspaceEvents } from "../config/keyspace-events.ts";
import { digestOf } from "../keyspace/live-digest.ts";
import { CommandRunner } from "../testing/commands.ts";
import { Follower } from "../testing/effects.ts";

const NOW = 1_700_000_000_000;

function follower(): { follower: Follower; runner: CommandRunner; say(line: string): string | undefined } {
  const follower = new Follower(new CommandRunner(allCommands), NOW);
  const say = (line: string) => follower.execute(line.split(" ").map((word) => Buffer.from(word)));
  return { follower, runner: follower.runner, say };
}

test("commands are executed as they come, units when they are complete", () => {
  const { follower: subject, runner, say } = follower();
  assert.equal(say("SELECT 3"), undefined);
  assert.equal(say("SET a 1"), undefined);
  assert.equal(say("multi"), undefined);
  assert.equal(say("INCR a"), undefined);
  assert.equal(say("SELECT 4"), undefined);
  assert.equal(say("SET b x"), undefined);
  runner.run("SELECT", "3");
  assert.equal(runner.run("GET", "a"), "$1\r\n1\r\n", "not before EXEC");
  assert.ok(subject.replayer.isInUnit);
  assert.equal(say("EXEC"), undefined);
  assert.ok(!subject.replayer.isInUnit);
  assert.equal(runner.run("GET", "a"), "$1\r\n2\r\n");
  assert.equal(runner.keyspace.databases[4]!.count, 1);
  assert.equal(subject.replayer.database.index, 4);
  assert.equal(subject.replayer.executed, 5);
  subject.replayer.beginFile();
  assert.equal(say("SET c 1"), undefined);
  assert.equal(runner.keyspace.databases[0]!.count, 1, "a new file begins with database 0");
});

test("a unit without EXEC has never been", () => {
  const { follower: subject, runner, say } = follower();
  say("SET a 1");
  say("MULTI");
  say("DEL a");
  say("FLUSHALL");
  assert.equal(subject.replayer.finish(), 2);
  assert.equal(runner.run("GET", "a"), "$1\r\n1\r\n");
  assert.equal(subject.replayer.finish(), 0);
  assert.equal(say("EXEC"), "ERR EXEC without MULTI");
});

test("what a log should not hold is an error, in its words", () => {
  const { runner, say } = follower();
  const digest = () => digestOf(runner.keyspace.databases[0]!);
  say("RPUSH l a");
  const before = digest();
  for (const [line, error] of [
    ["FROBNICATE a b", "ERR unknown command 'FROBNICATE', with args beginning with: 'a' 'b' "],
    ["SET a", "ERR wrong number of arguments for 'set' command"],
    ["SET a b c", "ERR syntax error"],
    ["INCR l", "WRONGTYPE Operation against a key holding the wrong kind of value"],
    ["LSET nokey 0 x", "ERR no such key"],
    ["SELECT 99", "ERR DB index is out of range"],
    ["SHUTDOWN NOSAVE", "ERR 'shutdown' has no place in a log"],
    ["CONFIG SET maxmemory 1", "ERR 'config|set' has no place in a log"],
    ["CONFIG WASH", "ERR unknown subcommand 'WASH'. Try CONFIG HELP."],
    ["AUTH x", "ERR 'auth' has no place in a log"],
  ]) {
    assert.equal(say(line!), error);
    assert.equal(say("MULTI"), undefined);
    assert.equal(say("MULTI"), "ERR MULTI calls can not be nested");
    assert.equal(say(line!), undefined);
    assert.equal(say("EXEC"), error, "and within a unit, once it is executed");
  }
  assert.equal(digest(), before);
  assert.equal(say("GET l"), "WRONGTYPE Operation against a key holding the wrong kind of value");
  assert.equal(say("LRANGE l 0 -1"), undefined, "reading does no harm");
});

test("nobody is told, nothing is counted, no limit and no password matters", () => {
  const { runner, say } = follower();
  const { keyspace, services } = runner;
  const events: string[] = [];
  keyspace.eventTypes = keyspaceEvents.string | keyspaceEvents.generic | keyspaceEvents.keyMiss;
  keyspace.onEvent = (_type, event) => events.push(event);
  const lines: Buffer[] = [];
  runner.engine.monitors.add({ send: (line) => lines.push(line) });
  runner.engine.memory.bytes = 1;
  keyspace.evictor.policy = "allkeys-random";
  runner.effects.areKept = true;
  runner.configuration.initialize("proto-max-bulk-len", ["1mb"]);
  assert.equal(say("SET a 1"), undefined);
  assert.equal(say("GETDEL nokey"), undefined);
  assert.equal(say(`SETRANGE a ${1 << 20} x`), undefined, "what was allowed once is allowed");
  assert.equal(say(`SETBIT b ${(1 << 23) + 8} 1`), undefined);
  assert.deepEqual([events, lines, keyspace.hits, keyspace.misses], [[], [], 0, 0]);
  runner.engine.memory.work(10);
  assert.ok(runner.engine.memory.admit());
  assert.equal(keyspace.evictedKeys, 0);
  assert.equal(services.statistics.totalCommands, 0);
  assert.equal(runner.effects.length, 0);
  assert.notEqual(keyspace.eventTypes, 0, "afterwards it is as before");
});

test("while a log is loaded nothing expires; afterwards, what has does", () => {
  const { runner, say } = follower();
  const { keyspace } = runner;
  say(`SET a 1 PXAT ${NOW - 1000}`);
  say("PEXPIREAT a 1");
  say("INCR a");
  say(`SET b 1 PXAT ${NOW + 1000}`);
  say("SET d 1");
  say("PEXPIREAT d -1");
  say("SET c 1");
  say("PEXPIREAT c -5");
  say("GETEX c PXAT 5");
  say("HSET h a 1 b 2 c 3");
  say("HPEXPIREAT h 0 FIELDS 1 a");
  say(`HPEXPIREAT h ${NOW - 1} FIELDS 1 b`);
  say("HINCRBY h b 5");
  say("EXPIRE h 100");
  assert.equal(keyspace.expireDue(100), false);
  assert.equal(runner.run("DBSIZE"), ":5\r\n");
  assert.equal(runner.run("PEXPIRETIME", "d"), ":1\r\n", "not what stands for no deadline");
  assert.equal(runner.run("GET", "a"), "$1\r\n2\r\n");
  assert.equal(runner.run("HGETALL", "h").split("\r\n")[0], "*6");
  assert.equal(runner.run("PEXPIRETIME", "h"), `:${NOW + 100_000}\r\n`, "of another program's log: from now on");
  keyspace.verify();
  keyspace.isLoading = false;
  runner.effects.areKept = true;
  assert.equal(runner.run("GET", "a"), "$-1\r\n");
  assert.equal(runner.run("HGET", "h", "b"), "$-1\r\n");
  while (keyspace.expireDue(100));
  assert.equal(runner.run("DBSIZE"), ":2\r\n");
  assert.equal(runner.run("HGETALL", "h"), "*2\r\n$1\r\nc\r\n$1\r\n3\r\n");
  keyspace.verify();
  assert.ok(runner.effects.length > 0);
});
