/**
 * Any history with eviction on, and with deadlines, against a naive twin. The twin does not know which keys are
 * evicted, and need not: what is there must be what the twin has, what is gone must have been said to be gone, as an
 * event, and memory must be within its limit.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { allCommands } from "../commands/all-commands.ts";
import { EVICTION_POLICIES } from "../config/eviction-policies.ts";
import { keyspaceEvents } from "../config/keyspace-events.ts";
import { CommandRunner } from "../testing/commands.ts";
import { Random, seedOfRun } from "../testing/random.ts";

const LIMIT = 192 * 1024;
const START = 1_700_000_000_000;

interface Twin {
  value: string;
  /** Milliseconds since 1970, or infinity. */
  deadline: number;
}

const KEYS = 400;
const KINDS = ["set", "set", "setex", "setex", "append", "get", "del", "expire", "persist", "rename", "pass"] as const;
type Kind = (typeof KINDS)[number];

const firstSeed = seedOfRun();

for (const policy of EVICTION_POLICIES) {
  test(`${policy}: what is left after any history is right, and all that is gone was said to go`, (context) => {
    context.diagnostic(`seed ${firstSeed}`);
    for (let seed = firstSeed; seed < firstSeed + 8; seed++) new History(policy).run(new Random(seed), 1500);
  });
}

class History {
  readonly #twins = new Map<string, Twin>();
  readonly #runner: CommandRunner;
  readonly #mayEvict: boolean;
  readonly #volatileOnly: boolean;
  #now = START;
  #evicted = 0;
  #largest = 0;

  constructor(policy: string) {
    const directives = { "maxmemory-policy": policy, "maxmemory-eviction-tenacity": "100" };
    this.#mayEvict = policy !== "noeviction";
    this.#volatileOnly = policy.startsWith("volatile");
    this.#runner = new CommandRunner(allCommands, { directives, shards: 2, regionSize: 2 ** 20, now: () => this.#now });
    this.#runner.engine.memory.bytes = LIMIT;
    const { keyspace } = this.#runner;
    keyspace.eventTypes = keyspaceEvents.expired | keyspaceEvents.evicted;
    keyspace.onEvent = (type, event, database, bytes, start, length) => {
      this.#onEvent(type, event, database, bytes.latin1Slice(start, start + length));
    };
  }

  run(random: Random, steps: number): void {
    for (let step = 0; step < steps; step++) {
      const size = random.below(random.chance(0.2) ? 5000 : 300);
      this.#largest = Math.max(this.#largest, size);
      const [name, other] = [`key:${random.below(KEYS)}`, `key:${random.below(KEYS)}`];
      this.#do(random.pick(KINDS), name, other, "v".repeat(size), random.between(1, 300));
      const { chargedBytes } = this.#runner.keyspace;
      if (this.#mayEvict && !this.#volatileOnly) assert.ok(chargedBytes <= LIMIT + 4 * this.#largest + 20_000);
      if (step % 100 === 0) this.#runner.verify();
    }
    this.#runner.verify();
    for (let key = 0; key < KEYS; key++) this.#compare(`key:${key}`);
    assert.equal(this.#runner.keyspace.evictedKeys, this.#evicted);
    if (!this.#mayEvict) assert.equal(this.#evicted, 0);
  }

  #onEvent(type: number, event: string, database: number, name: string): void {
    const twin = this.#twins.get(name);
    assert.equal(database, 0);
    assert.ok(twin !== undefined, `${event} of ${name}, which there was not`);
    if (type === keyspaceEvents.evicted) {
      this.#evicted += 1;
      if (this.#volatileOnly) assert.notEqual(twin.deadline, Number.POSITIVE_INFINITY);
    } else {
      assert.ok(twin.deadline <= this.#now);
    }
    this.#twins.delete(name);
  }

  #do(kind: Kind, name: string, other: string, value: string, seconds: number): void {
    const runner = this.#runner;
    if (kind === "pass") {
      this.#now += seconds * 100;
      runner.keyspace.tick();
      return;
    }
    const deadline = this.#now + seconds * 1000;
    const reply = runner.run(...this.#command(kind, name, other, value, seconds));
    if (reply.startsWith("-OOM")) return;
    // As of after the command: what was evicted for it, or found to have expired, has been said to be gone by then.
    const twin = this.#twins.get(name);
    if (kind === "set") this.#twins.set(name, { value, deadline: Number.POSITIVE_INFINITY });
    else if (kind === "setex") this.#twins.set(name, { value, deadline });
    else if (kind === "append")
      this.#twins.set(name, {
        value: (twin?.value ?? "") + value,
        deadline: twin?.deadline ?? Number.POSITIVE_INFINITY,
      });
    else if (kind === "get")
      assert.equal(reply, twin === undefined ? "$-1\r\n" : `$${twin.value.length}\r\n${twin.value}\r\n`);
    else if (kind === "del") this.#twins.delete(name);
    else if (kind === "expire" && twin !== undefined) twin.deadline = deadline;
    else if (kind === "persist" && twin !== undefined) twin.deadline = Number.POSITIVE_INFINITY;
    else if (kind === "rename" && reply === "+OK\r\n" && name !== other) {
      this.#twins.delete(name);
      this.#twins.set(other, twin!);
    }
  }

  #command(kind: Exclude<Kind, "pass">, name: string, other: string, value: string, seconds: number): string[] {
    const commands: Record<Exclude<Kind, "pass">, string[]> = {
      set: ["SET", name, value],
      setex: ["SET", name, value, "EX", String(seconds)],
      append: ["APPEND", name, value],
      get: ["GET", name],
      del: ["DEL", name],
      expire: ["EXPIRE", name, String(seconds)],
      persist: ["PERSIST", name],
      rename: ["RENAME", name, other],
    };
    return commands[kind];
  }

  #compare(name: string): void {
    const reply = this.#runner.ask("GET", name);
    const twin = this.#twins.get(name);
    assert.equal(reply, twin?.value ?? null);
  }
}
