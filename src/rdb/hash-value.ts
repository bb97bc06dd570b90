/**
 * Hashes, as they are saved.
 *
 *     4   HASH_VALUE                  count, fields and values in turn
 *     16  HASH_LISTPACK               a listpack of fields and values, as a string
 *     13  HASH_ZIPLIST                a ziplist of them: Redis 2.6 to 6.2
 *     9   HASH_ZIPMAP                 a zipmap: Redis 2.0 to 2.4
 *     24  HASH_OF_DEADLINES           EARLIEST (8), count, { distance, field, value }: Redis 7.4
 *     25  HASH_LISTPACK_OF_DEADLINES  EARLIEST (8), a listpack of fields, values and deadlines
 *     22, 23                          the same without EARLIEST: candidates of 7.4
 *
 * EARLIEST is the earliest deadline in milliseconds since 1970. A distance is 0 for a field without a deadline, else
 * one more than the field's deadline is after EARLIEST; in type 22, which has none, it is the deadline. In a listpack
 * the deadline itself stands, or 0, and the fields are in the order of their deadlines, those without one last.
 */
import { Slice } from "../base/bytes.ts";
import { parseInt64 } from "../base/int64.ts";
import { copyToBlock } from "../keyspace/block-copy.ts";
import type { Heap, Ref } from "../memory/heap.ts";
import { LISTPACK, LISTPACK_EX } from "../structures/collection.ts";
import { FieldTable, UNDATED } from "../structures/field-table.ts";
import { Listpack } from "../structures/listpack.ts";
import type { Collection, Workplace } from "./collection.ts";
import {
  DamagedValueError,
  EmptyValueError,
  HASH_LISTPACK,
  HASH_LISTPACK_OF_DEADLINES,
  HASH_LISTPACK_OF_DEADLINES_CANDIDATE,
  HASH_OF_DEADLINES,
  HASH_OF_DEADLINES_CANDIDATE,
  HASH_VALUE,
  HASH_ZIPLIST,
} from "./format.ts";
import { HashBuilder } from "./hash-builder.ts";
import { hasSpeltInteger, type Walk, walkDistinct, walkListpack } from "./packed.ts";
import { type RdbReader, StringHolder } from "./reader.ts";
import type { RdbWriter } from "./writer.ts";
import { walkZiplist, walkZipmap } from "./ziplist.ts";

/** Deadlines have 46 bits in Redis 7.4's memory, and 48 here. */
const DEADLINE_MAX = 2 ** 48 - 1;

const slice = new Slice();

export function writeHash(writer: RdbWriter, heap: Heap, encoding: number, root: Ref): void {
  if (encoding === LISTPACK || encoding === LISTPACK_EX) {
    const pack = new Listpack(heap).attach(root);
    writer.byte(encoding === LISTPACK ? HASH_LISTPACK : HASH_LISTPACK_OF_DEADLINES);
    if (encoding === LISTPACK_EX) writer.time(pack.integerAt(pack.seek(2))!);
    writer.string(heap.region.bytes, root, pack.byteLength);
  } else {
    writeTable(writer, new FieldTable(heap).attach(root));
  }
}

function writeTable(writer: RdbWriter, table: FieldTable): void {
  const isDated = table.datedCount > 0;
  const earliest = isDated ? earliestOf(table) : UNDATED;
  writer.byte(isDated ? HASH_OF_DEADLINES : HASH_VALUE);
  if (isDated) writer.time(earliest);
  writer.size(table.count);
  table.dictionary.forEach((field) => {
    const deadline = table.deadline(field);
    if (isDated) writer.size(deadline === UNDATED ? 0 : deadline - earliest + 1);
    table.readName(field, slice);
    writer.string(slice.bytes, slice.start, slice.length);
    table.readValue(field, slice);
    writer.string(slice.bytes, slice.start, slice.length);
  });
}

/** The earliest deadline exactly: what the table keeps is a bound. */
function earliestOf(table: FieldTable): number {
  let earliest = Number.POSITIVE_INFINITY;
  table.dictionary.forEach((field) => {
    const deadline = table.deadline(field);
    if (deadline !== UNDATED) earliest = Math.min(earliest, deadline);
  });
  return earliest;
}

