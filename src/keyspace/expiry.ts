/**
 * Expiry: removes what has expired though nobody looks it up, soon after its time and a little at a time.
 *
 *     wheels, one a database and shard   due ──▶ a batch: look at all of it ──▶ remove ──▶ next batch, until time is up
 *     O O O O O O                        none due ──▶ bring nodes nearer (TimingWheel.advance)
 *     ^ the next run begins here
 *
 * Redis draws samples and leaves up to a quarter of what has expired; here the wheel knows what is due, so nothing is
 * left and nothing is looked at in vain. Work goes in batches of 32 keys, some 20 microseconds, between which the time
 * is read: a run takes what it was given and a batch more. A run that is out of time goes on, next time, with the next
 * wheel: a database full of what has expired does not keep the others waiting.
 *
 * Following a slot's list waits for memory once a key, and so do the table and the heap; the first cannot be helped,
 * the others are looked at together for a batch, so that the processor waits for them at once (look-ahead.ts).
 *
 * Whatever expires passes Key.remove (keys) and afterExpiry (fields), here as when it is looked up: statistics and
 * events are theirs. The clock is wall-clock time: what has passed is gone, what has not is not, whichever way it
 * steps. Owner thread only, never within a command.
 */
import { NONE, type Ref } from "../memory/heap.ts";
import { BY_EXPIRY } from "./cause.ts";
import { NO_DEADLINE } from "./entry.ts";
import { expireDueFields } from "./hash-deadlines.ts";
import { Key } from "./key.ts";
import type { Keyspace } from "./keyspace.ts";
import type { Shard } from "./shard.ts";

/** Keys that are looked at together, and removed before the clock is read. */
const BATCH = 32;
/** What the latest run weighs in the average of stale keys: as in Redis. */
const STALE_WEIGHT = 0.05;
const STALE_SAMPLES = 16;

export class Expiry {
  /** How often a run has had to stop because its time was up. */
  capReached = 0;
  /** Per cent of the keys with a deadline that are over and still there: estimated, on average of all runs. */
  stalePercent = 0;
  readonly #keyspace: Keyspace;
  readonly #key: Key;
  readonly #entries = new Int32Array(BATCH);
  readonly #hashes = new Int32Array(BATCH);
  /** The wheel to begin with: shard * databases + database. */
  #place = 0;
  /** What was loaded ahead: loads that serve nothing would be optimized away. */
  #sink = 0;

  constructor(keyspace: Keyspace) {
    this.#keyspace = keyspace;
    this.#key = new Key(keyspace.databases[0]!);
  }

  /** Removes what is due, for about so many milliseconds. @returns whether more is due */
  run(budgetMs: number): boolean {
    const { shards, databases, clock, expiresActively, isLoading } = this.#keyspace;
    if (!expiresActively || isLoading) return false;
    clock.forget();
    const now = clock.now();
    const endMs = performance.now() + budgetMs;
    const places = shards.length * databases.length;
    for (let seen = 0; seen < places; seen++) {
      const index = this.#place % databases.length;
      const shard = shards[(this.#place - index) / databases.length]!;
      this.#place = (this.#place + 1) % places;
      if (this.#runWheel(shard, index, now, endMs)) {
        this.#note(shard, index, now);
        return true;
      }
    }
    this.#note(undefined, 0, now);
    return false;
  }

  /** When something has to be done next, in milliseconds since 1970; infinity if never. */
  get nextDeadline(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const shard of this.#keyspace.shards) {
      for (let index = 0; index < this.#keyspace.databases.length; index++) {
        const wheel = shard.wheelOf(index);
        if (wheel !== NONE) next = Math.min(next, shard.wheel.attach(wheel).nextAttention);
      }
    }
    return next;
  }

  /** @returns whether the time was up first */
  #runWheel(shard: Shard, index: number, now: number, endMs: number): boolean {
    for (let wheel = shard.wheelOf(index); wheel !== NONE; wheel = shard.wheelOf(index)) {
      const node = shard.wheel.attach(wheel).firstDue(now);
      if (node !== NONE) {
        const count = this.#lookAt(shard, index, node, now);
        for (let at = 0; at < count; at++) {
          if (this.#expire(shard, index, at, now, endMs)) return true;
        }
      } else if (!shard.wheel.advance(now, BATCH)) {
        shard.dropEmptyWheel(index);
        return false;
      }
      if (performance.now() >= endMs) return true;
    }
    return false;
  }

  /** Finds the entries of the nodes from this one on, and loads what removing them will need. @returns how many */
  #lookAt(shard: Shard, index: number, first: Ref, now: number): number {
    const { staged } = this.#keyspace;
    const { wheel, entries, heap } = shard;
    const dictionary = shard.dictionaries[index]!;
    this.#keyspace.stagedFor = undefined;
    let count = 0;
    for (let node = first; node !== NONE && count < BATCH && wheel.due(node) <= now; node = wheel.next(node)) {
      const entry = entries.ofNode(node);
      staged.stage(entries.bytes, entries.keyStart(entry), entries.keyLength(entry));
      this.#entries[count] = entry;
      this.#hashes[count] = staged.hash;
      count += 1;
    }
    // A loop of its own: the shorter its body, the more loads the processor has under way.
    let sum = 0;
    for (let at = 0; at < count; at++) sum ^= dictionary.warm(this.#hashes[at]!) ^ heap.warm(this.#entries[at]!);
    this.#sink ^= sum;
    return count;
  }

  /** Removes the key, or of a hash the fields, that are due. @returns whether more is due of it than time allows */
  #expire(shard: Shard, index: number, at: number, now: number, endMs: number): boolean {
    const key = this.#key;
    key.pointAt(this.#keyspace.databases[index]!, shard, this.#entries[at]!, this.#hashes[at]!);
    if (shard.entries.hasTimedFields(key.entry)) {
      const { deadline } = key;
      if (deadline === NO_DEADLINE || deadline > now) return expireDueFields(key, now, endMs);
    }
    key.remove(BY_EXPIRY);
    return false;
  }

  /**
   * Notes how much a run has left: nothing, or of some keys drawn at random the share whose time is over.
   * @param shard in which the run was stopped
   */
  #note(shard: Shard | undefined, index: number, now: number): void {
    let percent = 0;
    if (shard !== undefined) {
      this.capReached += 1;
      percent = this.#drawStale(shard, index, now);
    }
    this.stalePercent += (percent - this.stalePercent) * STALE_WEIGHT;
  }

  #drawStale({ dictionaries, entries }: Shard, index: number, now: number): number {
    let volatile = 0;
    let stale = 0;
    for (let drawn = 0; drawn < STALE_SAMPLES; drawn++) {
      const entry = dictionaries[index]!.sample(Math.random);
      if (entry === NONE || !entries.hasDeadline(entry)) continue;
      volatile += 1;
      if (entries.deadline(entry) <= now) stale += 1;
    }
    return volatile === 0 ? 0 : (100 * stale) / volatile;
  }
}
