/** A dictionary and its naive twin, a Map: for property tests of the dictionary, live and frozen. */
import assert from "node:assert/strict";
import { Heap, type Ref } from "../memory/heap.ts";
import { Region } from "../memory/region.ts";
import { DICTIONARY_SIZE, Dictionary } from "../structures/dictionary.ts";
import type { Random } from "./random.ts";

/** How hashes are spread: all over, in few narrow ranges (which makes deep segments), or many to one value. */
export type HashShape = "uniform" | "clustered" | "colliding";

export class DictionaryTwins {
  readonly region: Region;
  readonly heap: Heap;
  readonly header: Ref;
  readonly dictionary: Dictionary;
  readonly hashes = new Map<Ref, number>();
  readonly #refs: Ref[] = [];
  readonly #shape: HashShape;
  readonly #random: Random;
  #lastRef = 0;

  constructor(size: number, shape: HashShape, random: Random) {
    this.region = new Region(size);
    this.heap = new Heap(this.region);
    this.header = this.heap.allocate(DICTIONARY_SIZE);
    this.region.words.fill(0, this.header >>> 2, (this.header + DICTIONARY_SIZE) >>> 2);
    this.dictionary = new Dictionary(this.heap, this.header);
    this.#shape = shape;
    this.#random = random;
  }

  get size(): number {
    return this.#refs.length;
  }

  /** Inserts `count` new refs; what throws has not been inserted. */
  insert(count: number): void {
    for (let done = 0; done < count; done++) this.insertHash(this.#newHash());
  }

  insertHash(hash: number): Ref {
    const ref = this.#lastRef + 16;
    this.dictionary.insert(hash, ref);
    this.#lastRef = ref;
    this.hashes.set(ref, hash);
    this.#refs.push(ref);
    return ref;
  }

  /** Removes `count` refs chosen at random, or all. */
  remove(count: number): void {
    for (let done = 0; done < count && this.size > 0; done++) {
      this.#moveToEnd(this.#random.below(this.size));
      this.removeLast();
    }
  }

  /** Draws `count` refs at random and removes those that are not in `kept`. */
  removeAllBut(kept: ReadonlySet<Ref>, count: number): void {
    for (let done = 0; done < count && this.size > 0; done++) {
      this.#moveToEnd(this.#random.below(this.size));
      if (!kept.has(this.#refs.at(-1)!)) this.removeLast();
    }
  }

  /** Removes the ref that came last, or that was drawn last. */
  removeLast(): void {
    const ref = this.#refs.pop()!;
    const hash = this.hashes.get(ref)!;
    this.hashes.delete(ref);
    this.dictionary.remove(this.slotOf(hash, ref));
  }

  /** Makes `count` slots refer to something else. */
  replace(count: number): void {
    for (let done = 0; done < count && this.size > 0; done++) {
      const place = this.#random.below(this.size);
      const old = this.#refs[place]!;
      const hash = this.hashes.get(old)!;
      this.#lastRef += 16;
      this.dictionary.replace(this.slotOf(hash, old), this.#lastRef);
      this.hashes.delete(old);
      this.hashes.set(this.#lastRef, hash);
      this.#refs[place] = this.#lastRef;
    }
  }

  clear(): void {
    this.dictionary.clear();
    this.hashes.clear();
    this.#refs.length = 0;
  }

  /** The slot of a ref, as a user finds it. */
  slotOf(hash: number, ref: Ref): number {
    let slot = this.dictionary.seek(hash);
    while (slot !== 0 && this.dictionary.at(slot) !== ref) slot = this.dictionary.seekNext(slot, hash);
    assert.notEqual(slot, 0, `ref ${ref} is not found`);
    assert.equal(this.dictionary.hashAt(slot), hash);
    return slot;
  }

  verify(): void {
    this.heap.verify();
    this.dictionary.verify();
    assert.equal(this.dictionary.count, this.hashes.size);
    const walked = new Map<Ref, number>();
    this.dictionary.forEach((ref, hash) => {
      walked.set(ref, hash);
    });
    assert.equal(walked.size, this.hashes.size);
    for (const [ref, hash] of this.hashes) {
      assert.equal(walked.get(ref), hash);
      this.slotOf(hash, ref);
    }
    const absent = this.#newHash();
    let slot = this.dictionary.seek(absent);
    while (slot !== 0) {
      assert.equal(this.hashes.get(this.dictionary.at(slot)), absent);
      slot = this.dictionary.seekNext(slot, absent);
    }
  }

  /** True if the dictionary's own header differs from what it was in `before`. */
  headerDiffers(before: Buffer): boolean {
    return (
      before.compare(
        this.region.bytes,
        this.header,
        this.header + DICTIONARY_SIZE,
        this.header,
        this.header + DICTIONARY_SIZE,
      ) !== 0
    );
  }

  #moveToEnd(place: number): void {
    const last = this.#refs.length - 1;
    [this.#refs[place], this.#refs[last]] = [this.#refs[last]!, this.#refs[place]!];
  }

  #newHash(): number {
    const any = this.#random.below(2 ** 32) | 0;
    switch (this.#shape) {
      case "uniform":
        return any;
      case "clustered":
        return (any & 0x00ffffff) | (this.#random.pick([0x00, 0x13, 0x7f, 0xff]) << 24);
      case "colliding":
        return this.#random.chance(0.5) ? any : Math.imul(any & 127, 0x9e3779b1);
    }
  }
}

/** Pearson's statistic of `draws * classes` observations that should be alike in all classes. */
export function chiSquared(counts: readonly number[], classes: number, draws: number): number {
  const missing = classes - counts.length;
  return counts.reduce((sum, count) => sum + (count - draws) ** 2 / draws, missing * draws);
}
