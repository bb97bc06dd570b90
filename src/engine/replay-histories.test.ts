/**
 * Random histories of all families of commands, replayed command by command: after each, both keyspaces hold the same,
 * though they have other seeds, other regions, and other clocks.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { allCommands } from "../commands/all-commands.ts";
import { drawEpisode } from "../differential/episode.ts";
import { families } from "../differential/run.ts";
import { command, type Family, often, oneOf, optional, repeated, sequence, someOf } from "../differential/shape.ts";
import { key, value } from "../differential/words.ts";
import { CommandRunner } from "../testing/commands.ts";
import { Follower } from "../testing/effects.ts";
import { Random, seedOfRun } from "../testing/random.ts";
import type { Argument } from "../testing/resp-frame.ts";

const seed = seedOfRun();
const START = Date.UTC(2025, 0, 1);
const EPISODE = 200;
/** They hold no data, or do what a runner cannot. */
const WITHOUT_DATA = ["connection", "server"];

const short = oneOf("0", "1", "5", "20", "60", "-1");
const shortMs = oneOf("1", "900", "5000", "20000");
const fields = oneOf(sequence("FIELDS", "1", "a"), sequence("FIELDS", "3", "a", "b", "c"));
const condition = optional(oneOf("NX", "XX", "GT", "LT"));
/** Makes a hash a table. */
const LONG = "x".repeat(80);
const element = oneOf("a", "b", "c", "1", "2", "300", value);

/** Of what ends soon, so that it ends at every point of a history; and what is decided by chance. */
const times: Family = {
  name: "times",
  prologue: [],
  commands: [
    often(4, command("SET", key, oneOf("1", "x", "1.5"), someOf(sequence("EX", oneOf("5", "20")), "GET", "NX"))),
    often(2, command("SETEX", key, oneOf("5", "60"), "7")),
    often(2, command("PSETEX", key, shortMs, "x")),
    often(3, command("GETEX", key, oneOf(sequence("PX", shortMs), "PERSIST", sequence("EXAT", "1735689620")))),
    often(4, command("EXPIRE", key, short, condition)),
    often(4, command("PEXPIRE", key, shortMs, condition)),
    often(8, command("HSET", key, repeated(sequence(oneOf("a", "b", "c"), oneOf("1", "2.5", "x", LONG)), 1, 3))),
    often(8, command("HEXPIRE", key, short, condition, fields)),
    often(8, command("HPEXPIRE", key, shortMs, condition, fields)),
    often(3, command("HPERSIST", key, fields)),
    often(3, command("HINCRBYFLOAT", key, oneOf("a", "b"), "0.1")),
    often(3, command("HINCRBY", key, oneOf("a", "b"), "2")),
    often(2, command("HSETNX", key, oneOf("a", "b"), "2")),
    often(2, command("HDEL", key, oneOf("a", "b"))),
    often(2, command("HGETALL", key)),
    often(2, command("HRANDFIELD", key)),
    often(2, command("HSCAN", key, "0")),
    often(2, command("GET", key)),
    often(3, command("INCRBYFLOAT", key, "0.1")),
    often(3, command("INCR", key)),
    often(2, command("GETDEL", key)),
    often(4, command("SADD", key, repeated(element, 1, 8))),
    often(6, command("SPOP", key, optional(oneOf("0", "1", "2", "5", "100")))),
    often(2, command("RPUSH", key, repeated(element, 1, 3))),
    often(2, command("SORT", key, sequence("BY", "w_*"), "ALPHA", sequence("STORE", key))),
    often(3, command("COPY", key, key, someOf("REPLACE", sequence("DB", "1")))),
    often(3, command("MOVE", key, oneOf("0", "1"))),
    often(3, command("SELECT", oneOf("0", "1"))),
    often(2, command("RENAME", key, key)),
    command("SWAPDB", "0", "1"),
    command("PERSIST", key),
    command("DEL", key),
    command("RANDOMKEY"),
    command("SCAN", "0"),
  ],
};

interface Circumstances {
  /** Commands after which everything is compared: each, unless there is much to compare. */
  readonly compareEvery?: number;
  /** Bytes of each of the two regions. */
  readonly regionSize?: number;
  readonly maxmemory?: string;
  readonly policy?: string;
}

/** What has come up, so that a test that has seen nothing of what it is for fails. */
interface Seen {
  commands: number;
  effects: number;
  expired: number;
  evicted: number;
  refused: number;
}

/** Plays a history, and replays it as it goes. */
class History {
  readonly #random: Random;
  readonly #runner: CommandRunner;
  readonly #follower: Follower;
  readonly #seen: Seen;
  readonly #compareEvery: number;
  #now = START;

