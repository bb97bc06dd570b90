/**
 * DefragmentedHistory: a store under random changes of every kind, in which the defragmenter works a few slots of a
 * table at a time, and its naive twin, which gets the same changes and is never defragmented.
 *
 *     store   changes ─ slice ─ changes ─ slice ─ slice ─ changes ─ ...  verify, every few
 *     twin    changes ───────── changes ───────────────── changes ─ ...
 *
 * A walk takes dozens of slices, so what it has passed, what it is at and what it has still to come to are all met by
 * each kind of change. Three things tell what went wrong, and how soon:
 *
 * - a slice changes no digest: what it moved is there, unchanged, at once;
 * - the store's digest is its twin's: nothing that looked well after a move was changed at the wrong place later;
 * - `verify`: every block has one owner and is reachable.
 *
 * Both draw the same, SPOP included, so both see the same commands. Where the region is full, they do not any more
 * (what is refused depends on where blocks lie), and there is no twin.
 */
import assert from "node:assert/strict";
import type { EvictionPolicy } from "../config/eviction-policies.ts";
import { STRING, TYPE_NAMES } from "../keyspace/entry.ts";
import { FrozenKeyspace } from "../keyspace/frozen-keyspace.ts";
import { Key } from "../keyspace/key.ts";
import { Keyspace } from "../keyspace/keyspace.ts";
import { digestOf } from "../keyspace/live-digest.ts";
import type { RemovalListener } from "../keyspace/removals.ts";
import type { Shard } from "../keyspace/shard.ts";
import type { Ref } from "../memory/heap.ts";
import { ENCODING_NAMES } from "../structures/collection.ts";
import { FreezeWriter } from "./freeze-writer.ts";
import { Random } from "./random.ts";
import { ReleaseThread } from "./release-thread.ts";

export interface Circumstances {
  readonly shards: number;
  /** Bytes of each. */
  readonly regionSize: number;
  /** Different keys in each database. */
  readonly names: number;
  readonly hasTwin: boolean;
  readonly policy: EvictionPolicy;
}

/** What has come up; a test in which something has not has shown nothing of it. */
export class DefragmentingFigures {
  slices = 0;
  writes = 0;
  refusals = 0;
  views = 0;
  expired = 0;
  evicted = 0;
  freed = 0;
  walks = 0;
  /** How often each kind of block was moved. */
  readonly moved = new Map<string, number>();
}

/** Where FreezeWriter's deadlines lie: from here on, over so many milliseconds. */
const DEADLINES_FROM = 4_000_000_000_000;
const DEADLINES_OVER = 2 ** 40;
/** In how many steps of a history half of these pass. */
const EXPIRING_STEPS = 400;
/** Percent: so much time is the defragmenter's that it is only held up by the end of a slice. */
const ALL_TIME = 1e6;
const DATABASES = 3;
/** Bytes by which eviction is asked to make room. */
const EVICTED_BYTES = 10_000;
const DAY_WRITES = 4000;
const NIGHT_WRITES = 4000;
const DAY_STEPS = 6;
/** Steps of 32 slots that a slice has: mostly few. */
const SLICE_STEPS = [1, 4, 16] as const;

/** A keyspace and what is done to it; draws are its own, so that another one draws the same. */
class Side {
  readonly keyspace: Keyspace;
  readonly writer: FreezeWriter;
  readonly #key: Key;
  readonly #draws: Random;

  constructor({ shards, regionSize, names }: Circumstances, choice: number, now: () => number) {
    this.keyspace = new Keyspace({ shards, regionSize, databases: DATABASES, now, seed: [choice, 1] });
    this.writer = new FreezeWriter(this.keyspace, new Random(choice), names);
    this.writer.collectionEvery = 4;
    this.#key = new Key(this.keyspace.databases[0]!);
    this.#draws = new Random(choice, 1);
  }

  write(): void {
    this.#drawing(() => this.writer.write());
  }

  passTime(): void {
    this.keyspace.clock.forget();
    this.#drawing(() => this.keyspace.expireDue(Number.POSITIVE_INFINITY));
  }

  remove(database: number, name: Buffer): void {
    const { [database]: there } = this.keyspace.databases;
    const { count } = there!;
    // Looking for it is enough if its deadline has passed.
    if (this.#key.locate(there!, name, 0, name.length)) this.#key.remove();
    assert.equal(there!.count, count - 1, "what was evicted is in the twin");
  }

  digests(): string[] {
    return this.keyspace.databases.map((database) => digestOf(database));
  }

  /** Does something while Math.random is a sequence of this side's own. */
  #drawing(work: () => void): void {
    const { random } = Math;
    Math.random = () => this.#draws.below(2 ** 32) / 2 ** 32;
    try {
      work();
    } finally {
      Math.random = random;
    }
  }
}

