/**
 * Shard: one region with its heap, its entries, and its part of every database.
 *
 *     root (a block, 48 B a database)
 *     +0   dictionary header    key hash -> entry
 *     +32  VOLATILE             entries that have a deadline
 *     +36  WHEEL                ref of what is due when (timing-wheel.ts); NONE while nothing ever is
 *     +40  VOLATILE_INDEX       ref of what has a deadline (volatile-index.ts); NONE unless eviction wants to know
 *
 * A key's shard follows from its hash, so a store of several shards is one keyspace; each shard is complete in itself.
 * The objects here are views: what they know is in the region. Owner thread only.
 */
import { Discarded } from "../memory/discarded.ts";
import { Heap, NONE, type Ref, RegionFullError } from "../memory/heap.ts";
import { PAGE_BITS, PAGE_SIZE, Region } from "../memory/region.ts";
import { DICTIONARY_SIZE, Dictionary } from "../structures/dictionary.ts";
import { isWithinWheel, TICK_MS, TimingWheel, WHEEL_END } from "../structures/timing-wheel.ts";
import type { AccessClock } from "./access-clock.ts";
import { BY_UNLINK, type Cause } from "./cause.ts";
import type { Clock } from "./clock.ts";
import { collectionType } from "./collection-types.ts";
import { Entries, NO_DEADLINE, STRING } from "./entry.ts";
import { HashViews } from "./hash-type.ts";
import { ListCursor } from "./list-cursor.ts";
import type { Releaser } from "./release.ts";
import { SetViews } from "./set-views.ts";
import { SortedSetViews } from "./sorted-set-views.ts";
import { VolatileIndex } from "./volatile-index.ts";