  constructor(stream: number, seen: Seen, { regionSize, maxmemory, policy, compareEvery }: Circumstances) {
    this.#compareEvery = compareEvery ?? 1;
    this.#random = new Random(seed, stream);
    this.#seen = seen;
    const directives = { ...(maxmemory && { maxmemory }), ...(policy && { "maxmemory-policy": policy }) };
    const size = regionSize ?? 1 << 22;
    const keyspace = { shards: 2, regionSize: size, seed: [1, 2] as const, now: () => this.#now };
    this.#runner = new CommandRunner(allCommands, { ...keyspace, directives });
    this.#follower = new Follower(this.#runner, START + 10 * 365 * 86_400_000);
  }

  play(commands: Iterable<readonly Argument[]>): void {
    for (const words of commands) {
      const reply = this.#runner.run(...words);
      if (reply.startsWith("-OOM")) this.#seen.refused += 1;
      this.#check(words);
      if (this.#random.chance(0.1)) this.#wait();
    }
    const { expiredKeys, expiredFields, evictedKeys } = this.#runner.keyspace;
    this.#seen.expired += expiredKeys + expiredFields;
    this.#seen.evicted += evictedKeys;
    this.#runner.verify();
    this.#follower.runner.verify();
  }

  /** Time passes, and the store may look after itself. */
  #wait(): void {
    this.#now += this.#random.pick([1, 500, 3000, 15_000]);
    if (this.#random.chance(0.5)) return;
    this.#runner.keyspace.expireDue(10);
    this.#runner.engine.memory.work(1);
    this.#check(["a slice of housekeeping"]);
  }

  #check(words: readonly Argument[]): void {
    const shown = words.map(String).join(" ");
    try {
      this.#seen.effects += this.#follower.follow().length;
    } catch (error) {
      assert.fail(`seed ${seed}: after ${shown}: ${(error as Error).message}`);
    }
    this.#seen.commands += 1;
    if (this.#seen.commands % this.#compareEvery !== 0) return;
    const different = this.#follower.differences();
    assert.deepEqual(different, [], `seed ${seed}: databases ${different} differ after ${shown}`);
  }
}

const nothing = (): Seen => ({ commands: 0, effects: 0, expired: 0, evicted: 0, refused: 0 });

function episodes(family: Family, count: number, seen: Seen, circumstances: Circumstances = {}): void {
  for (let number = 0; number < count; number++) {
    const words = drawEpisode({ family, protocol: 2, seed, number, commandCount: EPISODE });
    new History(number, seen, circumstances).play([...family.prologue, ...words]);
  }
}

for (const family of families.filter(({ name }) => !WITHOUT_DATA.includes(name))) {
  test(`${family.name}: what is logged does the same again`, (context) => {
    context.diagnostic(`seed ${seed}`);
    const seen = nothing();
    episodes(family, 2, seen);
    assert.ok(seen.effects > EPISODE / 10, `only ${seen.effects} effects`);
  });
}

test("what expires in between, and what chance decides", (context) => {
  context.diagnostic(`seed ${seed}`);
  const seen = nothing();
  episodes(times, 12, seen);
  assert.ok(seen.expired > 25, `only ${seen.expired} have expired`);
});

test("what is evicted, or has no room", (context) => {
  context.diagnostic(`seed ${seed}`);
  const seen = nothing();
  const large = oneOf(value, "x".repeat(300), "y".repeat(3000), "z".repeat(30_000));
  const numbered = (random: Random) => [`k${random.below(300)}`];
  const filling: Family = {
    name: "filling",
    prologue: [],
    commands: [
      often(10, command("SET", numbered, large, optional(sequence("PX", shortMs)))),
      often(4, command("APPEND", numbered, large)),
      often(4, command("MSET", repeated(sequence(numbered, large), 1, 6))),
      often(4, command("RPUSH", numbered, repeated(large, 1, 4))),
      often(4, command("HSET", numbered, repeated(sequence(large, large), 1, 3))),
      often(3, command("SADD", numbered, repeated(large, 1, 4))),
      often(3, command("ZADD", numbered, repeated(sequence("1", large), 1, 3))),
      often(3, command("SUNIONSTORE", numbered, numbered, numbered)),
      often(3, command("COPY", numbered, numbered, "REPLACE")),
      often(2, command("HEXPIRE", numbered, "20", "FIELDS", "1", large)),
      often(2, command("SMOVE", numbered, numbered, large)),
      often(2, command("LMOVE", numbered, numbered, "LEFT", "RIGHT")),
      often(2, command("SPOP", numbered)),
      often(2, command("SETRANGE", numbered, "9000", "x")),
    ],
  };
  for (const policy of ["allkeys-lru", "volatile-ttl", "allkeys-random", "noeviction"]) {
    episodes(filling, 1, seen, { maxmemory: "600kb", policy, compareEvery: 10 });
    episodes(filling, 1, seen, { regionSize: 1 << 19, policy, compareEvery: 10 });
  }
  assert.ok(seen.evicted > 20, `only ${seen.evicted} were evicted`);
  assert.ok(seen.refused > 20, `only ${seen.refused} were refused`);
});
