/**
 * A week in the life of a store, as commands: sizes of values change with the hour of the day and grow in the course of
 * the week, sessions grow field by field, queues fill and empty, and every night a large part of all keys goes at once.
 * The bytes of all values stay at a level. The same seed gives the same history.
 */
import type { Random } from "./random.ts";

export const HOURS_PER_DAY = 24;
export const DAYS = 7;

const BURST_HOUR = 3;
const BURST_PART = 0.4;
const SMALLEST = 16;
const LARGEST = 32_768;
const SESSION_MAX = 16_384;

type Kind = "text" | "session" | "queue";

/** Of ten keys, six are texts, two are sessions (hashes) and two are queues (lists). */
function kindOf(key: number): Kind {
  const rest = key % 10;
  return rest < 6 ? "text" : rest < 8 ? "session" : "queue";
}

export class Churn {
  readonly #random: Random;
  readonly #level: number;
  readonly #perHour: number;
  /** Bytes of each key's value; 0 if there is none. */
  readonly #sizes: Int32Array;
  readonly #text: string;
  #total = 0;
  #count = 0;

  /** Keeps the values at `level` bytes, spread over at most `keys` keys, by `perHour` commands an hour. */
  constructor(random: Random, level: number, keys: number, perHour: number) {
    this.#random = random;
    this.#level = level;
    this.#perHour = perHour;
    this.#sizes = new Int32Array(keys);
    this.#text = Buffer.from(Array.from({ length: 2 * LARGEST }, () => 97 + random.below(26))).toString("latin1");
  }

  /** Bytes of all values, and how many keys have one. */
  get total(): number {
    return this.#total;
  }

  get count(): number {
    return this.#count;
  }

  /** The commands of one hour since the beginning. */
  hour(hour: number): string[][] {
    const commands: string[][] = [];
    if (hour % HOURS_PER_DAY === BURST_HOUR) this.#burst(commands);
    const most = this.#perHour + commands.length;
    while (commands.length < most) this.#step(commands, hour);
    return commands;
  }

  /** Fills up to the level, with sizes of the first hour. */
  fill(): string[][] {
    const commands: string[][] = [];
    while (this.#total < this.#level) this.#step(commands, 0);
    return commands;
  }

  #step(commands: string[][], hour: number): void {
    const key = this.#random.below(this.#sizes.length);
    const size = this.#sizes[key] as number;
    if (this.#total > this.#level) {
      if (size > 0) this.#delete(commands, key);
      return;
    }
    const name = nameOf(key);
    switch (kindOf(key)) {
      case "text": {
        const length = this.#length(hour);
        commands.push(["SET", name, this.#value(length)]);
        this.#resize(key, length);
        return;
      }
      case "session": {
        if (size > SESSION_MAX) {
          this.#delete(commands, key);
          return;
        }
        const length = Math.max(SMALLEST, this.#length(hour) >>> 2);
        commands.push(["HSET", name, `field:${size}`, this.#value(length)]); // the size names a field that is new
        this.#resize(key, size + length);
        return;
      }
      case "queue": {
        const length = SMALLEST + (key % 200); // of every item, so that what a pop takes away is known
        const isPop = size > 0 && this.#random.below(100) < 45;
        commands.push(isPop ? ["LPOP", name] : ["RPUSH", name, this.#value(length)]);
        this.#resize(key, isPop ? size - length : size + length);
        return;
      }
    }
  }

  #burst(commands: string[][]): void {
    for (let key = 0; key < this.#sizes.length; key += 1) {
      if ((this.#sizes[key] as number) > 0 && this.#random.below(1_000) < BURST_PART * 1_000)
        this.#delete(commands, key);
    }
  }

  #delete(commands: string[][], key: number): void {
    commands.push(["DEL", nameOf(key)]);
    this.#resize(key, 0);
  }

  #resize(key: number, size: number): void {
    const before = this.#sizes[key] as number;
    this.#total += size - before;
    this.#count += (size > 0 ? 1 : 0) - (before > 0 ? 1 : 0);
    this.#sizes[key] = size;
  }

  /** Log-normal around a mean that swings eightfold in a day, and doubles in the week. */
  #length(hour: number): number {
    const day = Math.sin((2 * Math.PI * hour) / HOURS_PER_DAY);
    const mean = 180 * 8 ** (day / 2) * 2 ** (hour / (DAYS * HOURS_PER_DAY));
    const length = Math.round(mean * Math.exp(0.8 * this.#normal()));
    return Math.min(LARGEST, Math.max(SMALLEST, length));
  }

  /** Nearly normal: the sum of twelve equal chances. */
  #normal(): number {
    let sum = -6;
    for (let i = 0; i < 12; i += 1) sum += this.#random.below(2 ** 20) / 2 ** 20;
    return sum;
  }

  #value(length: number): string {
    const from = this.#random.below(LARGEST);
    return this.#text.slice(from, from + length);
  }
}

function nameOf(key: number): string {
  return `${kindOf(key)}:${key}`;
}