const DATABASE_SIZE = 48;
const VOLATILE = DICTIONARY_SIZE;
const WHEEL = VOLATILE + 4;
const VOLATILE_INDEX = WHEEL + 4;

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
  /** A view of whichever database's wheel it was attached to last. */
  wheel: TimingWheel;
  /** A view of whichever database's index of volatile keys it was attached to last. */
  volatileIndex: VolatileIndex;
  dictionaries: readonly Dictionary[];
  /** Whether eviction draws from volatile keys only, so that they are to be indexed. */
  indexesVolatile = false;
  readonly #clock: Clock;
  #root: Ref;
  /** Its number: the low bits of its keys' hashes. */
  readonly index: number;
  readonly #releaser: Releaser;
  readonly #shadowLimit: number;
  readonly #access: AccessClock;
  readonly #discarded: Discarded;

  /** Makes an empty shard of `size` bytes for `databases` databases. @param releaser frees what dies in it */
  constructor(
    index: number,
    size: number,
    databases: number,
    shadowLimit: number,
    access: AccessClock,
    releaser: Releaser,
    clock: Clock,
  ) {
    this.index = index;
    this.#clock = clock;
    this.#releaser = releaser;
    this.#shadowLimit = shadowLimit;
    this.#access = access;
    this.#discarded = new Discarded(releaser.holder);
    this.region = new Region(size, shadowLimit, releaser.holder);
    this.heap = new Heap(this.region);
    this.entries = new Entries(this.heap, access);
    this.hashes = new HashViews(this.heap);
    this.sets = new SetViews(this.heap);
    this.lists = new ListCursor(this.heap);
    this.sortedSets = new SortedSetViews(this.heap);
    this.wheel = new TimingWheel(this.heap);
    this.volatileIndex = new VolatileIndex(this.entries);
    this.#root = this.#allocateRoot(databases);
    this.dictionaries = this.#openDictionaries(databases);
  }

  /**
   * Drops all that the shard holds, in O(pages used). The region is used again where it is, or gives way to a fresh
   * one: discarded.ts says when. A view of it that is frozen stays what it is.
   * @param mayReset whether nobody else has to do with the region any more; else it gives way
   */
  renew(mayReset: boolean): void {
    const { region, heap } = this;
    const databases = this.dictionaries.length;
    const isLarge = heap.figures().touchedBytes > KEPT_BYTES;
    if ((isLarge && this.#discarded.offer(region.buffer)) || !mayReset) {
      this.region = new Region(region.size, this.#shadowLimit, this.#releaser.holder);
      this.heap = new Heap(this.region);
      this.entries = new Entries(this.heap, this.#access);
      this.hashes = new HashViews(this.heap);
      this.sets = new SetViews(this.heap);
      this.lists = new ListCursor(this.heap);
      this.sortedSets = new SortedSetViews(this.heap);
      this.wheel = new TimingWheel(this.heap);
      this.volatileIndex = new VolatileIndex(this.entries);
      this.#releaser.handover.replaced(this);
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

  /** Where the count of its entries that have a deadline stands. */
  static volatileCountAt(root: Ref, index: number): Ref {
    return root + index * DATABASE_SIZE + VOLATILE;
  }

  /** Entries of database `index` that have a deadline. */
  volatileCount(index: number): number {
    return this.region.word(this.#root + index * DATABASE_SIZE + VOLATILE);
  }

  /** Counts an entry of database `index` that has, or with `change` -1 no longer has, a deadline. */
  countVolatile(index: number, entry: Ref, change: 1 | -1): void {
    const at = this.#root + index * DATABASE_SIZE + VOLATILE;
    const count = this.region.word(at) + change;
    this.region.setWord(at, count);
    if (!this.indexesVolatile) return;
    if (count === 0) this.dropVolatileIndex(index);
    else if (change < 0) this.openVolatileIndex(index)?.remove(entry);
    else this.openVolatileIndex(index, count === 1)?.add(entry);
  }

  /**
   * The volatile keys of database `index`, in the view that all databases share.
   * @param isComplete whether an index that is made now has nothing to look for
   * @returns undefined if there is none and no room for one
   */
  openVolatileIndex(index: number, isComplete = false): VolatileIndex | undefined {
    const at = this.#root + index * DATABASE_SIZE + VOLATILE_INDEX;
    if (this.region.word(at) === NONE) {
      try {
        this.region.setWord(at, this.volatileIndex.create(isComplete));
      } catch (error) {
        if (error instanceof RegionFullError) return undefined;
        throw error;
      }
    }
    return this.volatileIndex.attach(this.region.word(at));
  }

  dropVolatileIndex(index: number): void {
    const at = this.#root + index * DATABASE_SIZE + VOLATILE_INDEX;
    if (this.region.word(at) === NONE) return;
    this.volatileIndex.attach(this.region.word(at)).destroy();
    this.region.setWord(at, NONE);
  }

  /** The wheel of database `index`, or NONE. */
  wheelOf(index: number): Ref {
    return this.region.word(this.#root + index * DATABASE_SIZE + WHEEL);
  }

  /**
   * Makes sure that database `index` has a wheel if this timed entry needs one: before anything is changed that hangs
   * on its being filed.
   * @throws RegionFullError
   */
  openWheel(index: number, entry: Ref): void {
    if (this.wheel.hasSlotFor(this.entries.node(entry))) this.#openWheel(index);
  }

  /** Gives the wheel of database `index` back, whatever is filed in it. */
  dropWheel(index: number): void {
    const wheel = this.wheelOf(index);
    if (wheel === NONE) return;
    this.heap.free(wheel);
    this.region.setWord(this.#root + index * DATABASE_SIZE + WHEEL, NONE);
  }

  /** Files a timed entry, for which `openWheel` was called, in database `index`, and counts it if it has a deadline. */
  file(index: number, entry: Ref): void {
    this.wheel.attach(this.wheelOf(index)).file(this.entries.node(entry));
    if (this.entries.hasDeadline(entry)) this.countVolatile(index, entry, 1);
  }

  /** Takes a timed entry out of the wheel of database `index`, which goes with its last. */
  unfile(index: number, entry: Ref): void {
    const wheel = this.wheelOf(index);
    if (wheel === NONE) return;
    this.wheel.attach(wheel).remove(this.entries.node(entry));
    this.dropEmptyWheel(index);
  }

  /** Gives the wheel of database `index` back if nothing is filed in it. */
  dropEmptyWheel(index: number): void {
    const wheel = this.wheelOf(index);
    if (wheel !== NONE && this.wheel.attach(wheel).count === 0) this.dropWheel(index);
  }

  /**
   * An entry of database `index` has been copied to `moved`, which takes its place in all that knows of times.
   * @throws RegionFullError with nothing changed
   */
  moveTimes(index: number, entry: Ref, moved: Ref): void {
    const { entries, wheel } = this;
    if (!entries.isTimed(entry)) return;
    if (entries.hasDeadline(entry)) {
      this.countVolatile(index, moved, 1);
      this.countVolatile(index, entry, -1);
    }
    wheel.replace(entries.node(entry), entries.node(moved));
  }

  /** Gives a timed entry of database `index` another DUE. @throws RegionFullError with nothing changed */
  refile(index: number, entry: Ref, low: number, high: number): void {
    if (isWithinWheel(high)) this.#openWheel(index);
    this.wheel.attach(this.wheelOf(index)).refile(this.entries.node(entry), low, high);
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

  /** Gives back an entry that no table refers to any more, and all that it owns: at once or, if it is much, later. */
  release(entry: Ref, cause: Cause): void {
    if (this.entries.type(entry) === STRING || !this.#releaser.take(this, entry, cause)) this.entries.free(entry);
  }

  /** Does so with a collection that has no entry any more, or never had one. */
  releaseCollection(type: number, encoding: number, root: Ref, cause: Cause): void {
    if (this.#releaser.takeCollection(this, type, encoding, root, cause)) return;
    collectionType(type).forEachBlock(this.heap, encoding, root, (block) => this.heap.free(block));
  }

  /** Frees everything that database `index` holds. O(1) if that may be done later and is much, otherwise O(keys). */
  clear(index: number, isLazy: boolean): void {
    const dictionary = this.dictionaries[index]!;
    if (!isLazy || !this.#releaser.takeDatabase(this, index)) {
      dictionary.forEach((entry) => {
        if (isLazy) this.release(entry, BY_UNLINK);
        else this.entries.free(entry);
      });
      dictionary.clear();
    }
    this.dropWheel(index);
    this.dropVolatileIndex(index);
    this.region.setWord(this.#root + index * DATABASE_SIZE + VOLATILE, 0);
  }

  /** Bytes of the region's own header and page map that are in use. */
  get metadataBytes(): number {
    return PAGE_SIZE + (this.heap.figures().touchedBytes >>> PAGE_BITS) * 4;
  }

  /**
   * Verifies heap, dictionaries, entries, and that every block is reachable, or known to be dead and not free yet.
   * @throws Error that names what is wrong
   */
  verify(): void {
    this.heap.verify();
    let blocks = 1 + this.#releaser.pendingBlocks(this);
    for (const [index, dictionary] of this.dictionaries.entries()) {
      dictionary.verify();
      let count = 0;
      const volatile = new Set<Ref>();
      const filed = this.#filedIn(index);
      dictionary.forEach((entry) => {
        this.entries.verify(entry);
        blocks += this.entries.blockCount(entry);
        count += 1;
        if (this.entries.hasDeadline(entry)) volatile.add(entry);
        if (this.entries.isTimed(entry)) this.#verifyTimes(entry, filed);
      });
      if (filed.size > 0) throw new Error(`shard: the wheel of database ${index} has what is no key`);
      if (this.wheelOf(index) !== NONE) blocks += 1;
      if (count > 0) blocks += dictionary.segments + 1;
      if (volatile.size !== this.volatileCount(index))
        throw new Error(`shard: database ${index} has ${volatile.size} volatile keys`);
      blocks += this.#verifyVolatileIndex(index, volatile);
    }
    const { liveBlocks } = this.heap.figures();
    if (blocks !== liveBlocks) throw new Error(`shard: ${liveBlocks} blocks are handed out, ${blocks} are reachable`);
  }

  /** Verifies a database's index of volatile keys. @returns its blocks */
  #verifyVolatileIndex(index: number, volatile: ReadonlySet<Ref>): number {
    const header = this.region.word(this.#root + index * DATABASE_SIZE + VOLATILE_INDEX);
    if (header === NONE) return 0;
    this.volatileIndex.attach(header).verify(volatile);
    return this.volatileIndex.blocks;
  }

  /** What is filed in a database's wheel, which is verified. */
  #filedIn(index: number): Set<Ref> {
    const filed = new Set<Ref>();
    const wheel = this.wheelOf(index);
    if (wheel === NONE) return filed;
    this.wheel.attach(wheel).verify((node) => {
      filed.add(this.entries.ofNode(node));
    });
    return filed;
  }

  /** Checks a timed entry, and that it is filed if its time is not too far away. */
  #verifyTimes(entry: Ref, filed: Set<Ref>): void {
    const { entries, wheel } = this;
    const node = entries.node(entry);
    const due = wheel.due(node);
    const isFiled = filed.delete(entry);
    if (isFiled !== wheel.isFiled(node)) throw new Error(`shard: entry ${entry} is filed in another wheel`);
    if (isFiled !== wheel.hasSlotFor(node)) throw new Error(`shard: entry ${entry}, due at ${due}, is not filed`);
    if (!entries.hasTimedFields(entry)) return;
    const ends = [entries.deadline(entry)];
    const type = collectionType(entries.type(entry));
    ends.push(type.nextDeadline?.(this.heap, entries.encoding(entry), entries.value(entry)) ?? NO_DEADLINE);
    for (const end of ends) {
      if (end === NO_DEADLINE || end >= WHEEL_END) continue;
      // A table tells the tick in which its first field ends.
      if (due === NO_DEADLINE || due >= Number(end) + TICK_MS)
        throw new Error(`shard: entry ${entry} is looked at late`);
    }
  }

  #openWheel(index: number): void {
    const at = this.#root + index * DATABASE_SIZE + WHEEL;
    if (this.region.word(at) === NONE) this.region.setWord(at, this.wheel.create(this.#clock.now()));
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
