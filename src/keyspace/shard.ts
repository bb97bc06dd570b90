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
import { Discarded } from "../memory/discarded.ts";
import { Heap, type Ref } from "../memory/heap.ts";
import { PAGE_BITS, PAGE_SIZE, Region } from "../memory/region.ts";
import { DICTIONARY_SIZE, Dictionary } from "../structures/dictionary.ts";
import { BY_FLUSH, type Cause } from "./cause.ts";
import { Entries } from "./entry.ts";
import { HashViews } from "./hash-type.ts";
import { ListCursor } from "./list-cursor.ts";
import { SetViews } from "./set-views.ts";
import { SortedSetViews } from "./sorted-set-views.ts";

const DATABASE_SIZE = 48;
const VOLATILE = DICTIONARY_SIZE;

/** A region of which more than this has been used is worth giving back to the operating system. */
const KEPT_BYTES = 16 * 1024 * 1024;

export class Shard {
  region: Region;
  heap: Heap;
  entries: Entries;
  hashes: HashViews;
  sets: SetViews;
  lists: ListCursor;
  sortedSets: SortedSetViews;
  dictionaries: readonly Dictionary[];
  #root: Ref;
  readonly #shadowLimit: number;
  readonly #discarded = new Discarded();

  /** Makes an empty shard of `size` bytes for `databases` databases. */
  constructor(size: number, databases: number, shadowLimit: number) {
    this.#shadowLimit = shadowLimit;
    this.region = new Region(size, shadowLimit);
    this.heap = new Heap(this.region);
    this.entries = new Entries(this.heap);
    this.hashes = new HashViews(this.heap);
    this.sets = new SetViews(this.heap);
    this.lists = new ListCursor(this.heap);
    this.sortedSets = new SortedSetViews(this.heap);
    this.#root = this.#allocateRoot(databases);
    this.dictionaries = this.#openDictionaries(databases);
  }

  /**
   * Drops all that the shard holds, in O(pages used). The region is used again where it is, or gives way to a fresh
   * one: discarded.ts says when. A view of it that is frozen stays what it is.
   */
  renew(): void {
    const { region, heap } = this;
    const databases = this.dictionaries.length;
    if (heap.figures().touchedBytes > KEPT_BYTES && this.#discarded.offer(region.buffer)) {
      this.region = new Region(region.size, this.#shadowLimit);
      this.heap = new Heap(this.region);
      this.entries = new Entries(this.heap);
      this.hashes = new HashViews(this.heap);
      this.sets = new SetViews(this.heap);
      this.lists = new ListCursor(this.heap);
      this.sortedSets = new SortedSetViews(this.heap);
    } else {
      heap.reset();
    }
    this.#root = this.#allocateRoot(databases);
    this.dictionaries = this.#openDictionaries(databases);
  }

  /** The region's root; dictionaryAt says what stands there. */
  get root(): Ref {
    return this.#root;
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

  /** Gives back an entry that no table refers to any more, with all that it owns. */
  release(entry: Ref, _cause: Cause): void {
    this.entries.free(entry);
  }

  /** Frees everything that database `index` holds. O(keys). */
  clear(index: number): void {
    const dictionary = this.dictionaries[index]!;
    dictionary.forEach((entry) => {
      this.release(entry, BY_FLUSH);
    });
    dictionary.clear();
    this.region.setWord(this.#root + index * DATABASE_SIZE + VOLATILE, 0);
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
      if (volatile !== this.volatileCount(index))
        throw new Error(`shard: database ${index} has ${volatile} volatile keys`);
    }
    const { liveBlocks } = this.heap.figures();
    if (blocks !== liveBlocks) throw new Error(`shard: ${liveBlocks} blocks are handed out, ${blocks} are reachable`);
  }

  #allocateRoot(databases: number): Ref {
    const { heap, region } = this;
    const root = heap.allocateStructural(databases * DATABASE_SIZE);
    region.guard(root, databases * DATABASE_SIZE);
    region.words.fill(0, root >>> 2, (root + databases * DATABASE_SIZE) >>> 2);
    heap.root = root;
    return root;
  }

  #openDictionaries(databases: number): Dictionary[] {
    const headers = Array.from({ length: databases }, (_, index) => Shard.dictionaryAt(this.#root, index));
    return headers.map((header) => new Dictionary(this.heap, header));
  }
}
