/**
 * AccessClock: what the 24 bits that every access stamps into an entry mean, and how they go on.
 *
 *     LRU   a generation: 24 bits of a counter that goes on with every second, and more often while keys are evicted
 *     LFU   bits 0-7 a logarithmic count of accesses, bits 8-23 minutes of its last change, as in Redis
 *
 * Why generations, and not the seconds that Redis stores. A cache whose contents change within a second is, seen in
 * seconds, of one age: eviction by LRU is then eviction at random, 2 to 4 points of hit ratio worse on a Zipf trace
 * (measured; a cache that is called, not asked over a network, gets there easily). What matters is how fine the clock
 * is beside the time that keys stay: so whoever evicts asks for a new generation each time that a small part of the
 * keys has been replaced. Bounded: no more than 100 a second, and beyond a store of 2^22 no more than one in two
 * seconds, so that the 24 bits come round after 97 days at the earliest, or 194, as Redis's, where nothing is evicted.
 *
 * The seconds of each generation, for OBJECT IDLETIME, which must be true. Most generations begin a second, so only
 * whether one does is kept, a bit each, and the second of every 32nd; nothing at all before the first generation that
 * begins none.
 *
 *     FIRST    the second of generations 0, 32, 64, ...                 (2 MiB, committed as they are used)
 *     BEGINS   a bit for each of the 32: it begins another second       (2 MiB)
 *
 * Seconds are counted, not read: a system clock that is set back does not make keys look unused for an age.
 *
 * Invariants: `stamp` is the present generation, or COUNTS_ACCESSES. Owner thread only, but for `moment`: what stamps
 * mean as of a freeze, for another thread. FIRST and BEGINS are in shared memory for that; of what is stored in them
 * later, only bits that such a moment masks stand where it looks, until the generations come round after months.
 */

/** What Entries.touch is given in place of a stamp while accesses are counted. */
export const COUNTS_ACCESSES = -1;

/** Redis's count of a key that is new: neither the first to go, nor worth as much as one that is used. */
export const INITIAL_COUNT = 5;
const COUNT_MAX = 255;

const STAMPS = 2 ** 24;
const STAMP_MASK = STAMPS - 1;
const BLOCKS = STAMPS / 32;
const MINUTE_MASK = 0xffff;

/** Generations within a second: how many may be saved up, how many come with each second, and how close they follow. */
const EXTRA_MAX = 2 ** 22;
const EXTRA_A_SECOND = 0.5;
const EXTRA_EVERY_MS = 10;

/** An idle time that is given cannot be longer: half of what 24 bits hold, so that it does not come round soon. */
const IDLE_SECONDS_MAX = STAMPS / 2;

/** What stamps meant at one moment: plain data, which can be posted to another thread. */
export interface AccessMoment {
  readonly minutes: number;
  readonly decayMinutes: number;
  readonly seconds: number;
  readonly generation: number;
  readonly first: Int32Array<SharedArrayBuffer> | undefined;
  readonly begins: Int32Array<SharedArrayBuffer> | undefined;
  readonly keptSince: number;
}

export class AccessClock {
  /** What entries are stamped with: the present generation, or COUNTS_ACCESSES. */
  stamp = 0;
  /** lfu-log-factor: how much harder each next count is to get. */
  logFactor = 10;
  /** lfu-decay-time: minutes in which a count goes down by one; 0 for never. */
  decayMinutes = 1;
  readonly #random: () => number;
  #counts = false;
  #minutes = 0;
  /** Milliseconds as of the last tick, and how many of them have been counted in all. */
  #now = 0;
  #milliseconds = 0;
  #seconds = 0;
  /** Not cut to 24 bits. */
  #generation = 0;
  #extraAt = 0;
  #extraLeft = EXTRA_MAX;
  #first: Int32Array<SharedArrayBuffer> | undefined;
  #begins: Int32Array<SharedArrayBuffer> | undefined;
  /** The generation from which on FIRST and BEGINS are kept. */
  #keptSince = 0;

