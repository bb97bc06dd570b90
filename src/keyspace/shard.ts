/**
 * Shard: one region with its heap, its entries, and its part of every database.
 *
 *     root (a block, 48 B a database)
 *     +0   dictionary header    key hash -> entry
 *     +32  VOLATILE             entries that have a deadline
 *
 * A key's shard follows from its hash, so a store of several shards is one keyspace; each shard is complete in itself.
 * The objects here are views: what they know is in the region. Owner thread only.
 */
import { Heap, type Ref } from "../memory/heap.ts";
import { PAGE_BITS, PAGE_SIZE, Region } from "../memory/region.ts";
import { Dictionary, DICTIONARY_SIZE } from "../structures/dictionary.ts";
import { Entries } from "./entry.ts";

const DATABASE_SIZE = 48;
const VOLATILE = DICTIONARY_SIZE;

export class Shard {
  readonly region: Region;
  readonly heap: Heap;
  readonly entries: Entries;
  readonly dictionaries: Dictionary[] = [];
  readonly #root: Ref;

  /** Makes an empty shard of `size` bytes for `databases` databases. */
  constructor(size: number, databases: number, shadowLimit: number) {
    this.region = new Region(size, shadowLimit);
    this.heap = new Heap(this.region);
    this.entries = new Entries(this.heap);
    this.#root = this.heap.allocateStructural(databases * DATABASE_SIZE);
    this.region.words.fill(0, this.#root >>> 2, (this.#root + databases * DATABASE_SIZE) >>> 2);
    this.heap.root = this.#root;
    for (let index = 0; index < databases; index++) {
      this.dictionaries.push(new Dictionary(this.heap, Shard.dictionaryAt(this.#root, index)));
    }
  }

  /** Where database `index` has its dictionary's header, in a region whose heap's root is `root`. */
  static dictionaryAt(root: Ref, index: number): Ref {
    return root + index * DATABASE_SIZE;
  }

  /** Entries of database `index` that have a deadline. */
  volatileCount(index: number): number {
    return this.region.word(this.#root + index * DATABASE_SIZE + VOLATILE);
  }

  /** Counts `change` more volatile entries in database `index`. */
  countVolatile(index: number, change: number): void {
    const at = this.#root + index * DATABASE_SIZE + VOLATILE;
    this.region.setWord(at, this.region.word(at) + change);
  }

  /** Exchanges two databases: their headers change places, in O(1). */
  swap(left: number, right: number): void {
    const { region } = this;
    for (let field = 0; field < DATABASE_SIZE; field += 4) {
      const leftAt = this.#root + left * DATABASE_SIZE + field;
      const rightAt = this.#root + right * DATABASE_SIZE + field;
      const word = region.word(leftAt);
      region.setWord(leftAt, region.word(rightAt));
      region.setWord(rightAt, word);
    }
  }

  /** Frees everything that database `index` holds. O(keys). */
  clear(index: number): void {
    const dictionary = this.dictionaries[index]!;
    dictionary.forEach((entry) => this.entries.free(entry));
    dictionary.clear();
    this.region.setWord(this.#root + index * DATABASE_SIZE + VOLATILE, 0);
  }

  /** True while the region has no more committed than a fresh one would soon have. */
  get isSmall(): boolean {
    return this.heap.figures().touchedBytes < 4096 * PAGE_SIZE;
  }

  /** Bytes of the region's own header and page map that are in use. */
  get metadataBytes(): number {
    return PAGE_SIZE + (this.heap.figures().touchedBytes >>> PAGE_BITS) * 4;
  }

  /** Verifies heap, dictionaries, entries, and that every block is reachable. @throws Error that names what is wrong */
  verify(): void {
    this.heap.verify();
    let blocks = 1;
    for (const [index, dictionary] of this.dictionaries.entries()) {
      dictionary.verify();
      let count = 0;
      let volatile = 0;
      dictionary.forEach((entry) => {
        this.entries.verify(entry);
        blocks += this.entries.blockCount(entry);
        count += 1;
        if (this.entries.hasDeadline(entry)) volatile += 1;
      });
      if (count > 0) blocks += dictionary.segments + 1;
      if (volatile !== this.volatileCount(index)) throw new Error(`shard: database ${index} has ${volatile} volatile keys`);
    }
    const { liveBlocks } = this.heap.figures();
    if (blocks !== liveBlocks) throw new Error(`shard: ${liveBlocks} blocks are handed out, ${blocks} are reachable`);
  }
}
