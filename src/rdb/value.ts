/**
 * Values of any type, as they are saved: the type's number, and what the type's own file draws.
 *
 *     0   STRING_VALUE   a string
 *
 * Written is what redis-server 7.0 reads. Read is what Redis 2.8 to 7.4 wrote, and every value completely, and checked,
 * before any key is changed.
 */
import { EMPTY_BYTES } from "../base/bytes.ts";
import type { Int64 } from "../base/int64.ts";
import { collectionType } from "../keyspace/collection-types.ts";
import { type Entries, EXTERNAL, HASH, INT, LIST, SET, SORTED_SET, STRING } from "../keyspace/entry.ts";
import type { Key } from "../keyspace/key.ts";
import { setString } from "../keyspace/strings.ts";
import { NONE, type Ref } from "../memory/heap.ts";
import { type Collection, Holders, Workplace } from "./collection.ts";
import {
  DamagedValueError,
  ForeignValueError,
  HASH_LISTPACK,
  HASH_LISTPACK_OF_DEADLINES,
  HASH_LISTPACK_OF_DEADLINES_CANDIDATE,
  HASH_OF_DEADLINES,
  HASH_OF_DEADLINES_CANDIDATE,
  HASH_VALUE,
  HASH_ZIPLIST,
  HASH_ZIPMAP,
  LIST_OF_LISTPACKS,
  LIST_OF_ZIPLISTS,
  LIST_VALUE,
  LIST_ZIPLIST,
  SET_INTSET,
  SET_LISTPACK,
  SET_VALUE,
  SORTED_SET_LISTPACK,
  SORTED_SET_OF_TEXT_SCORES,
  SORTED_SET_VALUE,
  SORTED_SET_ZIPLIST,
  STRING_VALUE,
} from "./format.ts";
import { readHash, writeHash } from "./hash-value.ts";
import { readList, writeList } from "./list-value.ts";
import { type RdbReader, StringHolder } from "./reader.ts";
import { readSet, writeSet } from "./set-value.ts";
import { readSortedSet, writeSortedSet } from "./sorted-set-value.ts";
import type { RdbWriter } from "./writer.ts";

/** Which type of the keyspace a saved type is; the others are unknown here. */
const TYPES = new Map<number, number>([
  [STRING_VALUE, STRING],
  ...[LIST_VALUE, LIST_ZIPLIST, LIST_OF_ZIPLISTS, LIST_OF_LISTPACKS].map((type) => [type, LIST] as const),
  ...[SET_VALUE, SET_INTSET, SET_LISTPACK].map((type) => [type, SET] as const),
  ...[SORTED_SET_OF_TEXT_SCORES, SORTED_SET_VALUE, SORTED_SET_ZIPLIST, SORTED_SET_LISTPACK].map(
    (type) => [type, SORTED_SET] as const,
  ),
  ...[HASH_VALUE, HASH_ZIPMAP, HASH_ZIPLIST, HASH_LISTPACK].map((type) => [type, HASH] as const),
  ...[HASH_OF_DEADLINES, HASH_LISTPACK_OF_DEADLINES].map((type) => [type, HASH] as const),
  ...[HASH_OF_DEADLINES_CANDIDATE, HASH_LISTPACK_OF_DEADLINES_CANDIDATE].map((type) => [type, HASH] as const),
]);

/** Types of Redis that do not exist here, by what they are saved as. */
const STREAMS: readonly number[] = [15, 19, 21];
const MODULES: readonly number[] = [6, 7];

function unknownType(saved: number): DamagedValueError {
  if (STREAMS.includes(saved)) return new ForeignValueError("it is a stream, which this version does not have");
  if (MODULES.includes(saved)) return new ForeignValueError("it is a value of a module, and there are none here");
  return new DamagedValueError(`a value of the unknown type ${saved}`);
}

/** Appends an entry's value. */
export function writeValue(writer: RdbWriter, entries: Entries, entry: Ref): void {
  const encoding = entries.encoding(entry);
  const root = entries.value(entry);
  switch (entries.type(entry)) {
    case STRING:
      writeString(writer, entries, entry);
      break;
    case LIST:
      writeList(writer, entries.heap, encoding, root);
      break;
    case SET:
      writeSet(writer, entries.heap, encoding, root);
      break;
    case SORTED_SET:
      writeSortedSet(writer, entries.heap, encoding, root);
      break;
    default:
      writeHash(writer, entries.heap, encoding, root);
  }
}

function writeString(writer: RdbWriter, entries: Entries, entry: Ref): void {
  writer.byte(STRING_VALUE);
  const encoding = entries.encoding(entry);
  if (encoding === INT) {
    writer.integer(entries.integer(entry));
  } else {
    const start = encoding === EXTERNAL ? entries.extra(entry) : entries.inlineStart(entry);
    writer.string(entries.bytes, start, entries.value(entry));
  }
}

/**
 * A value that is being read, for a key that is not touched yet: `read` puts it together, then `place` gives it to the
 * key, or `discard` drops it. One of the two must follow.
 */
export class ValueReader {
  readonly #string = new StringHolder();
  readonly #holders = new Holders();
  #type = STRING;
  #collection: Collection = { encoding: 0, root: NONE };

  /** Reads a type and its value. @throws DamagedValueError, or RegionFullError; there is nothing to be dropped then */
  read(reader: RdbReader, key: Key): void {
    this.readAs(reader.byte(), reader, key);
  }

  /** As `read`, of a value whose type has been read: in a file the key stands between the two. */
  readAs(saved: number, reader: RdbReader, key: Key): void {
    const type = saved === STRING_VALUE ? STRING : TYPES.get(saved);
    if (type === undefined) throw unknownType(saved);
    this.#type = type;
    if (type === STRING) {
      reader.string(this.#string);
      return;
    }
    const { keyspace } = key;
    const workplace = new Workplace(key.shard.heap, keyspace.limits, keyspace.member, this.#holders);
    try {
      this.#collection = this.#readCollection(reader, saved, workplace);
    } finally {
      this.#holders.clear();
    }
  }

  /**
   * Gives the key the value, whatever it held.
   * @param deadline milliseconds since 1970, or NO_DEADLINE
   * @throws RegionFullError with the key as it was, and the value dropped
   */
  place(key: Key, deadline: Int64): void {
    if (this.#type === STRING) {
      const { bytes, start, length } = this.#string;
      this.#string.set(EMPTY_BYTES, 0, 0);
      setString(key, bytes, start, length, deadline);
      return;
    }
    const { encoding, root } = this.#collection;
    try {
      key.setCollection(this.#type, encoding, root, deadline);
    } catch (error) {
      this.discard(key);
      throw error;
    }
  }

  /** Drops the value. */
  discard(key: Key): void {
    if (this.#type === STRING) return;
    const { heap } = key.shard;
    const { encoding, root } = this.#collection;
    collectionType(this.#type).forEachBlock(heap, encoding, root, (block) => heap.free(block));
  }

  #readCollection(reader: RdbReader, saved: number, workplace: Workplace): Collection {
    switch (this.#type) {
      case LIST:
        return readList(reader, saved, workplace);
      case SET:
        return readSet(reader, saved, workplace);
      case SORTED_SET:
        return readSortedSet(reader, saved, workplace);
      default:
        return readHash(reader, saved, workplace);
    }
  }
}
