/**
 * Kills a server under load at random moments, and looks at what is left: round after round, in chains of up to twenty
 * restarts on the same files, under `appendfsync always` and `everysec`, while it rewrites its log, saves, or switches
 * its log off and on, and while it loads; in some rounds while keys are evicted, or expire, in crowds (crash-crowd.ts).
 * Bases of the log are RDBs or commands, as each start is told.
 *
 *     start ─ (killed while loading, start) ─ check ─ write ──────────────┬─ kill
 *                                                     some work begins ───┘ 0 to 300 ms, mostly few
 */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CrashCrowd, type Pressure } from "./crash-crowd.ts";
import { CrashLane } from "./crash-lane.ts";
import { CRASH_KINDS, type CrashKind } from "./crash-operations.ts";
import { CrashServer } from "./crash-server.ts";
import { Random } from "./random.ts";
import { ReplyMissing, type RespClient } from "./resp-client.ts";
import { decode } from "./resp-frame.ts";
import { freePort } from "./servers.ts";
import { until } from "./sockets.ts";

/** What the server is at when it is killed. */
const WORKS = ["nothing", "rewrite", "rewrite", "save", "save and rewrite", "switch off", "switch off and on"] as const;
type Work = (typeof WORKS)[number];

/** What the data is under meanwhile. */
const PRESSURES = ["nothing", "eviction", "expiry"] as const satisfies readonly (Pressure | "nothing")[];
type RoundPressure = (typeof PRESSURES)[number];

/** What happened, so that a check of nothing can be told. */
export interface CrashFigures {
  readonly rounds: number;
  readonly chains: number;
  readonly killedWhile: Readonly<Record<Work, number>>;
  readonly killedLoading: number;
  readonly restartsUnder: Readonly<Record<Policy, number>>;
  readonly killedUnder: Readonly<Record<RoundPressure, number>>;
  /** Starts that read a base of commands. */
  readonly basesOfCommands: number;
  /** Keys of the crowd: promised and found; known to be gone, and not back. */
  readonly crowd: { readonly kept: number; readonly evicted: number; readonly expired: number };
  /** Promised operations that were found. */
  readonly found: Readonly<Record<CrashKind, number>>;
}

const POLICIES = ["always", "everysec"] as const;
type Policy = (typeof POLICIES)[number];

const LANES = 4;
const LANE_DATABASES = 3;
const BATCH_MAX = 12;
const CHAIN_MIN = 3;
const CHAIN_MAX = 20;
const WRITE_MS_MAX = 150;
const KILL_MS_MAX = 300;
const LOADING_MS_MAX = 300;
/** Keys that never change, so that loading and saving take some time. */
const FILLER_DATABASE = 9;
const FILLER_KEYS = 5_000;
const FILLER_PER_COMMAND = 100;
const FILLER_SAMPLE = 200;
const SHOWN_ROUNDS = 4;
const FIRST_WRITES = 100;
const CROWD_DATABASE = 8;
/** Only keys with deadlines may be evicted: the others are promised. */
const EVICTION_POLICIES = ["volatile-ttl", "volatile-random", "volatile-lru", "volatile-lfu"] as const;
/** Bytes beyond what the store has at first, before keys are evicted. */
const EVICTION_ROOM = 2 ** 19;
const ROOM = 64 * 2 ** 20;

class Chain {
  readonly #random: Random;
  readonly #port: number;
  readonly #directory = mkdtempSync(join(tmpdir(), "stillwater-crash-"));
  readonly lanes: readonly CrashLane[];
  #server: CrashServer | undefined;
  #isKilled = false;
  /** Of the last rounds, newest last: where to look for what a check finds. */
  #history: string[] = [];
  readonly crowd: CrashCrowd;
  killedLoading = 0;
  basesOfCommands = 0;
  /** What the store has without lanes and crowd, in bytes. */
  #usedBytes = 0;
  /** Whether keys have been evicted since the last check. */
  #mayEvict = false;

  constructor(random: Random, port: number) {
    this.#random = random;
    this.#port = port;
    this.crowd = new CrashCrowd(random);
    this.lanes = Array.from({ length: LANES }, (_, index) => new CrashLane(`lane${index}`, random));
  }

