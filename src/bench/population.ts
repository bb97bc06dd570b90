/**
 * Millions of keys in a store, of which the benchmark keeps only two bytes each: which value a key should have.
 * Keys and values are made as they are used, as a program gets them from a socket: a store that keeps references
 * must keep what they refer to, and millions of ready strings would bring the very garbage collections
 * that are to be measured.
 */
import type { Contender } from "./contenders.ts";
import { KeyMaker, makeValues } from "./data.ts";
import { type Pace, runPaced } from "./paced.ts";
import { Random } from "./random.ts";

export const VALUE_BYTES = 64;
const VALUES = 1_024;
const SAMPLE = 10_000;

export class Population {
  readonly #store: Contender;
  readonly #keys = new KeyMaker();
  /** Text of which value `n` is the part that begins at `n`. */
  readonly #text: Buffer;
  readonly #expected: Uint16Array;
  readonly #random: Random;

  constructor(store: Contender, keys: number, seed: number) {
    this.#store = store;
    this.#random = new Random(seed);
    const length = VALUES + VALUE_BYTES;
    this.#text = Buffer.from(makeValues(1, length, length, this.#random).join(""), "latin1");
    this.#expected = new Uint16Array(keys).fill(VALUES - 1);
  }

  insert(): Pace {
    return runPaced(this.#expected.length, (i) => this.#set(i, i % VALUES));
  }

  overwrite(count: number): Pace {
    return runPaced(count, () => this.#set(this.#anyKey(), this.#random.below(VALUES)));
  }

  /** Random gets, each of which must return a value of the right length. */
  get(count: number): Pace {
    let characters = 0;
    const pace = runPaced(count, () => {
      characters += this.#store.get(this.#keys.key(this.#anyKey()))?.length ?? 0;
    });
    if (characters !== count * VALUE_BYTES) throw new Error(`${count} gets returned ${characters} characters`);
    return pace;
  }

  /** Compares a random sample with what was written last. */
  verify(): void {
    for (let i = 0; i < SAMPLE; i += 1) {
      const number = this.#anyKey();
      const value = this.#store.get(this.#keys.key(number));
      if (value !== this.#value(this.#expected[number] as number)) {
        throw new Error(`${this.#keys.key(number)} has the wrong value "${value}"`);
      }
    }
  }

  #set(number: number, value: number): void {
    this.#store.set(this.#keys.key(number), this.#value(value));
    this.#expected[number] = value;
  }

  #value(number: number): string {
    return this.#text.toString("latin1", number, number + VALUE_BYTES);
  }

  #anyKey(): number {
    return this.#random.below(this.#expected.length);
  }
}