  /** @param now milliseconds since 1970. @param random uniform in [0, 1) */
  constructor(now: number, random: () => number = Math.random) {
    this.#random = random;
    this.#now = now;
    this.#milliseconds = now;
    this.#seconds = Math.floor(now / 1000);
    this.#generation = this.#seconds;
    this.tick(now);
    this.#refresh();
  }

  /** Whether accesses are counted (LFU), where otherwise their time is kept (LRU). */
  get countsAccesses(): boolean {
    return this.#counts;
  }

  set countsAccesses(counts: boolean) {
    this.#counts = counts;
    this.#refresh();
  }

  /** Seconds, 24 bits: INFO's lru_clock. */
  get seconds(): number {
    return this.#seconds % STAMPS;
  }

  /** Brings the clock up to date. @param now milliseconds since 1970 */
  tick(now: number): void {
    this.#minutes = Math.floor(now / 60_000) & MINUTE_MASK;
    this.#milliseconds += Math.max(0, now - this.#now);
    this.#now = now;
    const passed = Math.floor(this.#milliseconds / 1000) - this.#seconds;
    if (passed === 0) return;
    this.#extraLeft = Math.min(EXTRA_MAX, this.#extraLeft + passed * EXTRA_A_SECOND);
    this.#pass(passed);
    this.#refresh();
  }

  /**
   * Begins another generation within this second, because many keys have been evicted in this one; not if one has just
   * begun. @param now milliseconds since 1970
   */
  advance(now: number): void {
    if (this.#counts || this.#extraLeft < 1 || Math.abs(now - this.#extraAt) < EXTRA_EVERY_MS) return;
    this.#extraAt = now;
    this.#extraLeft -= 1;
    if (this.#first === undefined) this.#beginKeeping();
    this.#generation += 1;
    this.#note(false);
    this.#refresh();
  }

  /** The stamp of a key that is new. */
  get initial(): number {
    return this.#counts ? this.ofCount(INITIAL_COUNT) : this.stamp;
  }

  /** What has become of `stamp` by one more access, where accesses are counted. */
  counted(stamp: number): number {
    const count = this.count(stamp);
    const above = Math.max(0, count - INITIAL_COUNT);
    const isCounted = count < COUNT_MAX && this.#random() < 1 / (above * this.logFactor + 1);
    return this.ofCount(isCounted ? count + 1 : count);
  }

  /** Accesses as a logarithmic count, 0 ... 255, less what has decayed since. */
  count(stamp: number): number {
    return decayed(stamp, this.#minutes, this.decayMinutes);
  }

  /** The stamp of a key with this count: OBJECT FREQ tells what RESTORE was given. */
  ofCount(count: number): number {
    return (this.#minutes << 8) | count;
  }

  /** How many generations ago the stamp was made: what LRU goes by. */
  age(stamp: number): number {
    return (this.#generation - stamp) & STAMP_MASK;
  }

  /** The present generation, which stays a number that grows: ages seen at different times are compared by it. */
  get generation(): number {
    return this.#generation;
  }

  /** Seconds since the stamp was made, true up to 97 days at least. */
  idleSeconds(stamp: number): number {
    return idleSecondsAt(this.moment(), stamp);
  }

  /** What stamps mean now. */
  moment(): AccessMoment {
    return {
      minutes: this.#minutes,
      decayMinutes: this.decayMinutes,
      seconds: this.#seconds,
      generation: this.#generation,
      first: this.#first,
      begins: this.#begins,
      keptSince: this.#keptSince,
    };
  }

  /** The stamp of a key that was last accessed `seconds` ago. */
  ofIdle(seconds: number): number {
    const wanted = this.#seconds - Math.min(seconds, IDLE_SECONDS_MAX);
    const moment = this.moment();
    let low = this.#generation - STAMP_MASK;
    let high = this.#generation;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (secondOf(moment, middle) <= wanted) low = middle;
      else high = middle - 1;
    }
    return low & STAMP_MASK;
  }

  #refresh(): void {
    this.stamp = this.#counts ? COUNTS_ACCESSES : this.#generation & STAMP_MASK;
  }

  /**
   * As many seconds pass, each with a generation of its own. A system clock that jumps by years costs no more than that
   * all blocks are written: a millisecond or two.
   */
  #pass(seconds: number): void {
    let left = this.#first === undefined ? 0 : Math.min(seconds, STAMPS);
    this.#seconds += seconds - left;
    this.#generation += seconds - left;
    while (left > 0) {
      const step = left >= 32 && this.#generation % 32 === 31 ? 32 : 1;
      this.#seconds += step;
      this.#generation += step;
      left -= step;
      if (step === 1) this.#note(true);
      else this.#noteBlock(this.#seconds - 31);
    }
  }

  /** The block that ends with the present generation: all of it have begun a second. @param first that of the first */
  #noteBlock(first: number): void {
    const block = Math.floor(this.#generation / 32) % BLOCKS;
    this.#first![block] = first;
    this.#begins![block] = upTo(31);
  }

  /** The generation that has just begun: whether a second has begun with it. */
  #note(beginsSecond: boolean): void {
    const within = this.#generation % 32;
    const block = Math.floor(this.#generation / 32) % BLOCKS;
    if (within === 0) {
      this.#first![block] = this.#seconds;
      this.#begins![block] = 0;
    } else if (beginsSecond) {
      this.#begins![block] = this.#begins![block]! | (1 << within);
    }
  }

  /** Up to the present generation, all have begun a second. */
  #beginKeeping(): void {
    this.#first = new Int32Array(new SharedArrayBuffer(BLOCKS * Int32Array.BYTES_PER_ELEMENT));
    this.#begins = new Int32Array(new SharedArrayBuffer(BLOCKS * Int32Array.BYTES_PER_ELEMENT));
    this.#keptSince = this.#generation;
    const within = this.#generation % 32;
    const block = Math.floor(this.#generation / 32) % BLOCKS;
    this.#first[block] = this.#seconds - within;
    this.#begins[block] = upTo(within);
  }
}

/** Seconds since a stamp was made, as of a moment. Any thread. */
export function idleSecondsAt(moment: AccessMoment, stamp: number): number {
  const age = (moment.generation - stamp) & STAMP_MASK;
  return Math.max(0, moment.seconds - secondOf(moment, moment.generation - age));
}

/** Accesses as a logarithmic count, as of a moment. Any thread. */
export function countAt(moment: AccessMoment, stamp: number): number {
  return decayed(stamp, moment.minutes, moment.decayMinutes);
}

/** A count, less one for every `decayMinutes` since its last change. */
function decayed(stamp: number, minutes: number, decayMinutes: number): number {
  const count = stamp & COUNT_MAX;
  if (decayMinutes === 0) return count;
  const then = stamp >>> 8;
  // Redis's arithmetic, in which the minutes that come round are one fewer.
  const elapsed = minutes >= then ? minutes - then : MINUTE_MASK - then + minutes;
  return Math.max(0, count - Math.floor(elapsed / decayMinutes));
}

/** The second in which a generation began. */
function secondOf(moment: AccessMoment, generation: number): number {
  const { first, begins, keptSince } = moment;
  if (first === undefined) return moment.seconds - (moment.generation - generation);
  if (generation < keptSince) return secondOf(moment, keptSince) - (keptSince - generation);
  const block = Math.floor(generation / 32) % BLOCKS;
  return first[block]! + bitCount(begins![block]! & upTo(generation % 32));
}

/** The bits 1 ... `last`: the first of a block has its second spelled out. */
function upTo(last: number): number {
  return (last === 31 ? -1 : (2 << last) - 1) & ~1;
}

function bitCount(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555);
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
