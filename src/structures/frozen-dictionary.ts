/**
 * FrozenDictionary: walks a dictionary as of a freeze, on any thread. Layout: dictionary.ts.
 *
 * Refs come in the order of their hashes' homes, the table's own order. What they refer to stands anywhere, so a walk
 * is a cache miss for each. Refs are therefore gathered some at a time, and all of them expected before the first is
 * visited: the processor then waits for many at once.
 */

import type { FreezeReader } from "../memory/freeze-reader.ts";
import { NONE, type Ref } from "../memory/heap.ts";
import {
  CAPACITY,
  COUNT,
  DEPTH,
  DIRECTORY,
  SEGMENT_DEPTH,
  SEGMENT_HEADER_SIZE,
  SLOT_SIZE,
  segmentIn,
} from "./segments.ts";

/** Refs that are expected together: more than a processor waits for at the same time. */
const GATHERED = 32;

export class FrozenDictionary {
  readonly #reader: FreezeReader;
  readonly #header: Ref;

  /** Opens the dictionary whose header stands at `header` of the frozen region. */
  constructor(reader: FreezeReader, header: Ref) {
    this.#reader = reader;
    this.#header = header;
  }

  /** Refs there are. @throws FreezeLostError */
  get count(): number {
    return this.#reader.word(this.#header + COUNT);
  }

  /** Visits every ref once. @throws FreezeLostError when the view was given up meanwhile */
  forEach(visit: (ref: Ref, hash: number) => void): void {
    const reader = this.#reader;
    const directory = reader.word(this.#header + DIRECTORY);
    if (directory === NONE) return;
    const depth = reader.word(this.#header + DEPTH);
    const slots = reader.word(this.#header + CAPACITY) * SLOT_SIZE;
    const refs = new Int32Array(GATHERED);
    const hashes = new Int32Array(GATHERED);
    let gathered = 0;
    for (let index = 0; index < 2 ** depth; ) {
      const segment = segmentIn(reader.word(directory + index * 4));
      const begin = segment + SEGMENT_HEADER_SIZE;
      for (let slot = begin; slot < begin + slots; slot += SLOT_SIZE) {
        const ref = reader.word(slot + 4);
        if (ref === NONE) continue;
        refs[gathered] = ref;
        hashes[gathered] = reader.word(slot);
        gathered += 1;
        if (gathered < GATHERED) continue;
        this.#visitAll(refs, hashes, gathered, visit);
        gathered = 0;
      }
      index += 2 ** (depth - reader.word(segment + SEGMENT_DEPTH));
    }
    this.#visitAll(refs, hashes, gathered, visit);
  }

  #visitAll(refs: Int32Array, hashes: Int32Array, count: number, visit: (ref: Ref, hash: number) => void): void {
    this.#reader.expect(refs, count);
    for (let index = 0; index < count; index++) visit(refs[index]!, hashes[index]!);
  }
}
