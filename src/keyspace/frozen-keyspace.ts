/**
 * FrozenKeyspace: all databases of a store as of a freeze, for another thread than the one that goes on writing.
 *
 * Made from `FrozenStore.regions`, which can be posted to a worker. Everything throws FreezeLostError once the view has
 * been given up or released. A thread that is done with a view should drop this object, and where the regions are large
 * call `giveReasonToCollect`, because what it holds of them keeps their memory alive.
 */
import { FreezeReader } from "../memory/freeze-reader.ts";
import { ROOT } from "../memory/heap.ts";
import type { FrozenRegion } from "../memory/region.ts";
import { FrozenDictionary } from "../structures/frozen-dictionary.ts";
import { Digest } from "./digest.ts";
import { FrozenEntry } from "./frozen-entry.ts";
import { Shard } from "./shard.ts";

/** Told about each key of a walk; the cursor is reused for the next. */
export type VisitEntry = (entry: FrozenEntry) => void;

export class FrozenKeyspace {
  readonly databases: readonly FrozenDatabase[];

  /**
   * @param databases how many there are: `FrozenStore.databases`
   * @param open makes the reader of a region; tests give readers with pauses
   */
  constructor(
    regions: readonly FrozenRegion[],
    databases: number,
    open: (region: FrozenRegion) => FreezeReader = (region) => new FreezeReader(region),
  ) {
    const readers = regions.map(open);
    this.databases = Array.from({ length: databases }, (_, index) => new FrozenDatabase(readers, index));
  }
}

export class FrozenDatabase {
  readonly index: number;
  readonly #readers: readonly FreezeReader[];

  constructor(readers: readonly FreezeReader[], index: number) {
    this.#readers = readers;
    this.index = index;
  }

  /** Keys there are, expired ones included that nobody had touched since. */
  get count(): number {
    return this.#readers.reduce((sum, reader) => sum + this.#dictionary(reader).count, 0);
  }

  /** Visits every key once, expired ones included: a visitor that does not want them compares `deadline`. */
  forEach(visit: VisitEntry): void {
    const entry = new FrozenEntry(this.#readers[0]!);
    for (const reader of this.#readers) {
      this.#dictionary(reader).forEach((ref) => {
        entry.moveTo(reader, ref);
        visit(entry);
      });
    }
  }

  /** The same value that `digestOf` the database had at the freeze. */
  digest(): string {
    const digest = new Digest();
    this.forEach((entry) => {
      digest.addString(entry.key, entry.type, entry.value(), entry.deadline);
    });
    return digest.toString();
  }

  #dictionary(reader: FreezeReader): FrozenDictionary {
    return new FrozenDictionary(reader, Shard.dictionaryAt(reader.word(ROOT), this.index));
  }
}
