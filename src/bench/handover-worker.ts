/**
 * Hashes of one size that are deleted in the embedded store, one at a time: how long the program's thread is busy with
 * each, until when its turns are longer than usual, and when the memory is back.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Stillwater } from "../embedded/index.ts";
import type { Job } from "./child.ts";
import { KeyMaker } from "./data.ts";

/** One value; microseconds unless a name says otherwise. */
export interface Handover {
  /** What `del` took. */
  readonly call: number;
  /** What it took for a key with a small value, in the same circumstances: the difference is the handing over. */
  readonly smallCall: number;
  /** From the call to the next turn of the event loop: handing over the batch is part of it. */
  readonly turn: number;
  /** The longest of the turns until the memory was back. */
  readonly longestTurn: number;
  readonly backMilliseconds: number;
}

export interface HandoverFigures {
  /** The first value of all: what is compiled, and started, for its sake is part of it. */
  readonly first: Handover;
  readonly values: readonly Handover[];
  /** A turn with nothing to do, and the longest of as many turns as there are values. */
  readonly emptyTurn: number;
  readonly longestEmptyTurn: number;
}

const KEY = "large";
const SMALL_KEY = "small";
const PER_CALL = 1_000;
const BACK_SECONDS = 60;
const EMPTY_TURNS = 2_000;
/** Values that die before any counts, so that the code is as a store's that has run for a while; large enough. */
const WARM_UP_VALUES = 400;
const WARM_UP_FIELDS = 1_500;

function usedMemory(store: Stillwater): number {
  return Number(/^used_memory:(\d+)/m.exec(String(store.call("INFO", "memory")))?.[1]);
}

function fill(store: Stillwater, fields: number): void {
  const [names, values] = [new KeyMaker("fld:"), new KeyMaker("val:")];
  for (let from = 0; from < fields; from += PER_CALL) {
    const words: string[] = [];
    for (let i = from; i < Math.min(from + PER_CALL, fields); i += 1) words.push(names.key(i), values.key(i));
    store.call("HSET", KEY, ...words);
  }
  if (store.call("HLEN", KEY) !== fields) throw new Error(`the hash has not ${fields} fields`);
}

/** Turns go on all the while; the memory is looked at once a millisecond, between two of them. */
async function untilBack(store: Stillwater, level: number): Promise<{ milliseconds: number; longestTurn: number }> {
  const start = performance.now();
  let [longestTurn, looked] = [0, start];
  for (;;) {
    const before = performance.now();
    await nextTurn();
    const now = performance.now();
    longestTurn = Math.max(longestTurn, now - before);
    if (now - looked < 1) continue;
    if (usedMemory(store) <= level) return { milliseconds: performance.now() - start, longestTurn };
    if (now - start > BACK_SECONDS * 1_000) throw new Error(`the memory is not back after ${BACK_SECONDS} s`);
    looked = performance.now();
  }
}

/** What was read and written last is what the processor still has in its caches: so the hash is made for this, too. */
async function measureSmall(store: Stillwater, fields: number): Promise<number> {
  store.set(SMALL_KEY, "value");
  fill(store, fields);
  await nextTurn();
  const start = performance.now();
  const deleted = store.del(SMALL_KEY);
  const called = performance.now();
  if (deleted !== 1) throw new Error("nothing was deleted");
  return (called - start) * 1_000;
}

async function measureOne(store: Stillwater, fields: number): Promise<Handover> {
  const empty = usedMemory(store);
  const smallCall = await measureSmall(store, fields);
  store.del(KEY);
  await untilBack(store, empty + (usedMemory(store) - empty) / 20);
  const before = usedMemory(store);
  fill(store, fields);
  const level = before + (usedMemory(store) - before) / 20;
  await nextTurn();
  const start = performance.now();
  const deleted = store.del(KEY);
  const called = performance.now();
  await nextTurn();
  const turned = performance.now();
  if (deleted !== 1) throw new Error("nothing was deleted");
  const { milliseconds, longestTurn } = await untilBack(store, level);
  return {
    call: (called - start) * 1_000,
    smallCall,
    turn: (turned - start) * 1_000,
    longestTurn: longestTurn * 1_000,
    backMilliseconds: milliseconds + turned - start,
  };
}

async function measureEmptyTurns(): Promise<number[]> {
  const turns: number[] = [];
  for (let i = 0; i < EMPTY_TURNS; i += 1) {
    const start = performance.now();
    await nextTurn();
    turns.push((performance.now() - start) * 1_000);
  }
  return turns.sort((a, b) => a - b);
}

export async function measureHandover(job: Extract<Job, { kind: "handover" }>): Promise<HandoverFigures> {
  const { open } = await import("../embedded/index.ts");
  const store = await open({ maxMemory: "4gb" });
  const first = await measureOne(store, WARM_UP_FIELDS);
  for (let i = 1; i < WARM_UP_VALUES; i += 1) await measureOne(store, WARM_UP_FIELDS);
  const values: Handover[] = [];
  for (let round = 0; round < job.rounds; round += 1) values.push(await measureOne(store, job.fields));
  const turns = await measureEmptyTurns();
  await store.close();
  return {
    first,
    values,
    emptyTurn: turns[turns.length >>> 1] as number,
    longestEmptyTurn: turns[turns.length - 1] as number,
  };
}
