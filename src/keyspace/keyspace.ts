/**
 * Keyspace: all databases of a store, over one or several shards.
 *
 * What is shared by every key stands here: the seed of the hash, the clock, the counters. A key belongs to the shard
 * that its hash's low bits name; commands never see shards, so several regions are one keyspace, and since one thread
 * executes one command at a time, a command over many keys is atomic across them.
 * Owner thread only.
 */
import { randomInt } from "node:crypto";
import type { FreezeOutcome, FrozenRegion } from "../memory/region.ts";
import { AccessClock, type AccessMoment } from "./access-clock.ts";
import { BY_FLUSH } from "./cause.ts";
import { Clock } from "./clock.ts";
import { type CollectionLimits, defaultLimits } from "./collection-limits.ts";
import { Database } from "./database.ts";
import { Defragmenter } from "./defragmenter.ts";
import { Evictor } from "./eviction.ts";
import { Expiry } from "./expiry.ts";
import type { Key } from "./key.ts";
import { Releaser } from "./release.ts";
import type { RemovalListener } from "./removals.ts";
import { Shard } from "./shard.ts";
import { StagedKey } from "./staged-key.ts";

export interface KeyspaceOptions {
  /** Regions; a power of two. */
  readonly shards: number;
  /** Bytes of each region, a multiple of the page size. */
  readonly regionSize: number;
  readonly databases: number;
  /** Bytes that a freeze may copy in each region before it is given up; by default as many as the region has. */
  readonly shadowLimit?: number;
  /** Source of time, milliseconds since 1970. */
  readonly now?: () => number;
  /** What eviction draws by, uniform in [0, 1). */
  readonly random?: () => number;
  /** The hash's seed, two words; random by default. */
  readonly seed?: readonly [number, number];
}

/**
 * Told what happens to keys: notifications, and later the log. `bytes` hold the key's name during the call only.
 * Called in the middle of commands, so it must neither look at keys nor change any.
 * @param type the event's class: a bit of config/keyspace-events.ts
 */
export type KeyEventListener = (
  type: number,
  event: string,
  database: number,
  bytes: Buffer,
  start: number,
  length: number,
) => void;

/** Exact figures of all shards together, in bytes. */
export interface KeyspaceFigures {
  /** What the data occupies: blocks handed out, and the page maps that say where they are. */
  readonly usedBytes: number;
  readonly activeBytes: number;
  readonly touchedBytes: number;
  readonly capacityBytes: number;
  readonly liveBlocks: number;
  readonly shadowBytes: number;
}

/** A point-in-time view of the whole store: give `regions` to a FrozenKeyspace on another thread. */
export interface FrozenStore {
  readonly regions: readonly FrozenRegion[];
  readonly databases: number;
  /** What the entries' stamps mean. */
  readonly access: AccessMoment;
  /** Ends the view. @returns what was copied, and whether the view had to be given up */
  release(): FreezeOutcome;
}

/** No deadline has passed by this clock. */
const BEFORE_ALL = new Clock(() => Number.NEGATIVE_INFINITY);