  /** First start: fills in what never changes. @param asCommands whether to begin with a base of commands */
  async begin(asCommands: boolean): Promise<void> {
    this.#server = this.#start("always");
    const client = await this.#server.ready();
    await client.command("SELECT", FILLER_DATABASE);
    for (let from = 0; from < FILLER_KEYS; from += FILLER_PER_COMMAND) {
      const keys = Array.from({ length: FILLER_PER_COMMAND }, (_, index) => from + index);
      const reply = await client.command("MSET", ...keys.flatMap((key) => [`filler:${key}`, fillerValue(key)]));
      assert.equal(reply.toString(), "+OK\r\n");
    }
    if (asCommands) {
      await this.#writeSome(client);
      await client.command("CONFIG", "SET", "aof-use-rdb-preamble", "no");
      await until("a base can be written", async () => {
        return (await client.command("BGREWRITEAOF")).toString().startsWith("+Background");
      });
      await until("the base is written", () => this.#hasBaseOfCommands());
    }
    const info = (await client.command("INFO", "memory")).toString();
    this.#usedBytes = Number(/\r\nused_memory:(\d+)\r\n/.exec(info)![1]);
    await client.close();
    await this.#server.kill();
  }

  /** Something of every kind, so that a base that is written now holds all of them. */
  async #writeSome(client: RespClient): Promise<void> {
    for (const [index, lane] of this.lanes.entries()) {
      await client.command("SELECT", index % LANE_DATABASES);
      lane.answered(await client.pipeline(lane.next(FIRST_WRITES)));
    }
    await client.command("SELECT", CROWD_DATABASE);
    this.crowd.answered(await client.pipeline(this.crowd.next("eviction")), false);
  }

