/** What the keyspace does with any collection, for sorted sets. sorted-set.ts says how they are stored. */
import type { Heap, Ref } from "../memory/heap.ts";
import { type CollectionType, LISTPACK, TREE } from "../structures/collection.ts";
import { SCAN_END } from "../structures/dictionary.ts";
import { copyToBlock } from "./block-copy.ts";
import { ScorePack } from "./score-pack.ts";
import { ScoreTree } from "./score-tree.ts";

function treeAt(heap: Heap, root: Ref): ScoreTree {
  return new ScoreTree(heap).attach(root);
}

function copyTree(from: Heap, root: Ref, to: Heap): Ref {
  const source = treeAt(from, root);
  const copy = new ScoreTree(to).create();
  try {
    source.forEach((element, hash) => {
      copy.insertCopy(source, element, hash);
    });
  } catch (error) {
    copy.free();
    throw error;
  }
  return copy.root;
}

/** Of the elements' blocks, those of the first `samples` stand for all. */
function treeUsage(heap: Heap, root: Ref, samples: number): number {
  const tree = treeAt(heap, root);
  let bytes = 0;
  tree.forEachIndexBlock((block) => {
    bytes += heap.sizeOf(block);
  });
  let sampled = 0;
  let sampledBytes = 0;
  const sample = (element: Ref): void => {
    sampled += 1;
    sampledBytes += heap.sizeOf(element);
  };
  if (samples === 0) tree.forEach(sample);
  else for (let at = 0; at < SCAN_END && sampled < samples; ) at = tree.scan(at, sample);
  return bytes + (sampled === 0 ? 0 : Math.round((sampledBytes / sampled) * tree.count));
}

export const sortedSetType: CollectionType = {
  forEachBlock(heap, encoding, root, visit) {
    if (encoding === TREE) treeAt(heap, root).forEachBlock(visit);
    else visit(root);
  },

  walkBlocks(heap, encoding, root, place, visit) {
    if (encoding === TREE) return treeAt(heap, root).walkBlocks(place, visit);
    visit(root);
    return 0;
  },

  estimate(heap, _encoding, root, into) {
    treeAt(heap, root).estimate(into);
  },

  memoryUsage(heap, encoding, root, samples) {
    return encoding === TREE ? treeUsage(heap, root, samples) : heap.sizeOf(root);
  },

  count(heap, encoding, root) {
    return encoding === TREE ? treeAt(heap, root).count : new ScorePack(heap).attach(root).count;
  },

  copy(from, encoding, root, to) {
    if (encoding === TREE) return copyTree(from, root, to);
    return copyToBlock(to, from.region.bytes, root, new ScorePack(from).attach(root).byteLength);
  },

  verify(heap, encoding, root) {
    if (encoding === TREE) treeAt(heap, root).verify();
    else if (encoding === LISTPACK) new ScorePack(heap).attach(root).verify();
    else throw new Error(`sorted set: encoding ${encoding}`);
    if (sortedSetType.count(heap, encoding, root) === 0) throw new Error("sorted set: empty, but there");
  },
};
