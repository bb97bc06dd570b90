/**
 * Damaged RDB files that a loader must survive. What it accepts must have the sum that it says it has, and whatever has
 * been loaded by then must be sound; whatever it refuses, it refuses by an error that says where.
 */
import assert from "node:assert/strict";
import { allCommands } from "../commands/all-commands.ts";
import { CommandRunner } from "./commands.ts";
import type { Random } from "./random.ts";
import {
  auxRecord,
  functionRecord,
  type KeyTimes,
  loadBytes,
  rdbFile,
  savedKey,
  selectRecord,
  sizesRecord,
  sumOf,
} from "./rdb-files.ts";
import { broken, soundValue } from "./restore-fuzzing.ts";

const DATABASES = 3;
const VERSIONS = [3, 5, 6, 9, 10, 11, 12];
const WINDOWS = [64, 77, 128, 1000];
/** Longer than any file here should take, on a machine that is busy. */
const MILLISECONDS_MAX = 5000;
const NOW = 1_700_000_000_000;

/** What a run has met. */
export interface RdbFuzzCounts {
  accepted: number;
  refused: number;
  keys: number;
}

/** A store that loads one damaged file after another. */
export class RdbFuzzer {
  readonly counts: RdbFuzzCounts = { accepted: 0, refused: 0, keys: 0 };
  readonly #random: Random;
  readonly #runner = new CommandRunner(allCommands, { regionSize: 1024 * 1024, databases: DATABASES });

  constructor(random: Random) {
    this.#random = random;
    Object.assign(this.#runner.keyspace.limits, { hashEntries: 5, sortedSetEntries: 5, setListpackEntries: 5 });
  }

  /** Loads one random file, and checks what has come of it. */
  once(): void {
    const random = this.#random;
    const sound = randomFile(random);
    let bytes = sound;
    for (let count = random.between(1, 3); count > 0; count--) bytes = broken(random, bytes);
    // With its sum made right again, damage reaches what reads values.
    if (random.chance(0.4) && bytes.length > 17) {
      const body = bytes.subarray(0, -8);
      bytes = Buffer.concat([body, sumOf(body)]);
    }
    const options = { checksum: random.chance(0.6), isPreamble: random.chance(0.3), window: random.pick(WINDOWS) };
    try {
      this.#check(bytes, options);
    } catch (error) {
      throw new Error(`${JSON.stringify(options)} ${bytes.toString("hex")}: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }

  #check(bytes: Buffer, options: { checksum: boolean; isPreamble: boolean; window: number }): void {
    const { keyspace } = this.#runner;
    const began = performance.now();
    const { loader, error } = loadBytes(bytes, { ...options, now: NOW }, this.#runner);
    assert.ok(performance.now() - began < MILLISECONDS_MAX, "it took too long");
    this.counts.keys += loader.keysLoaded;
    if (error === undefined) {
      this.counts.accepted += 1;
      if (options.checksum) assert.ok(hasRightSum(bytes, loader.end), "a wrong sum was accepted");
    } else {
      this.counts.refused += 1;
      assert.ok(error.offset >= 0 && error.offset <= bytes.length, `it is refused at byte ${error.offset}`);
    }
    const keys = keyspace.databases.reduce((sum, database) => sum + database.count, 0);
    assert.equal(keys, loader.keysLoaded);
    this.#runner.verify();
    keyspace.flushAll();
    this.#runner.verify();
  }
}

/** Whether the file may be accepted: it has no sum, or that of all before it. */
function hasRightSum(bytes: Buffer, end: number): boolean {
  if (Number(bytes.toString("latin1", 5, 9)) < 5) return true;
  const stored = bytes.subarray(end - 8, end);
  return stored.equals(Buffer.alloc(8)) || stored.equals(sumOf(bytes.subarray(0, end - 8)));
}

function randomFile(random: Random): Buffer {
  const records: Buffer[] = [];
  if (random.chance(0.5)) records.push(auxRecord("redis-ver", "7.0.15"), auxRecord("redis-bits", "64"));
  if (random.chance(0.2)) records.push(functionRecord("#!lua name=f\n"));
  for (let database = 0; database < DATABASES; database++) {
    if (random.chance(0.4)) continue;
    records.push(selectRecord(database), sizesRecord(3, 1));
    for (let count = random.below(4); count > 0; count--) {
      records.push(savedKey(`key:${database}:${count}`, soundValue(random), someTimes(random)));
    }
  }
  return rdbFile(records, random.pick(VERSIONS));
}

function someTimes(random: Random): KeyTimes {
  return {
    ...(random.chance(0.2) ? { deadline: NOW + random.between(-100_000, 100_000_000) } : {}),
    ...(random.chance(0.1) ? { seconds: Math.floor(NOW / 1000) + random.between(-100, 100_000) } : {}),
    ...(random.chance(0.2) ? { idle: random.below(100_000) } : {}),
    ...(random.chance(0.2) ? { frequency: random.below(256) } : {}),
  };
}
