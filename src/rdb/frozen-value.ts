/**
 * FrozenValueWriter: writes the value of a frozen entry, as value.ts writes that of a live one: the same types, and the
 * same bytes, but for the order of what stands in tables. The files of each type in this folder draw them.
 *
 * Listpacks and intsets are written as they stand in memory; of what is larger, an element at a time is copied out of
 * the view. Nothing is allocated for a key; walks of large collections allocate a few objects each.
 *
 * A string that is longer than COMPRESSED_MAX is written in parts and not compressed: a compressed one begins with its
 * compressed length, so that it would have to be held whole, twice.
 *
 * Any thread; everything throws FreezeLostError once the view has been given up.
 */
import type { Slice } from "../base/bytes.ts";
import { LIST, SET, SORTED_SET, STRING } from "../keyspace/entry.ts";
import type { FrozenCollection } from "../keyspace/frozen-collection.ts";
import type { FrozenEntry } from "../keyspace/frozen-entry.ts";
import { INTSET, LISTPACK, LISTPACK_EX } from "../structures/collection.ts";
import { UNDATED } from "../structures/field-table.ts";
import {
  HASH_LISTPACK,
  HASH_LISTPACK_OF_DEADLINES,
  HASH_OF_DEADLINES,
  HASH_VALUE,
  LIST_OF_LISTPACKS,
  NODE_PACKED,
  SET_INTSET,
  SET_VALUE,
  SORTED_SET_LISTPACK,
  SORTED_SET_VALUE,
  STRING_VALUE,
} from "./format.ts";
import type { RdbWriter } from "./writer.ts";

/** The longest string of a key's own that is held whole. */
export const COMPRESSED_MAX = 64 << 20;
const PART = 1 << 20;

/** Which byte in front of a key says what its value is: Redis writes it before the key. */
export function savedType(entry: FrozenEntry): number {
  const { encoding } = entry;
  switch (entry.type) {
    case STRING:
      return STRING_VALUE;
    case LIST:
      return LIST_OF_LISTPACKS;
    case SET:
      return encoding === INTSET ? SET_INTSET : SET_VALUE;
    case SORTED_SET:
      return encoding === LISTPACK ? SORTED_SET_LISTPACK : SORTED_SET_VALUE;
    default:
      if (encoding === LISTPACK) return HASH_LISTPACK;
      if (encoding === LISTPACK_EX) return HASH_LISTPACK_OF_DEADLINES;
      return entry.collection.datedCount > 0 ? HASH_OF_DEADLINES : HASH_VALUE;
  }
}

export class FrozenValueWriter {
  readonly #writer: RdbWriter;
  readonly #parts = Buffer.allocUnsafeSlow(PART);
  readonly #compressedMax: number;
  /** Of the hash that is being written. */
  #earliest = Number.POSITIVE_INFINITY;

  /** @param compressedMax tests have shorter strings */
  constructor(writer: RdbWriter, compressedMax = COMPRESSED_MAX) {
    this.#writer = writer;
    this.#compressedMax = compressedMax;
  }

  /** Appends what follows the byte of its type, which is `savedType`. @throws FreezeLostError */
  write(entry: FrozenEntry, saved: number): void {
    if (saved === STRING_VALUE) {
      this.#writeString(entry);
      return;
    }
    const { collection } = entry;
    switch (saved) {
      case LIST_OF_LISTPACKS:
        this.#writer.size(collection.nodes);
        collection.forEachNode(this.#putNode);
        break;
      case SET_VALUE:
        this.#writer.size(collection.count);
        collection.forEachMember(this.#put);
        break;
      case SORTED_SET_VALUE:
        this.#writer.size(collection.count);
        collection.forEachScoredBackwards(this.#putScored);
        break;
      case HASH_VALUE:
        this.#writer.size(collection.count);
        collection.forEachField(this.#putField);
        break;
      case HASH_OF_DEADLINES:
        this.#writeDated(collection);
        break;
      case HASH_LISTPACK_OF_DEADLINES:
        this.#writer.time(collection.firstDeadline);
        this.#put(collection.packed());
        break;
      default:
        this.#put(collection.packed());
    }
  }

  #writeString(entry: FrozenEntry): void {
    const writer = this.#writer;
    if (entry.isInteger) writer.integer(entry.integer);
    else if (entry.valueLength > this.#compressedMax) this.#writeInParts(entry);
    else this.#put(entry.value());
  }

  #writeInParts(entry: FrozenEntry): void {
    const length = entry.valueLength;
    this.#writer.size(length);
    for (let done = 0; done < length; done += PART) {
      const part = Math.min(PART, length - done);
      entry.copyValue(done, part, this.#parts, 0);
      this.#writer.raw(this.#parts, 0, part);
    }
  }

  /** Two walks: the earliest deadline comes first, and what the table keeps is only a bound. */
  #writeDated(collection: FrozenCollection): void {
    this.#earliest = Number.POSITIVE_INFINITY;
    collection.forEachField(this.#seekEarliest);
    this.#writer.time(this.#earliest);
    this.#writer.size(collection.count);
    collection.forEachField(this.#putDated);
  }

  readonly #put = ({ bytes, start, length }: Slice): void => {
    this.#writer.string(bytes, start, length);
  };

  readonly #putNode = (node: Slice): void => {
    this.#writer.size(NODE_PACKED);
    this.#put(node);
  };

  readonly #putScored = (member: Slice, score: number): void => {
    this.#put(member);
    this.#writer.double(score);
  };

  readonly #putField = (field: Slice, value: Slice): void => {
    this.#put(field);
    this.#put(value);
  };

  readonly #seekEarliest = (_field: Slice, _value: Slice, deadline: number): void => {
    if (deadline !== UNDATED) this.#earliest = Math.min(this.#earliest, deadline);
  };

  readonly #putDated = (field: Slice, value: Slice, deadline: number): void => {
    this.#writer.size(deadline === UNDATED ? 0 : deadline - this.#earliest + 1);
    this.#put(field);
    this.#put(value);
  };
}