class DefragmentedHistory {
  readonly keyspace: Keyspace;
  readonly #store: Side;
  readonly #twin: Side | undefined;
  readonly #thread: ReleaseThread;
  readonly #random: Random;
  readonly #seen: DefragmentingFigures;
  #now = DEADLINES_FROM;
  /** The store's digests, as long as nothing has been written since. */
  #digests: string[] | undefined;

  constructor(circumstances: Circumstances, choice: number, seen: DefragmentingFigures) {
    this.#random = new Random(choice, 2);
    this.#seen = seen;
    this.#store = new Side(circumstances, choice, () => this.#now);
    this.keyspace = this.#store.keyspace;
    if (circumstances.hasTwin) this.#twin = new Side(circumstances, choice, () => this.#now);
    this.keyspace.evictor.policy = circumstances.policy;
    this.#thread = new ReleaseThread(this.keyspace);
    Object.assign(this.keyspace.releaser.limits, { thresholdBlocks: 3, maxPendingBytes: 200_000 });
    this.#thread.onPhase = () => {
      this.#write(this.#random.below(4));
      if (this.#random.chance(0.3)) this.#slice();
    };
    const settings = { isOn: true, thresholdLower: 0, ignoreBytes: 0, cycleMin: ALL_TIME, cycleMax: ALL_TIME };
    Object.assign(this.keyspace.defragmenter.settings, settings);
  }

  /**
   * A day: much is written, of the day's sizes, then much of it goes, so that spans are sparse; then some changes and
   * some slices again and again, and everything is verified.
   */
  day(): void {
    this.#manner(0.03, this.#random.pick([80, 200, 500, 8000]));
    this.#write(DAY_WRITES);
    this.#manner(0.97, 80);
    this.#write(NIGHT_WRITES);
    this.#compare();
    for (let step = 0; step < DAY_STEPS; step++) this.#step();
  }

  /** Nothing is written any more; everything is freed and defragmented, and is still what it was. */
  end(): void {
    this.#thread.onPhase = () => undefined;
    this.#thread.isOpen = true;
    this.#thread.settle();
    for (const shard of this.keyspace.shards) this.#slice(() => this.keyspace.defragmenter.hurry(shard, 0));
    this.#compare();
    this.keyspace.verify();
    this.#twin?.keyspace.verify();
    const { keyspace, writer } = this.#store;
    this.#seen.writes += writer.writes;
    this.#seen.refusals += writer.refusals;
    this.#seen.expired += keyspace.expiredKeys + keyspace.expiredFields;
    this.#seen.evicted += keyspace.evictedKeys;
    this.#seen.freed += keyspace.releaser.freedObjects;
  }