/** @throws DamagedValueError, or RegionFullError; nothing is left behind then */
export function readHash(reader: RdbReader, type: number, place: Workplace): Collection {
  switch (type) {
    case HASH_VALUE:
      return readFields(reader, place);
    case HASH_OF_DEADLINES:
    case HASH_OF_DEADLINES_CANDIDATE:
      return readDatedFields(reader, type, place);
    case HASH_LISTPACK_OF_DEADLINES:
      reader.time();
      return readDatedListpack(reader, place);
    case HASH_LISTPACK_OF_DEADLINES_CANDIDATE:
      return readDatedListpack(reader, place);
    case HASH_LISTPACK:
      return readListpack(reader, place);
    case HASH_ZIPLIST:
      // Of a ziplist, Redis asks for the number of fields only.
      return readPacked(reader, place, walkZiplist, Number.POSITIVE_INFINITY);
    default:
      return readPacked(reader, place, walkZipmap, place.limits.hashValue);
  }
}

function readFields(reader: RdbReader, place: Workplace): Collection {
  const count = countOf(reader);
  return build(place, count, place.limits.hashValue, (builder) => {
    for (let left = count; left > 0; left--) builder.add(reader.string(place.element), reader.string(place.second));
  });
}

function readDatedFields(reader: RdbReader, type: number, place: Workplace): Collection {
  const earliest = type === HASH_OF_DEADLINES ? Number(reader.time()) : 1;
  const count = countOf(reader);
  return build(place, count, place.limits.hashValue, (builder) => {
    for (let left = count; left > 0; left--) {
      const distance = reader.size();
      const deadline = distance === 0 ? UNDATED : checkedDeadline(earliest + distance - 1);
      builder.addDated(reader.string(place.element), reader.string(place.second), deadline);
    }
  });
}

function readListpack(reader: RdbReader, place: Workplace): Collection {
  const { heap, limits, element } = place;
  const packed = reader.string(place.packed);
  const count = walkDistinct(packed, element, walkListpack, 2);
  checkCount(count, 2);
  if (count / 2 <= limits.hashEntries && !hasSpeltInteger(packed)) {
    return { encoding: LISTPACK, root: copyToBlock(heap, packed.bytes, packed.start, packed.length) };
  }
  return buildFromPairs(place, count / 2, walkListpack, Number.POSITIVE_INFINITY);
}

function readPacked(reader: RdbReader, place: Workplace, walk: Walk, elementMax: number): Collection {
  const { element } = place;
  reader.string(place.packed);
  const count = walk(place.packed, element, () => undefined);
  checkCount(count, 2);
  return buildFromPairs(place, count / 2, walk, elementMax);
}

function buildFromPairs(place: Workplace, count: number, walk: Walk, elementMax: number): Collection {
  const { packed, element, second } = place;
  return build(place, count, elementMax, (builder) => {
    let isField = true;
    walk(packed, element, (each) => {
      if (isField) second.take(each);
      else builder.add(second, each);
      isField = !isField;
    });
  });
}

function readDatedListpack(reader: RdbReader, place: Workplace): Collection {
  const { element, second } = place;
  const packed = reader.string(place.packed);
  const count = walkListpack(packed, element, () => undefined);
  checkCount(count, 3);
  const value = new StringHolder();
  return build(place, count / 3, Number.POSITIVE_INFINITY, (builder) => {
    let index = 0;
    walkListpack(packed, element, (each) => {
      if (index === 0) second.take(each);
      else if (index === 1) value.take(each);
      else builder.addDated(second, value, deadlineIn(each));
      index = (index + 1) % 3;
    });
  });
}

function deadlineIn({ bytes, start, length }: StringHolder): number {
  const deadline = parseInt64(bytes, start, length);
  if (deadline === undefined) throw new DamagedValueError("a field's deadline is no integer");
  return deadline === UNDATED ? UNDATED : checkedDeadline(Number(deadline));
}

function checkedDeadline(deadline: number): number {
  if (deadline <= 0 || deadline > DEADLINE_MAX) throw new DamagedValueError("a field's deadline is out of range");
  return deadline;
}

function countOf(reader: RdbReader): number {
  const count = reader.size();
  if (count === 0) throw new EmptyValueError("a hash has no fields");
  return count;
}

/** @param count elements of which so many together are one field */
function checkCount(count: number, together: number): void {
  if (count === 0) throw new EmptyValueError("a hash has no fields");
  if (count % together !== 0) throw new DamagedValueError("a field of a hash is incomplete");
}

function build(place: Workplace, count: number, elementMax: number, fill: (builder: HashBuilder) => void): Collection {
  const builder = new HashBuilder(place, count, elementMax);
  try {
    fill(builder);
    return builder.finish();
  } catch (error) {
    builder.discard();
    throw error;
  }
}
