/** Lists as the keyspace sees them: what blocks they have, how to copy and to check them. Layout: list-cursor.ts. */
import { copyBytes } from "../base/bytes.ts";
import type { Heap, Ref } from "../memory/heap.ts";
import { CHUNKS, type CollectionType, LISTPACK } from "../structures/collection.ts";
import { ListCursor } from "./list-cursor.ts";

/** Not those of the shard: a list may be freed while a command looks at another one. */
const cursors = new WeakMap<Heap, ListCursor>();

function cursorOf(heap: Heap, encoding: number, root: Ref): ListCursor {
  let cursor = cursors.get(heap);
  if (cursor === undefined) {
    cursor = new ListCursor(heap);
    cursors.set(heap, cursor);
  }
  return cursor.attach(encoding, root);
}

function copyListpack(from: Heap, ref: Ref, byteLength: number, to: Heap): Ref {
  const copy = to.allocate(byteLength);
  to.region.guard(copy, byteLength);
  copyBytes(from.region.bytes, ref, to.region.bytes, copy, byteLength);
  return copy;
}

function copyChunks(from: Heap, root: Ref, to: Heap): Ref {
  const source = cursorOf(from, CHUNKS, root);
  const target = new ListCursor(to).create(CHUNKS, 0);
  try {
    source.chunks.forEachListpack((listpack, count) => {
      const copy = copyListpack(from, listpack, source.pack.attach(listpack).byteLength, to);
      try {
        target.chunks.appendListpack(copy, count);
      } catch (error) {
        to.free(copy);
        throw error;
      }
    });
  } catch (error) {
    target.chunks.forEachBlock((block) => to.free(block));
    throw error;
  }
  return target.root;
}

export const listType: CollectionType = {
  forEachBlock(heap, encoding, root, visit) {
    if (encoding === LISTPACK) visit(heap.blockOf(root));
    else cursorOf(heap, encoding, root).chunks.forEachBlock(visit);
  },

  walkBlocks(heap, encoding, root, place, visit) {
    if (encoding === CHUNKS) return cursorOf(heap, encoding, root).chunks.walkBlocks(place, visit);
    visit(heap.blockOf(root));
    return 0;
  },

  estimate(heap, encoding, root, into) {
    cursorOf(heap, encoding, root).chunks.estimate(into);
  },

  memoryUsage(heap, encoding, root, samples) {
    if (encoding === LISTPACK) return heap.sizeOf(heap.blockOf(root));
    const { chunks } = cursorOf(heap, encoding, root);
    let bytes = 0;
    let seen = 0;
    for (let at = chunks.first(); at !== 0 && (samples === 0 || seen < samples); at = chunks.nextNode()) {
      bytes += heap.sizeOf(chunks.pack.block) + heap.sizeOf(chunks.node);
      seen += 1;
    }
    return heap.sizeOf(root) + Math.round((bytes / seen) * chunks.nodes);
  },

  count(heap, encoding, root) {
    return cursorOf(heap, encoding, root).count;
  },

  copy(from, encoding, root, to) {
    if (encoding === CHUNKS) return copyChunks(from, root, to);
    return copyListpack(from, root, cursorOf(from, encoding, root).pack.byteLength, to);
  },

  verify(heap, encoding, root) {
    if (encoding !== LISTPACK && encoding !== CHUNKS) throw new Error(`list: has encoding ${encoding}`);
    const cursor = cursorOf(heap, encoding, root);
    if (cursor.count === 0) throw new Error("list: has no elements");
    if (encoding === LISTPACK) cursor.pack.verify();
    else cursor.chunks.verify();
  },
};