  get #sides(): readonly Side[] {
    return this.#twin === undefined ? [this.#store] : [this.#store, this.#twin];
  }

  #step(): void {
    const random = this.#random;
    this.#manner(random.pick([0.1, 0.3, 0.5, 0.9]), random.pick([80, 500, 3000, 12_000]));
    for (let turn = random.between(1, 6); turn > 0; turn--) {
      this.#write(random.below(20));
      this.#slice();
    }
    this.#releaseSome();
    if (random.chance(0.3)) this.#passTime();
    if (random.chance(0.2)) this.#evict();
    if (random.chance(0.1)) this.#freeze();
    this.#compare();
    this.keyspace.verify();
  }

  /** How changes are to be from here on. */
  #manner(removals: number, valueMax: number): void {
    for (const { writer } of this.#sides) Object.assign(writer, { removals, valueMax, upheavals: 0.00005 });
  }

  #write(count: number): void {
    if (count > 0) this.#digests = undefined;
    for (const side of this.#sides) for (let write = 0; write < count; write++) side.write();
  }

  /** The defragmenter's turn. */
  #slice(work: () => void = () => this.#walk()): void {
    const before = this.#digest();
    const restores = this.keyspace.shards.map((shard) => this.#watch(shard));
    work();
    for (const restore of restores) restore();
    this.#digests = undefined;
    assert.deepEqual(this.#digest(), before, "a slice of the defragmenter has changed the data");
    this.#seen.slices += 1;
  }

  /** A few slots, or, where it sees nothing to win, a shard. */
  #walk(): void {
    const { defragmenter, shards } = this.keyspace;
    for (let times = this.#random.pick(SLICE_STEPS); times > 0; times--) defragmenter.work(0);
    if (defragmenter.running > 0) return;
    defragmenter.hurry(this.#random.pick(shards), 0);
    this.#seen.walks += 1;
  }

  /** Counts what is moved in a shard. @returns a function that ends that */
  #watch(shard: Shard): () => void {
    const { entries, heap } = shard;
    const [setValue, setExtra, moveTimes] = [entries.setValue, entries.setExtra, shard.moveTimes];
    entries.setExtra = (entry: Ref, block: number) => {
      this.#count("string");
      setExtra.call(entries, entry, block);
    };
    entries.setValue = (entry: Ref, value: number) => {
      assert.notEqual(entries.type(entry), STRING);
      const name = `${TYPE_NAMES[entries.type(entry)]} ${ENCODING_NAMES[entries.encoding(entry)]}`;
      this.#count(heap.blockOf(value) === value ? name : `${name}, floating`);
      setValue.call(entries, entry, value);
    };
    shard.moveTimes = (index: number, entry: Ref, moved: Ref) => {
      this.#count(entries.isTimed(entry) ? "entry, timed" : "entry");
      moveTimes.call(shard, index, entry, moved);
    };
    return () => {
      Object.assign(entries, { setValue, setExtra });
      shard.moveTimes = moveTimes;
    };
  }

  #count(what: string): void {
    this.#seen.moved.set(what, (this.#seen.moved.get(what) ?? 0) + 1);
  }

  #releaseSome(): void {
    const { releaser } = this.keyspace;
    this.#thread.isOpen = !this.#random.chance(0.1);
    if (this.#random.chance(0.7)) releaser.flush();
    if (this.#random.chance(0.7)) this.#thread.run();
    if (this.#random.chance(0.7)) releaser.work(this.#random.pick([0, 10]));
  }

  #passTime(): void {
    this.#now += this.#random.below(DEADLINES_OVER / EXPIRING_STEPS);
    this.#digests = undefined;
    for (const side of this.#sides) side.passTime();
  }

  /** Evicts some keys, which the twin loses by name. */
  #evict(): void {
    const { keyspace } = this;
    const { removals, evictor } = keyspace;
    if (!evictor.evicts) return;
    const evicted: [database: number, name: Buffer][] = [];
    const listener: RemovalListener = {
      keyRemoved: (database, bytes, start, length) => {
        evicted.push([database, Buffer.from(bytes.subarray(start, start + length))]);
      },
      fieldsRemoved: () => assert.fail("a field is evicted"),
      fieldRemoved: () => assert.fail("a field is evicted"),
    };
    keyspace.removals = listener;
    evictor.prepare(5);
    evictor.makeRoom(keyspace.chargedBytes - keyspace.releaser.pendingBytes - EVICTED_BYTES, 1);
    keyspace.removals = removals;
    this.#digests = undefined;
    for (const [database, name] of evicted) this.#twin?.remove(database, name);
  }

  /** A view is frozen: nothing is moved, and it stays what it is. */
  #freeze(): void {
    const before = this.#digest();
    const moved = this.keyspace.defragmenter.hits;
    const view = this.keyspace.freeze();
    for (let turn = this.#random.below(8); turn >= 0; turn--) {
      this.#write(this.#random.below(10));
      this.#slice();
      if (this.#random.chance(0.3)) this.#releaseSome();
    }
    const frozen = new FrozenKeyspace(view.regions, view.databases);
    assert.deepEqual(
      frozen.databases.map((database) => database.digest()),
      before,
      "the frozen view is what it was",
    );
    assert.equal(view.release().aborted, false);
    assert.equal(this.keyspace.defragmenter.hits, moved, "something was moved while a view was frozen");
    this.#seen.views += 1;
  }

  #digest(): string[] {
    this.#digests ??= this.#store.digests();
    return this.#digests;
  }

  #compare(): void {
    if (this.#twin !== undefined) assert.deepEqual(this.#digest(), this.#twin.digests(), "store and twin differ");
  }
}

/**
 * Plays a history of so many days.
 * @param choice decides all that happens in it
 * @param seen what has come up is counted here
 * @throws AssertionError, or what `verify` throws, where the defragmenter has done harm
 */
export function playDefragmented(
  circumstances: Circumstances,
  choice: number,
  days: number,
  seen: DefragmentingFigures,
): void {
  const history = new DefragmentedHistory(circumstances, choice, seen);
  for (let day = 0; day < days; day++) history.day();
  history.end();
}
