/**
 * Hashes as the keyspace sees them: what blocks they have, how to copy and to check them. And the views through which
 * they are read and written.
 *
 *     LISTPACK     field, value, field, value, ...
 *     LISTPACK_EX  field, value, deadline, ...   deadlines as integers, 0 for none; in the order of their deadlines,
 *                                                those without one last: what has expired stands in front
 *     TABLE        structures/field-table.ts
 *
 * The same bytes as Redis 7.4 has in memory and in its files.
 */
import { copyBytes } from "../base/bytes.ts";
import type { Heap, Ref } from "../memory/heap.ts";
import { type CollectionType, LISTPACK, LISTPACK_EX, TABLE } from "../structures/collection.ts";
import { SCAN_END } from "../structures/dictionary.ts";
import { FieldTable, UNDATED } from "../structures/field-table.ts";
import { Listpack } from "../structures/listpack.ts";

/** Views of one heap's hashes; each is attached anew by whoever uses it. */
export class HashViews {
  readonly pack: Listpack;
  /** A second view of the same listpack, for a value that is looked at together with its field. */
  readonly values: Listpack;
  readonly table: FieldTable;

  constructor(heap: Heap) {
    this.pack = new Listpack(heap);
    this.values = new Listpack(heap);
    this.table = new FieldTable(heap);
  }
}

/** Not those of the shard: a hash may be freed while a command looks at another one. */
const viewsOfHeaps = new WeakMap<Heap, HashViews>();

function viewsOf(heap: Heap): HashViews {
  let views = viewsOfHeaps.get(heap);
  if (views === undefined) {
    views = new HashViews(heap);
    viewsOfHeaps.set(heap, views);
  }
  return views;
}

/** Elements of a listpack for one field. */
export function strideOf(encoding: number): 2 | 3 {
  return encoding === LISTPACK_EX ? 3 : 2;
}

/** Bytes of a table without its fields. */
function tableBytes(table: FieldTable, root: Ref): number {
  const { heap } = table;
  let bytes = heap.sizeOf(root);
  table.dictionary.forEachBlock((block) => {
    bytes += heap.sizeOf(block);
  });
  return bytes;
}

function copyTable(from: Heap, root: Ref, to: Heap): Ref {
  const source = viewsOf(from).table.attach(root);
  const target = new FieldTable(to);
  const copy = target.create();
  target.attach(copy);
  try {
    source.dictionary.forEach((field, hash) => {
      target.addCopy(source, field, hash);
    });
  } catch (error) {
    target.forEachBlock((block) => to.free(block));
    throw error;
  }
  return copy;
}

function verifyDeadlines(pack: Listpack): void {
  let last = 0;
  for (let at = pack.first(); at !== 0; at = pack.next(at)) {
    at = pack.next(pack.next(at));
    const deadline = pack.integerAt(at);
    if (typeof deadline !== "number" || deadline < 0) throw new Error("hash: a deadline is no time");
    const rank = deadline === UNDATED ? Number.POSITIVE_INFINITY : deadline;
    if (rank < last) throw new Error("hash: its fields are not in the order of their deadlines");
    last = rank;
  }
}

export const hashType: CollectionType = {
  forEachBlock(heap, encoding, root, visit) {
    if (encoding === TABLE) viewsOf(heap).table.attach(root).forEachBlock(visit);
    else visit(root);
  },

  walkBlocks(heap, encoding, root, place, visit) {
    if (encoding === TABLE) return viewsOf(heap).table.attach(root).walkBlocks(place, visit);
    visit(root);
    return 0;
  },

  estimate(heap, _encoding, root, into) {
    const table = viewsOf(heap).table.attach(root);
    table.dictionary.estimate((field) => table.sizeOf(field), into);
  },

  memoryUsage(heap, encoding, root, samples) {
    if (encoding !== TABLE) return heap.sizeOf(root);
    const table = viewsOf(heap).table.attach(root);
    const { count, dictionary } = table;
    let [seen, bytes] = [0, 0];
    const add = (field: Ref): void => {
      seen += 1;
      bytes += table.sizeOf(field);
    };
    if (samples === 0 || samples >= count) dictionary.forEach(add);
    else for (let cursor = 0; seen < samples && cursor < SCAN_END; ) cursor = dictionary.scan(cursor, add);
    return tableBytes(table, root) + (seen === 0 ? 0 : Math.round((bytes / seen) * count));
  },

  nextDeadline(heap, encoding, root) {
    if (encoding === LISTPACK) return -1;
    if (encoding === TABLE) {
      const { deadlines } = viewsOf(heap).table.attach(root);
      return deadlines.count === 0 ? -1 : deadlines.earliest;
    }
    const pack = viewsOf(heap).pack.attach(root);
    const deadline = Number(pack.integerAt(pack.seek(2)));
    return deadline === UNDATED ? -1 : deadline;
  },

  count(heap, encoding, root) {
    const views = viewsOf(heap);
    if (encoding === TABLE) return views.table.attach(root).count;
    return views.pack.attach(root).count / strideOf(encoding);
  },

  copy(from, encoding, root, to) {
    if (encoding === TABLE) return copyTable(from, root, to);
    const length = viewsOf(from).pack.attach(root).byteLength;
    const copy = to.allocate(length);
    to.region.guard(copy, length);
    copyBytes(from.region.bytes, root, to.region.bytes, copy, length);
    return copy;
  },

  verify(heap, encoding, root) {
    if (this.count(heap, encoding, root) === 0) throw new Error("hash: has no fields");
    if (encoding === TABLE) {
      viewsOf(heap).table.attach(root).verify();
      return;
    }
    if (encoding !== LISTPACK && encoding !== LISTPACK_EX) throw new Error(`hash: has encoding ${encoding}`);
    const pack = viewsOf(heap).pack.attach(root);
    pack.verify();
    if (pack.count % strideOf(encoding) !== 0) throw new Error("hash: a field has no value");
    if (encoding === LISTPACK_EX) verifyDeadlines(pack);
  },
};