  /** One restart, a check, and another crash. */
  async round(policy: Policy, work: Work, pressure: RoundPressure): Promise<void> {
    const server = await this.#restart(policy);
    const control = await server.ready();
    await this.#check(control, server);
    this.#history = [...this.#history.slice(1 - SHOWN_ROUNDS), `${work} under ${policy} and ${pressure}`];
    this.#isKilled = false;
    const writing = this.lanes.map((lane, index) => this.#write(lane, index, server));
    if (pressure !== "nothing") writing.push(this.#press(pressure, control, server));
    // A wrong answer ends a writer early; it is told below, when all have ended.
    for (const writer of writing) writer.catch(() => undefined);
    await sleep(this.#random.below(WRITE_MS_MAX));
    const working = this.#work(work, control).catch((error: unknown) => {
      if (!this.#isKilled) throw error;
    });
    working.catch(() => undefined);
    await sleep(KILL_MS_MAX * (this.#random.below(1000) / 1000) ** 2);
    this.#isKilled = true;
    await server.kill();
    await working;
    await Promise.all(writing);
  }

  /** An orderly end, what the next start finds, and whether nothing lies about that no manifest names. */
  async end(): Promise<void> {
    const server = await this.#restart("everysec");
    const control = await server.ready();
    await this.#check(control, server);
    await control.close();
    assert.equal(await server.stop(), 0, `stopped by SIGTERM:\n${server.output}`);
    this.#server = this.#start("everysec");
    const again = await this.#server.ready();
    await this.#check(again, this.#server);
    await until("files that no manifest names are deleted", () => this.#leftovers().length === 0);
    await again.close();
    assert.equal(await this.#server.stop(), 0, `stopped by SIGTERM:\n${this.#server.output}`);
  }

  /** Ends what runs and removes the files. */
  async remove(): Promise<void> {
    await this.#server?.kill();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #restart(policy: Policy): Promise<CrashServer> {
    while (this.#random.chance(0.2)) {
      const loading = this.#start(policy);
      await sleep(this.#random.below(LOADING_MS_MAX));
      await loading.kill();
      this.killedLoading += 1;
    }
    if (this.#hasBaseOfCommands()) this.basesOfCommands += 1;
    this.#server = this.#start(policy);
    return this.#server;
  }

  #start(policy: Policy): CrashServer {
    const random = this.#random;
    const rewrites = random.chance(0.3)
      ? ["--auto-aof-rewrite-percentage", "10", "--auto-aof-rewrite-min-size", "16kb"]
      : ["--auto-aof-rewrite-percentage", "0"];
    const log = ["--appendonly", "yes", "--appendfsync", policy];
    const bases = ["--aof-use-rdb-preamble", random.chance(0.5) ? "yes" : "no"];
    const saving = ["--save", random.chance(0.3) ? "1 1" : ""];
    const args = ["--dir", this.#directory, "--maxmemory", `${ROOM}`];
    return new CrashServer(this.#port, [...args, ...log, ...bases, ...rewrites, ...saving]);
  }

  async #check(client: RespClient, server: CrashServer): Promise<void> {
    try {
      for (const [index, lane] of this.lanes.entries()) {
        await client.command("SELECT", index % LANE_DATABASES);
        const begunAt = Date.now();
        const replies = await client.pipeline(lane.readers);
        const found = replies.map((reply) => decode(reply));
        lane.settle({ replies: found, begunAt, endedAt: Date.now(), mayEvict: this.#mayEvict });
      }
      await this.#checkCrowd(client);
      this.#mayEvict = false;
      await this.#checkFiller(client);
      assert.equal((await client.command("DEBUG", "VERIFY")).toString(), "+OK\r\n");
    } catch (error) {
      const before = this.#history.join(", ");
      throw withOutput(
        new Error(`after kills during ${before}: ${(error as Error).message}`, { cause: error }),
        server,
      );
    }
  }

  async #checkCrowd(client: RespClient): Promise<void> {
    await client.command("SELECT", CROWD_DATABASE);
    const begunAt = Date.now();
    const names = decode(await client.command("KEYS", "*")) as string[];
    const values = names.length === 0 ? [] : (decode(await client.command("MGET", ...names)) as string[]);
    this.crowd.settle({ names, values, begunAt, endedAt: Date.now(), mayEvict: this.#mayEvict });
  }

  async #checkFiller(client: RespClient): Promise<void> {
    await client.command("SELECT", FILLER_DATABASE);
    assert.equal((await client.command("DBSIZE")).toString(), `:${FILLER_KEYS}\r\n`);
    const sample = Array.from({ length: FILLER_SAMPLE }, () => this.#random.below(FILLER_KEYS));
    const values = decode(await client.command("MGET", ...sample.map((key) => `filler:${key}`)));
    assert.deepEqual(values, sample.map(fillerValue));
  }

  /** Writes into a lane until the server is killed. */
  async #write(lane: CrashLane, index: number, server: CrashServer): Promise<void> {
    const client = await server.client();
    try {
      await client.command("SELECT", index % LANE_DATABASES);
      for (;;) lane.answered(await client.pipeline(lane.next(this.#random.between(1, BATCH_MAX))));
    } catch (error) {
      if (!(error instanceof ReplyMissing && this.#isKilled)) throw withOutput(error, server);
      lane.answered(error.received);
    } finally {
      await client.close();
    }
  }

  /** Writes into the crowd until the server is killed; with eviction, there is little room. */
  async #press(pressure: Pressure, control: RespClient, server: CrashServer): Promise<void> {
    const { crowd } = this;
    const mayEvict = pressure === "eviction";
    const client = await server.client();
    try {
      await client.command("SELECT", CROWD_DATABASE);
      if (mayEvict) {
        this.#mayEvict = true;
        const policy = this.#random.pick(EVICTION_POLICIES);
        const limit = Math.ceil(this.#usedBytes + EVICTION_ROOM);
        const reply = await control.command("CONFIG", "SET", "maxmemory-policy", policy, "maxmemory", limit);
        assert.equal(reply.toString(), "+OK\r\n");
      }
      for (;;) crowd.answered(await client.pipeline(crowd.next(pressure)), mayEvict);
    } catch (error) {
      if (!(error instanceof ReplyMissing && this.#isKilled)) throw withOutput(error, server);
      crowd.answered(error.received, mayEvict);
    } finally {
      await client.close();
    }
  }

  async #work(work: Work, control: RespClient): Promise<void> {
    if (work === "save" || work === "save and rewrite") await control.command("BGSAVE");
    if (work === "rewrite" || work === "save and rewrite") await control.command("BGREWRITEAOF");
    if (work !== "switch off" && work !== "switch off and on") return;
    for (const lane of [...this.lanes, this.crowd]) lane.suspendPromises();
    await control.command("CONFIG", "SET", "appendonly", "no");
    if (work === "switch off") return;
    await sleep(this.#random.below(30));
    const reply = await control.command("CONFIG", "SET", "appendonly", "yes");
    assert.equal(reply.toString(), "+OK\r\n");
    await until("the log is on again", async () => {
      const info = (await control.command("INFO", "persistence")).toString();
      assert.match(info, /\r\naof_last_bgrewrite_status:ok\r\n/);
      return (
        /\r\naof_enabled:1\r\n/.test(info) && /\r\naof_rewrite_in_progress:0\r\naof_rewrite_scheduled:0/.test(info)
      );
    });
    if (!this.#isKilled) for (const lane of [...this.lanes, this.crowd]) lane.resumePromises();
  }

  #hasBaseOfCommands(): boolean {
    return /^file \S+\.base\.aof /m.test(this.#manifest());
  }

  #manifest(): string {
    return readFileSync(join(this.#directory, "appendonlydir", "appendonly.aof.manifest"), "utf8");
  }

  #leftovers(): string[] {
    const directory = join(this.#directory, "appendonlydir");
    const named = [...this.#manifest().matchAll(/^file (\S+) /gm)].map(([, name]) => name);
    return readdirSync(directory).filter(
      (name) => !named.includes(name) && !name.endsWith(".manifest") && !name.includes(".torn-"),
    );
  }
}

function fillerValue(key: number): string {
  return `${key}:`.padEnd(64, "filler ");
}

function withOutput(error: unknown, server: CrashServer): Error {
  return new Error(`${(error as Error).message}\nThe server said:\n${server.output}`, { cause: error });
}

/** @throws AssertionError if no base of commands was read, or no key was seen to be kept, evicted and expired */
export function assertPressed({ killedUnder, basesOfCommands, crowd }: CrashFigures): void {
  for (const pressure of PRESSURES) assert(killedUnder[pressure] > 0, `it was never killed under ${pressure}`);
  assert(basesOfCommands > 0, "no base of commands was ever read");
  for (const what of ["kept", "evicted", "expired"] as const) assert(crowd[what] > 0, `no key was ever ${what}`);
}

/**
 * Runs that many rounds.
 * @throws Error where something that was acknowledged is missing, or there twice, or in part
 */
export async function crashRounds(seed: number, rounds: number): Promise<CrashFigures> {
  const random = new Random(seed);
  const port = await freePort();
  const count = <Name extends string>(names: readonly Name[]) =>
    Object.fromEntries(names.map((name) => [name, 0])) as Record<Name, number>;
  const [killedWhile, restartsUnder, found] = [count(WORKS), count(POLICIES), count(CRASH_KINDS)];
  const [killedUnder, crowd] = [count(PRESSURES), { kept: 0, evicted: 0, expired: 0 }];
  let [chains, killedLoading, basesOfCommands, round] = [0, 0, 0, 0];
  let works: Work[] = [];
  let pressures: RoundPressure[] = [];
  while (round < rounds) {
    const chain = new Chain(random, port);
    chains += 1;
    try {
      await chain.begin(chains % 2 === 1);
      for (const last = Math.min(rounds, round + random.between(CHAIN_MIN, CHAIN_MAX)); round < last; round += 1) {
        const policy = POLICIES[round % 2]!;
        if (works.length === 0) works = random.shuffled(WORKS);
        const work = works.pop()!;
        if (pressures.length === 0) pressures = random.shuffled(PRESSURES);
        const pressure = pressures.pop()!;
        await chain.round(policy, work, pressure).catch((error: Error) => {
          const where = `seed ${seed}, chain ${chains}, round ${round}, ${work} under ${policy} and ${pressure}`;
          throw new Error(`${where}: ${error.message}`, { cause: error });
        });
        killedWhile[work] += 1;
        restartsUnder[policy] += 1;
        killedUnder[pressure] += 1;
      }
      await chain.end();
    } finally {
      await chain.remove();
    }
    killedLoading += chain.killedLoading;
    basesOfCommands += chain.basesOfCommands;
    for (const what of ["kept", "evicted", "expired"] as const) crowd[what] += chain.crowd[what];
    for (const lane of chain.lanes) for (const [kind, times] of lane.found) found[kind] += times;
  }
  return {
    rounds: round,
    chains,
    killedWhile,
    killedLoading,
    restartsUnder,
    killedUnder,
    basesOfCommands,
    crowd,
    found,
  };
}
