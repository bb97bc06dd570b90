/** What the keyspace does with any collection, for sets. member-set.ts says how they are stored. */
import { copyBytes } from "../base/bytes.ts";
import { type Heap, NONE, type Ref } from "../memory/heap.ts";
import { type CollectionType, INTSET, LISTPACK, TABLE } from "../structures/collection.ts";
import { SCAN_END } from "../structures/dictionary.ts";
import { Intset } from "../structures/intset.ts";
import { Listpack } from "../structures/listpack.ts";
import { MemberTable } from "../structures/member-table.ts";
import { SET_BYTES_AT, SET_LENGTH_AT } from "./member-set.ts";

function tableAt(heap: Heap, root: Ref): MemberTable {
  return new MemberTable(heap, SET_LENGTH_AT, SET_BYTES_AT).attach(root);
}

/** Bytes of a small encoding's one block that are in use. */
function lengthOf(heap: Heap, encoding: number, root: Ref): number {
  return (encoding === LISTPACK ? new Listpack(heap) : new Intset(heap)).attach(root).byteLength;
}

function copyBlock(from: Heap, block: Ref, length: number, to: Heap): Ref {
  const copy = to.allocate(length);
  to.region.guard(copy, length);
  copyBytes(from.region.bytes, block, to.region.bytes, copy, length);
  return copy;
}

function copyTable(from: Heap, root: Ref, to: Heap): Ref {
  const source = tableAt(from, root);
  const copy = tableAt(to, NONE);
  const header = copy.create();
  copy.attach(header);
  try {
    source.dictionary.forEach((member, hash) => {
      const block = copyBlock(from, member, SET_BYTES_AT + ((source.length(member) + 3) & ~3), to);
      try {
        copy.insert(hash, block);
      } catch (error) {
        to.free(block);
        throw error;
      }
    });
  } catch (error) {
    copy.forEachBlock((block) => to.free(block));
    throw error;
  }
  return header;
}

/** Of the members' blocks, those of the first `samples` stand for all. */
function tableUsage(heap: Heap, root: Ref, samples: number): number {
  const table = tableAt(heap, root);
  let bytes = heap.sizeOf(root);
  table.dictionary.forEachBlock((block) => {
    bytes += heap.sizeOf(block);
  });
  let sampled = 0;
  let sampledBytes = 0;
  const sample = (member: Ref): void => {
    sampled += 1;
    sampledBytes += heap.sizeOf(member);
  };
  if (samples === 0) table.dictionary.forEach(sample);
  else for (let at = 0; at < SCAN_END && sampled < samples; ) at = table.dictionary.scan(at, sample);
  return bytes + (sampled === 0 ? 0 : Math.round((sampledBytes / sampled) * table.count));
}

function verifyTable(heap: Heap, root: Ref): void {
  const table = tableAt(heap, root);
  const { words } = heap.region;
  table.dictionary.verify();
  table.dictionary.forEach((member, hash) => {
    const length = table.length(member);
    const size = SET_BYTES_AT + ((length + 3) & ~3);
    if (heap.sizeOf(member) < size) throw new Error(`set: member ${member} is larger than its block`);
    const padded = words.slice(table.start(member) >>> 2, (member + size) >>> 2);
    if (table.find(padded, length, hash) !== member) throw new Error(`set: member ${member} is there twice`);
    for (let at = table.start(member) + length; at < member + size; at++) {
      if (heap.region.bytes[at] !== 0) throw new Error(`set: member ${member} is not padded with zeros`);
    }
  });
}

export const setType: CollectionType = {
  forEachBlock(heap, encoding, root, visit) {
    if (encoding === TABLE) tableAt(heap, root).forEachBlock(visit);
    else visit(root);
  },

  walkBlocks(heap, encoding, root, place, visit) {
    if (encoding === TABLE) return tableAt(heap, root).walkBlocks(place, visit);
    visit(root);
    return 0;
  },

  estimate(heap, _encoding, root, into) {
    tableAt(heap, root).dictionary.estimate((member) => heap.sizeOf(member), into);
  },

  memoryUsage(heap, encoding, root, samples) {
    return encoding === TABLE ? tableUsage(heap, root, samples) : heap.sizeOf(root);
  },

  count(heap, encoding, root) {
    if (encoding === TABLE) return tableAt(heap, root).count;
    return encoding === LISTPACK ? new Listpack(heap).attach(root).count : new Intset(heap).attach(root).count;
  },

  copy(from, encoding, root, to) {
    if (encoding === TABLE) return copyTable(from, root, to);
    return copyBlock(from, root, lengthOf(from, encoding, root), to);
  },

  verify(heap, encoding, root) {
    if (encoding === TABLE) verifyTable(heap, root);
    else if (encoding === LISTPACK) new Listpack(heap).attach(root).verify();
    else if (encoding === INTSET) new Intset(heap).attach(root).verify();
    else throw new Error(`set: encoding ${encoding}`);
    if (setType.count(heap, encoding, root) === 0) throw new Error("set: empty, but there");
  },
};
