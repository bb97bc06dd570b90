/**
 * Churn: a week in the life of a store, compressed: keys come and go, values grow and shrink, and what is usual changes
 * from day to day. What fragments memory is not the number of writes but that later ones have other sizes than those
 * whose place they take; so every day has its own mixture, and its nights delete in bursts.
 */
import type { Keyspace } from "../keyspace/keyspace.ts";
import { CommandCaller } from "./command-caller.ts";
import type { Random } from "./random.ts";

/** Typical value sizes of the days, in bytes: small counters, sessions, pages, and back. */
const DAYS = [40, 90, 250, 700, 1800, 400, 60] as const;

export interface ChurnOptions {
  readonly random: Random;
  /** Bytes that the data is kept at. */
  readonly level: number;
  /** Bytes written on each day, as a multiple of `level`. */
  readonly turnover: number;
  /** Whether a part of the keys are hashes, lists, sets and sorted sets. */
  readonly withCollections: boolean;
  /** Called so that what is done between commands gets its turn. */
  readonly rest: () => void;
}

/** Runs a week. @param eachDay called at the end of each */
export function churn(keyspace: Keyspace, options: ChurnOptions, eachDay: (day: number) => void): void {
  const { random, level, turnover } = options;
  const caller = new CommandCaller(keyspace);
  const database = keyspace.databases[0]!;
  const filler = Buffer.alloc(1 << 16, "v");
  let commands = 0;
  for (const [day, typical] of DAYS.entries()) {
    for (let written = 0; written < level * turnover; ) {
      const keys = Math.max(1000, Math.round(level / (typical + 100)));
      const name = `day${day}:${random.below(keys * 2)}`;
      // Sizes over two powers of two around the typical one, a few of them far larger.
      const size = Math.round(typical * 2 ** (random.below(2000) / 1000 - 1) * (random.chance(0.002) ? 20 : 1));
      const kind = options.withCollections ? random.below(10) : 0;
      if (kind < 6) caller.begin(database, "SET").addText(name).add(filler, 0, size).run();
      else if (kind === 6)
        caller
          .begin(database, "APPEND")
          .addText(name)
          .add(filler, 0, size >>> 2)
          .run();
      else if (kind === 7) addHash(caller, keyspace, `${name}:h`, filler, size);
      else if (kind === 8) addToQueue(caller, keyspace, random, `${name}:l`, filler, size);
      else
        caller
          .begin(database, "ZADD")
          .addText(`${name}:z`)
          .addNumber(size)
          .add(filler, 0, size >>> 1)
          .run();
      written += size + 60;
      commands += 1;
      if (keyspace.usedBytes > level) deleteSome(keyspace, caller, random, level);
      if (commands % 64 === 0) options.rest();
    }
    eachDay(day);
  }
}

/** Items come at the end and go at the head: the rest of a small queue then lies somewhere in its block. */
function addToQueue(
  caller: CommandCaller,
  keyspace: Keyspace,
  random: Random,
  name: string,
  filler: Buffer,
  size: number,
): void {
  const database = keyspace.databases[0]!;
  const items = random.between(1, 4);
  for (let item = 0; item < items; item++) {
    caller
      .begin(database, "RPUSH")
      .addText(name)
      .add(filler, 0, size >>> 3)
      .run();
  }
  if (items > 1) caller.begin(database, "LPOP").addText(name).run();
}

function addHash(caller: CommandCaller, keyspace: Keyspace, name: string, filler: Buffer, size: number): void {
  caller.begin(keyspace.databases[0]!, "HSET").addText(name);
  for (let field = 0; field < 4; field++) caller.addNumber((size + field) % 10).add(filler, 0, size >>> 3);
  caller.run();
}

/** A burst: a hundredth of the data goes, keys at random. */
function deleteSome(keyspace: Keyspace, caller: CommandCaller, random: Random, level: number): void {
  const database = keyspace.databases[0]!;
  const draw = (): number => random.below(2 ** 32) / 2 ** 32;
  while (keyspace.usedBytes > level * 0.99) {
    const name = database.sample(draw);
    if (name === undefined) return;
    const key = Buffer.from(name.bytes.subarray(name.start, name.start + name.length));
    caller.begin(database, "DEL").add(key).run();
  }
}

/** Bytes in pages that hold data for each byte of data. */
export function fragmentation(keyspace: Keyspace): number {
  const { activeBytes, usedBytes } = keyspace.figures();
  return activeBytes / usedBytes;
}
