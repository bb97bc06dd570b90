/**
 * Sets, as they are saved.
 *
 *     2   SET_VALUE      count, members
 *     11  SET_INTSET     an intset, as a string
 *     20  SET_LISTPACK   a listpack, as a string: only since Redis 7.2, so it is read but not written
 */
import { EMPTY_BYTES, Slice } from "../base/bytes.ts";
import { copyToBlock } from "../keyspace/block-copy.ts";
import { MemberSet } from "../keyspace/member-set.ts";
import { SetMember } from "../keyspace/set-member.ts";
import type { Heap, Ref } from "../memory/heap.ts";
import { INTSET, LISTPACK, TABLE } from "../structures/collection.ts";
import { Intset, validateIntset } from "../structures/intset.ts";
import type { Collection, Workplace } from "./collection.ts";
import { DamagedValueError, EmptyValueError, SET_INTSET, SET_VALUE } from "./format.ts";
import { hasSpeltInteger, walkDistinct, walkListpack } from "./packed.ts";
import type { RdbReader, StringHolder } from "./reader.ts";
import type { RdbWriter } from "./writer.ts";

const member = new SetMember();
const slice = new Slice();

export function writeSet(writer: RdbWriter, heap: Heap, encoding: number, root: Ref): void {
  if (encoding === INTSET) {
    writer.byte(SET_INTSET);
    writer.string(heap.region.bytes, root, new Intset(heap).attach(root).byteLength);
    return;
  }
  const set = new MemberSet(heap).attach(encoding, root);
  writer.byte(SET_VALUE);
  writer.size(set.count);
  set.forEach((place) => {
    const { bytes, start, length } = set.read(place, slice);
    writer.string(bytes, start, length);
  });
}

/** @throws DamagedValueError, or RegionFullError; nothing is left behind then */
export function readSet(reader: RdbReader, type: number, place: Workplace): Collection {
  if (type === SET_VALUE) return readMembers(reader, place);
  reader.string(place.packed);
  return type === SET_INTSET ? readIntset(place) : readListpack(place);
}

/** Begins with the encoding that Redis begins with, which decides what the set becomes. */
function readMembers(reader: RdbReader, place: Workplace): Collection {
  const count = reader.size();
  if (count === 0) throw new EmptyValueError("a set has no members");
  return build(place, count > place.limits.setIntsetEntries ? TABLE : INTSET, (set) => {
    for (let left = count; left > 0; left--) add(set, reader.string(place.element), place);
  });
}

function readIntset(place: Workplace): Collection {
  const { heap, limits, element } = place;
  const { bytes, start, length } = place.packed;
  if (!validateIntset(bytes, start, length)) throw new DamagedValueError("an intset is damaged");
  const root = copyToBlock(heap, bytes, start, length);
  const intset = new Intset(heap).attach(root);
  if (intset.count <= limits.setIntsetEntries) return { encoding: INTSET, root };
  try {
    return build(place, TABLE, (set) => {
      for (let index = 0; index < intset.count; index++) {
        element.setInteger(intset.at(index));
        add(set, element, place);
      }
    });
  } finally {
    heap.free(root);
  }
}

function readListpack(place: Workplace): Collection {
  const { heap, limits, packed, element } = place;
  const count = walkDistinct(packed, element, walkListpack, 1);
  if (count === 0) throw new EmptyValueError("a set has no members");
  if (count <= limits.setListpackEntries && !hasSpeltInteger(packed)) {
    return { encoding: LISTPACK, root: copyToBlock(heap, packed.bytes, packed.start, packed.length) };
  }
  return build(place, count > limits.setListpackEntries ? TABLE : LISTPACK, (set) => {
    walkListpack(packed, element, (each) => add(set, each, place));
  });
}

function build(place: Workplace, encoding: number, fill: (set: MemberSet) => void): Collection {
  const set = new MemberSet(place.heap).create(encoding);
  try {
    fill(set);
  } catch (error) {
    set.free();
    throw error;
  } finally {
    member.point(place.staged, EMPTY_BYTES, 0, 0);
  }
  return { encoding: set.encoding, root: set.root };
}

function add(set: MemberSet, { bytes, start, length }: StringHolder, { limits, staged }: Workplace): void {
  if (!set.add(member.point(staged, bytes, start, length), limits)) {
    throw new DamagedValueError("a member is in a set twice");
  }
}