export class Keyspace {
  readonly databases: Database[] = [];
  readonly shards: Shard[] = [];
  readonly shardMask: number;
  readonly clock: Clock;
  /** By which it is decided what has expired; while files are loaded it is before all deadlines. */
  expiryClock: Clock;
  readonly staged: StagedKey;
  /** The member or field of a collection that is being looked for, staged as keys are. */
  readonly member: StagedKey;
  /** Whose key `staged` holds at present. */
  stagedFor: Key | undefined;
  /** What entries are stamped with at every access. Kept up by `tick`. */
  readonly access: AccessClock;
  /** Changes made to the data since the start; never reset. */
  changes = 0;
  expiredKeys = 0;
  /** Fields of hashes. */
  expiredFields = 0;
  evictedKeys = 0;
  /** Classes of events that anybody wants to be told of; 0 if nobody listens, which is what `Key.notify` asks first. */
  eventTypes = 0;
  onEvent: KeyEventListener = () => undefined;
  /** Told of what expires and is evicted, if anybody is. */
  removals: RemovalListener | undefined;
  hits = 0;
  misses = 0;
  /** False while a connection that asked not to touch keys executes a command (CLIENT NO-TOUCH). */
  touches = true;
  /** False while expired keys that nobody looks up are left alone (DEBUG SET-ACTIVE-EXPIRE). */
  expiresActively = true;
  /** Up to which size collections keep their small encodings; whoever configures the store sets them. */
  readonly limits: CollectionLimits = defaultLimits();
  readonly options: KeyspaceOptions;
  /** Frees what is large, so that nobody waits for it. */
  readonly releaser = new Releaser(this.shards);
  /** Makes room, where the configuration allows it. */
  readonly evictor: Evictor;
  readonly defragmenter = new Defragmenter(this);
  /** Removes what has expired. */
  readonly expiry: Expiry;
  #usedPeak = 0;

  constructor(options: KeyspaceOptions) {
    if ((options.shards & (options.shards - 1)) !== 0) throw new RangeError("shards: not a power of two");
    this.options = options;
    this.clock = new Clock(options.now);
    this.expiryClock = this.clock;
    this.access = new AccessClock(this.clock.now());
    const [seed0, seed1] = options.seed ?? [randomInt(2 ** 32) | 0, randomInt(2 ** 32) | 0];
    this.staged = new StagedKey(seed0, seed1);
    this.member = new StagedKey(seed0, seed1);
    this.shardMask = options.shards - 1;
    const { regionSize, databases, shadowLimit = regionSize } = options;
    for (let index = 0; index < options.shards; index++) {
      this.shards.push(new Shard(index, regionSize, databases, shadowLimit, this.access, this.releaser, this.clock));
    }
    for (let index = 0; index < options.databases; index++) this.databases.push(new Database(this, index));
    this.evictor = new Evictor(this, options.random);
    this.expiry = new Expiry(this);
    this.tick();
  }

  /** Brings the access clock up to date; called about once a second, and by nothing that answers a command. */
  tick(): void {
    this.clock.forget();
    this.access.tick(this.clock.now());
    this.#usedPeak = Math.max(this.#usedPeak, this.usedBytes);
  }

  /**
   * Whether files are being loaded: then nothing expires, by being looked at or of its own accord, for what they hold
   * was there when it was written; and what is given a deadline in the past gets it.
   */
  get isLoading(): boolean {
    return this.expiryClock !== this.clock;
  }

  set isLoading(isLoading: boolean) {
    this.expiryClock = isLoading ? BEFORE_ALL : this.clock;
  }

  /** The stamp of an access now, or COUNTS_ACCESSES: what Entries.touch is given. */
  get accessClock(): number {
    return this.access.stamp;
  }

  /**
   * Removes keys and fields whose time has come, for about so many milliseconds: expiry.ts. Not within a command.
   * @returns whether more is due
   */
  expireDue(budgetMs: number): boolean {
    return this.expiry.run(budgetMs);
  }

  /** When something is due next, in milliseconds since 1970, or a little before; infinity if nothing ever is. */
  get nextDeadline(): number {
    return this.expiry.nextDeadline;
  }

  /** Per cent of the keys with a deadline that are over and still there: estimated, on average of all runs. */
  get expireStalePercent(): number {
    return this.expiry.stalePercent;
  }

  /** How often `expireDue` has had to stop because its time was up. */
  get expireCapReached(): number {
    return this.expiry.capReached;
  }

  /** Bytes in blocks handed out. A load a shard: cheap enough for a limit that every write checks. */
  get usedBytes(): number {
    let bytes = 0;
    for (let index = 0; index < this.shards.length; index++) bytes += this.shards[index]!.heap.usedBytes;
    return bytes;
  }

