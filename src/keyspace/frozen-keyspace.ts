/**
 * FrozenKeyspace: all databases of a store as of a freeze, for another thread than the one that goes on writing.
 *
 * Made from `FrozenStore.regions`, which can be posted to a worker. Everything throws FreezeLostError once the view has
 * been given up or released. A thread that is done with a view should drop this object, and where the regions are large
 * call `giveReasonToCollect`, because what it holds of them keeps their memory alive.
 */
import type { Slice } from "../base/bytes.ts";
import { FreezeReader } from "../memory/freeze-reader.ts";
import { ROOT } from "../memory/heap.ts";
import type { FrozenRegion } from "../memory/region.ts";
import { FrozenDictionary } from "../structures/frozen-dictionary.ts";
import { Digest } from "./digest.ts";
import { HASH, LIST, SET, STRING } from "./entry.ts";
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

  /** Of these, those that have a deadline. */
  get volatileCount(): number {
    const count = (reader: FreezeReader): number => reader.word(Shard.volatileCountAt(reader.word(ROOT), this.index));
    return this.#readers.reduce((sum, reader) => sum + count(reader), 0);
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
    const addItem = (item: Slice): void => digest.addItem(item);
    const addMember = (member: Slice): void => digest.addMember(member);
    const addField = (field: Slice, value: Slice, deadline: number): void => digest.addField(field, value, deadline);
    const addScored = (member: Slice, score: number): void => digest.addScored(member, score);
    this.forEach((entry) => {
      const { key, type, deadline } = entry;
      if (type === STRING) {
        digest.addString(key, type, entry.value(), deadline);
        return;
      }
      const { collection } = entry;
      digest.beginCollection(key, type, deadline);
      if (type === LIST) collection.forEachItem(addItem);
      else if (type === SET) collection.forEachMember(addMember);
      else if (type === HASH) collection.forEachField(addField);
      else collection.forEachScored(addScored);
      digest.endCollection();
    });
    return digest.toString();
  }

  #dictionary(reader: FreezeReader): FrozenDictionary {
    return new FrozenDictionary(reader, Shard.dictionaryAt(reader.word(ROOT), this.index));
  }
}
