/**
 * Two stores of the same seed and clock get the same calls, one by its methods, some of which take a fast way, the
 * other by the commands' names, which never do: replies, data and counters must be the same.
 */
import assert from "node:assert/strict";
import { Configuration } from "../config/configuration.ts";
import type { ArgumentValue } from "../embedded/argument-writer.ts";
import { Core } from "../embedded/core.ts";
import { ServerMethods } from "../embedded/server-methods.ts";
import { Store } from "../engine/store.ts";

export class Handle extends ServerMethods {}

const START = 1_700_000_000_000;

export interface Opened {
  readonly store: Store;
  readonly core: Core;
  readonly db: Handle;
  now: number;
  /** Commands that went through the engine. */
  executed: number;
}

export function openStore(regionSize: number, memoryLimit = 0, shards = 2): Opened {
  const opened: { -readonly [Field in keyof Opened]?: Opened[Field] } = { now: START, executed: 0 };
  const store = new Store(new Configuration(), () => opened.now!, { shards, regionSize, seed: [1, 2] });
  store.engine.memory.bytes = memoryLimit;
  opened.store = store;
  opened.core = new Core(store);
  opened.db = new Handle(opened.core, 0);
  const execute = store.engine.execute.bind(store.engine);
  store.engine.execute = (context, args) => {
    opened.executed! += 1;
    execute(context, args);
  };
  return opened as Opened;
}

export type Step =
  | { readonly name: string; readonly args: readonly ArgumentValue[] }
  | { readonly wait: number; readonly ticks: boolean };

/** The commands that have a method here; the others are called by name in both stores. */
export type Methods = Readonly<Record<string, (db: Handle, ...args: never[]) => unknown>>;

/** Calls the command by its method, if it has one. */
export function byMethod(methods: Methods, db: Handle, name: string, args: readonly ArgumentValue[]): unknown {
  const method = methods[name] as ((db: Handle, ...args: readonly ArgumentValue[]) => unknown) | undefined;
  return method === undefined ? db.call(name, ...args) : method(db, ...args);
}

function outcome(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return String(error);
  }
}

function take(opened: Opened, taken: Step, call: (name: string, args: readonly ArgumentValue[]) => unknown): unknown {
  if ("name" in taken) return outcome(() => call(taken.name, taken.args));
  opened.now += taken.wait;
  // Without an end to its time: what a slice gets done within a millisecond is not the same twice.
  if (taken.ticks) opened.store.tick(Number.POSITIVE_INFINITY);
  return undefined;
}

/** All that a client could ask about the data, and the counters. */
function stateOf({ store, db }: Opened, counted: readonly string[]): unknown {
  const { keyspace, services } = store;
  const keys = [0, 1].map((database) => {
    db.select(database);
    return db
      .keysBuffer("*")
      .map((name) => [
        name.toString("latin1"),
        db.object("ENCODING", name),
        db.object("IDLETIME", name),
        db.pexpiretime(name),
        db.dump(name)?.toString("latin1"),
      ]);
  });
  const counts = counted.map((name) => {
    const { calls, failedCalls, rejectedCalls, timedCalls } = services.statistics.of(
      services.commands.byName(name)!.id,
    );
    return { name, calls, failedCalls, rejectedCalls, timedCalls };
  });
  const { hits, misses, changes, expiredKeys, usedBytes } = keyspace;
  const { totalCommands, totalErrors, errors } = services.statistics;
  return { keys, counts, hits, misses, changes, expiredKeys, usedBytes, totalCommands, totalErrors, errors };
}

function countsOf({ store: { keyspace, services } }: Opened): readonly number[] {
  return [keyspace.hits, keyspace.misses, keyspace.changes, services.statistics.totalCommands];
}

/**
 * Takes the steps in two stores, and compares after each of them.
 * @param open makes one store; it is called twice
 * @returns how many calls did not need the engine
 */
export async function compareWays(methods: Methods, steps: readonly Step[], open: () => Opened): Promise<number> {
  const [fast, slow] = [open(), open()];
  try {
    for (const taken of steps) {
      const mine = take(fast, taken, (name, args) => byMethod(methods, fast.db, name, args));
      const theirs = take(slow, taken, (name, args) => slow.db.call(name, ...args));
      assert.deepEqual(mine, theirs, JSON.stringify(taken));
      assert.deepEqual(countsOf(fast), countsOf(slow), JSON.stringify(taken));
    }
    const spared = slow.executed - fast.executed;
    const counted = Object.keys(methods);
    assert.deepEqual(stateOf(fast, counted), stateOf(slow, counted));
    for (const { store } of [fast, slow]) store.keyspace.verify();
    return spared;
  } finally {
    // Also where it fails: shrinking a failure opens thousands of stores.
    for (const { store } of [fast, slow]) await store.close();
  }
}