  /** What `maxmemory` is compared with, connections' buffers aside: blocks handed out, and the maps of their pages. */
  get chargedBytes(): number {
    let bytes = 0;
    for (let index = 0; index < this.shards.length; index++) bytes += this.shards[index]!.heap.chargedBytes;
    return bytes;
  }

  /** Pages that are surely left in each shard; see Heap. */
  get sparePages(): number {
    let pages = Number.POSITIVE_INFINITY;
    for (let index = 0; index < this.shards.length; index++) {
      pages = Math.min(pages, this.shards[index]!.heap.sparePages);
    }
    return pages;
  }

  /** The most that `usedBytes` has been, as seen by `tick` and by whoever asks here. */
  get usedPeak(): number {
    this.#usedPeak = Math.max(this.#usedPeak, this.usedBytes);
    return this.#usedPeak;
  }

  figures(): KeyspaceFigures {
    let [usedBytes, activeBytes, touchedBytes, capacityBytes, liveBlocks, shadowBytes] = [0, 0, 0, 0, 0, 0];
    for (const shard of this.shards) {
      const heap = shard.heap.figures();
      usedBytes += heap.usedBytes + shard.metadataBytes;
      activeBytes += heap.activeBytes + shard.metadataBytes;
      touchedBytes += heap.touchedBytes;
      capacityBytes += heap.capacityBytes;
      liveBlocks += heap.liveBlocks;
      shadowBytes += shard.region.shadowPages * 4096;
    }
    return { usedBytes, activeBytes, touchedBytes, capacityBytes, liveBlocks, shadowBytes };
  }

  /**
   * Removes everything from one database.
   * @param isLazy whether its memory may be given back later; by default what the configuration says
   * @returns keys removed
   */
  flush(index: number, isLazy = this.releaser.isLazy[BY_FLUSH]!): number {
    const removed = this.databases[index]!.count;
    if (this.databases.every((database) => database.index === index || database.count === 0)) {
      this.#renew(isLazy ? removed : 0);
    } else {
      for (const shard of this.shards) shard.clear(index, isLazy);
    }
    this.changes += removed;
    return removed;
  }

  /** Removes everything. @param isLazy as of `flush`: counted only, for it is quick either way @returns keys removed */
  flushAll(isLazy = this.releaser.isLazy[BY_FLUSH]!): number {
    const removed = this.databases.reduce((sum, database) => sum + database.count, 0);
    this.#renew(isLazy ? removed : 0);
    this.changes += removed;
    return removed;
  }

  /** Exchanges the contents of two databases, in O(shards). */
  swap(left: number, right: number): void {
    if (left !== right) for (const shard of this.shards) shard.swap(left, right);
    this.changes += 1;
  }

  /**
   * Begins a point-in-time view of everything, in O(shards); no command runs in between, so all shards agree.
   * @param audit check at the end that no write escaped the guard (tests)
   */
  freeze(audit = false): FrozenStore {
    const regions = this.shards.map((shard) => shard.region);
    const frozen: FrozenRegion[] = [];
    if (audit) this.releaser.handover.stopLinking();
    try {
      for (const region of regions) frozen.push(region.freeze(audit));
    } catch (error) {
      for (const region of regions.slice(0, frozen.length)) region.release();
      throw error;
    }
    const release = (): FreezeOutcome => {
      const outcomes = regions.map((region) => region.release());
      return {
        aborted: outcomes.some((outcome) => outcome.aborted),
        copiedPages: outcomes.reduce((sum, outcome) => sum + outcome.copiedPages, 0),
      };
    };
    return { regions: frozen, databases: this.databases.length, access: this.access.moment(), release };
  }

  /** Verifies every structure of every shard. O(everything). @throws Error that names what is wrong */
  verify(): void {
    for (const shard of this.shards) shard.verify();
    for (const database of this.databases) database.verify();
  }

  /** @param freed values that count as freed in the background */
  #renew(freed: number): void {
    const mayReset = this.releaser.drop();
    this.releaser.freedObjects += freed;
    for (const shard of this.shards) shard.renew(mayReset);
  }
}
