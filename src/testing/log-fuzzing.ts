/**
 * Damaged logs: random logs, changed at random, are read. Where batch lines cover the bytes, a reader may give out the
 * commands that were written, or the first of them, and nothing else; and only where a log can be told from one that
 * was cut off or written so may it not complain.
 */
import assert from "node:assert/strict";
import { DamagedFileError } from "../durability/damaged-file-error.ts";
import { LogReader } from "../durability/log-reader.ts";
import { FaultyFiles } from "./faulty-files.ts";
import { LogBuilder, resp, type Unit } from "./log-builder.ts";
import type { Random } from "./random.ts";

/** What became of the logs: a run that found one of these never is one that checked nothing. */
export interface LogFuzzing {
  damaged: number;
  torn: number;
  unharmed: number;
  /** Behind what is in order stands what Redis could have written. */
  foreign: number;
}

/** At a line's beginning: values of these logs hold none by chance that matters. */
const PADDING_LINE = /\n#+\n/;
const WINDOWS = [16, 128, 1000, 1 << 16];

/** Reads so many damaged logs. @throws AssertionError where one was accepted that must not be */
export function mutateLogs(random: Random, rounds: number): LogFuzzing {
  const outcome: LogFuzzing = { damaged: 0, torn: 0, unharmed: 0, foreign: 0 };
  for (let round = 0; round < rounds; round++) {
    const log = randomBatches(random);
    const { bytes } = log;
    const mutated = mutate(random, bytes);
    // It is padding now, which is skipped; padded-file.test.ts damages files that have some.
    if (PADDING_LINE.test(mutated.toString("latin1"))) continue;
    const kind = readMutated(log, bytes, mutated, random.pick(WINDOWS));
    outcome[kind] += 1;
  }
  return outcome;
}

/** A log all of whose commands are in batches: two at least, because a damaged line of an only one may be any line. */
export function randomBatches(random: Random): LogBuilder {
  const log = new LogBuilder();
  for (let count = random.between(2, 8); count > 0; count--) {
    log.batch(...Array.from({ length: random.between(1, 5) }, () => randomUnit(random)));
  }
  return log;
}

export function randomUnit(random: Random): Unit {
  const size = random.chance(0.2) ? random.between(2, 4) : 1;
  return Array.from({ length: size }, () => [
    "SET",
    `key:${random.below(5)}`,
    random.chance(0.1) ? random.bytes(random.below(600)) : random.text(random.below(30)),
  ]);
}

function readMutated(log: LogBuilder, bytes: Buffer, mutated: Buffer, windowBytes: number): keyof LogFuzzing {
  const files = new FaultyFiles();
  files.put("/log/a.aof", mutated);
  const file = files.open("/log/a.aof", "read");
  const reader = new LogReader(file, { windowBytes });
  let count = 0;
  try {
    for (; reader.next(); count++) {
      const { args } = reader;
      if (!reader.isInBatch) {
        assertPrefix(log, bytes, mutated, reader.offset, count);
        return "foreign";
      }
      const words = Array.from({ length: args.count }, (_, index) => args.buffer(index));
      assert.ok(log.commands[count]?.equals(resp(...words)), `command ${count} was never written: ${words.join(" ")}`);
    }
  } catch (error) {
    if (!(error instanceof DamagedFileError)) throw error;
    assert.ok(error.offset >= 0 && error.offset <= mutated.length);
    return "damaged";
  } finally {
    file.close();
  }
  const end = reader.torn?.offset ?? mutated.length;
  assertPrefix(log, bytes, mutated, end, count);
  if (reader.torn === undefined) return "unharmed";
  assert.ok(!hasBatchBehind(log, bytes, mutated, end), "an intact batch was taken for a torn one");
  return "torn";
}

/** What was read, up to `end`, are so many of the commands that were written, in batches that are as they were. */
function assertPrefix(log: LogBuilder, bytes: Buffer, mutated: Buffer, end: number, count: number): void {
  const isBoundary = log.boundaries.some((boundary) => boundary.end === end && boundary.commands === count);
  assert.ok(isBoundary, `${count} commands up to ${end} of ${JSON.stringify(mutated.toString("latin1"))}`);
  assert.ok(mutated.subarray(0, end).equals(bytes.subarray(0, end)), "a damaged batch was accepted");
}

/** Whether a batch behind the one that begins at `offset` is still there, as it was. */
function hasBatchBehind(log: LogBuilder, bytes: Buffer, mutated: Buffer, offset: number): boolean {
  const behind = log.boundaries.filter(({ end }) => end > offset);
  return behind.some(({ end }, index) => {
    const next = behind[index + 1]?.end;
    return next !== undefined && mutated.subarray(offset).includes(bytes.subarray(end, next));
  });
}

function mutate(random: Random, bytes: Buffer): Buffer {
  const at = random.below(bytes.length);
  const length = Math.min(bytes.length - at, random.chance(0.7) ? random.between(1, 4) : random.between(1, 300));
  const before = bytes.subarray(0, at);
  const after = bytes.subarray(at + length);
  const there = bytes.subarray(at, at + length);
  switch (random.below(9)) {
    case 0:
      return before;
    case 1:
      return Buffer.concat([before, after]);
    case 2:
      return Buffer.concat([before, random.bytes(length), there, after]);
    case 3:
      return Buffer.concat([before, there, there, after]);
    case 4:
      return Buffer.concat([before, Buffer.alloc(length), after]);
    case 5:
      return Buffer.concat([bytes, random.chance(0.5) ? Buffer.alloc(length) : random.bytes(length)]);
    case 6: {
      const changed = Buffer.from(bytes);
      changed[at]! ^= 1 << random.below(8);
      return changed;
    }
    case 7: {
      const other = random.below(bytes.length);
      return Buffer.concat([before, bytes.subarray(other, other + length), after]);
    }
    default:
      return Buffer.concat([before, random.bytes(length), after]);
  }
}
