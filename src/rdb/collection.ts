/** What reading a collection has to do with: where it is put together, and what comes out. */
import { EMPTY_BYTES } from "../base/bytes.ts";
import type { CollectionLimits } from "../keyspace/collection-limits.ts";
import type { StagedKey } from "../keyspace/staged-key.ts";
import type { Heap, Ref } from "../memory/heap.ts";
import { StringHolder } from "./reader.ts";

/** Holders of strings that are read: one that packs others, one of those, and one beside it. Reused. */
export class Holders {
  readonly packed = new StringHolder();
  readonly element = new StringHolder();
  readonly second = new StringHolder();

  /** Lets what was read go: it may stand in a large buffer that is needed no more. */
  clear(): void {
    for (const holder of [this.packed, this.element, this.second]) holder.set(EMPTY_BYTES, 0, 0);
  }
}

/**
 * Where a collection is put together: no key owns it yet. Whoever has begun one and cannot finish it, for want of room
 * or because what is read is damaged, frees it again.
 */
export class Workplace {
  readonly heap: Heap;
  readonly limits: CollectionLimits;
  /** For what is looked up or added: hashes depend on the keyspace. */
  readonly staged: StagedKey;
  readonly packed: StringHolder;
  readonly element: StringHolder;
  readonly second: StringHolder;

  constructor(heap: Heap, limits: CollectionLimits, staged: StagedKey, holders: Holders) {
    this.heap = heap;
    this.limits = limits;
    this.staged = staged;
    this.packed = holders.packed;
    this.element = holders.element;
    this.second = holders.second;
  }
}

/** A collection that no key owns. */
export interface Collection {
  readonly encoding: number;
  readonly root: Ref;
}
