/**
 * ReleaseHandover: the one batch of dead values that is with the finder (release-finder.ts), from when it is posted to
 * when the last of its blocks is free again.
 *
 *     none ──send──▶ waiting ──linked────▶ taking back by the span  ──▶ none
 *                      │  │────unlinked──▶ taking back, or one by one ─▶ none
 *                      │  └────stopped───▶ clearing the marks ─────────▶ none
 *                      └──the thread died: before all was listed, the values come back to whoever sent them, untouched;
 *                         after that, their blocks are marked and are taken back one by one
 *
 * One batch at a time: what dies meanwhile waits for the next, so that batches are as large as the finder is slow, and
 * there is one area a region for the marks, and one answer to who may write to it.
 *
 * Links and freezes (dead-blocks.ts has the argument): a batch is not linked if one of its values died while a freeze
 * was active that still is, or if an audited one is. A freeze that begins later needs nothing, but an audited one.
 *
 * Owner thread only.
 */
import { DeadBlocks } from "../memory/dead-blocks.ts";
import { type BYTES, type OBJECTS, SHARD, VALUE_WORDS } from "./dead-values.ts";
import type { OpenedRegion, ReleasePort } from "./release-port.ts";
import { LINKED, LISTED, ReleaseWords, STOPPED, UNTAKEN, WALKING } from "./release-words.ts";
import type { Shard } from "./shard.ts";

/** How the rows of a batch are dealt with. */
type Mode = number;
const NONE: Mode = 0;
const WAITING: Mode = 1;
const BY_SPAN: Mode = 2;
const ONE_BY_ONE: Mode = 3;
const CLEARING: Mode = 4;

/** Milliseconds that an owner waits for a finder that is to stop: it looks every few microseconds, but it rests too. */
const STOP_MS = 0.4;
/** The same, for links that are to be complete before an audit (tests). */
const AUDIT_MS = 10_000;

const NO_VALUES = new Int32Array(0);

export class ReleaseHandover {
  readonly words = new ReleaseWords();
  readonly #shards: readonly Shard[];
  readonly #areas: (DeadBlocks | undefined)[] = [];
  /** Shards whose region the finder has opened. */
  readonly #isOpen: boolean[] = [];
  /** Shards whose region the finder must still be told to forget. */
  readonly #toForget = new Set<number>();
  /** For each shard the freeze that was active when a value died last. */
  readonly #diedIn: number[] = [];
  #mode = NONE;
  #values: Int32Array = NO_VALUES;
  /** How far the rows have been dealt with. */
  #shard = 0;
  #row = 0;

  /** @param shards may still be filled */
  constructor(shards: readonly Shard[]) {
    this.#shards = shards;
  }

  /** Whether a batch is on its way. */
  get isBusy(): boolean {
    return this.#mode !== NONE;
  }

  /** Whether the owner could go on with the batch now. */
  get isDue(): boolean {
    return this.#mode > WAITING || (this.#mode === WAITING && this.words.phase >= LINKED);
  }

  /** Bytes, as estimated, and objects of the batch; none of one that was dropped. */
  sum(field: typeof BYTES | typeof OBJECTS): number {
    if (this.#mode === CLEARING) return 0;
    let sum = 0;
    for (let at = field; at < this.#values.length; at += VALUE_WORDS) sum += this.#values[at]!;
    return sum;
  }

  /** To be told of each death of a value that will be sent. */
  noteDeath({ index, region }: Shard): void {
    if (region.frozen) this.#diedIn[index] = region.epoch;
  }

  /** Sends a batch; there must be none. @returns false if the port did not take it */
  send(port: ReleasePort, values: Int32Array): boolean {
    this.#forgetRegions(port);
    const regions: OpenedRegion[] = [];
    let mayLink = true;
    for (const { index, region } of this.#involved(values)) {
      const area = this.#areas[index] ?? new DeadBlocks(region);
      this.#areas[index] = area;
      if (this.#isOpen[index] !== true) regions.push({ shard: index, buffer: region.buffer, area: area.buffer });
      if (region.frozen && (region.isAudited || this.#diedIn[index] === region.epoch)) mayLink = false;
    }
    const number = this.words.begin(mayLink);
    if (!port.post({ kind: "free", number, regions, values })) return false;
    for (const { shard } of regions) this.#isOpen[shard] = true;
    this.#values = values;
    this.#begin(WAITING);
    return true;
  }

  /** Takes back what the finder is done with, until `deadline` (as performance.now). @returns whether that was all */
  takeBack(deadline: number): boolean {
    if (!this.isDue) return false;
    if (this.#mode === WAITING) {
      const { phase } = this.words;
      this.#begin(phase === LINKED ? BY_SPAN : phase === STOPPED ? CLEARING : ONE_BY_ONE);
    }
    for (const shard of this.#involved(this.#values)) {
      if (shard.index < this.#shard) continue;
      if (shard.index > this.#shard) this.#row = 0;
      this.#shard = shard.index;
      const area = this.#areas[shard.index]!;
      while (this.#row < area.rows) {
        if (this.#mode === CLEARING) area.clearRow(this.#row);
        else area.takeBack(shard.heap, this.#row, this.#mode === BY_SPAN);
        this.#row += 1;
        if (performance.now() >= deadline) return false;
      }
    }
    this.#end();
    return true;
  }

  /**
   * Drops the batch, for its regions are about to be emptied.
   * @returns whether the finder leaves them alone from now on; otherwise they must not be written to any more
   */
  drop(): boolean {
    if (this.#mode !== WAITING) {
      if (this.#mode !== NONE) this.#mode = CLEARING;
      return true;
    }
    this.words.stop();
    if (this.words.phase === UNTAKEN) {
      this.#end();
      return true;
    }
    if (this.words.watchEnd(STOP_MS)) {
      this.#begin(CLEARING);
      return true;
    }
    this.#abandonAreas();
    this.#end();
    return false;
  }

  /** The finder's thread has ended. @returns the batch, if its values are as they were, and there is none any more */
  recover(): Int32Array {
    this.#isOpen.length = 0;
    this.#toForget.clear();
    const { phase } = this.words;
    if (this.#mode !== WAITING || phase >= LINKED) return NO_VALUES;
    if (phase === LISTED) {
      this.#begin(ONE_BY_ONE);
      return NO_VALUES;
    }
    if (phase === WALKING) this.#abandonAreas();
    const values = this.#values;
    this.#end();
    return values;
  }

  /** A shard's region has been replaced, after `drop`. */
  replaced({ index, region }: Shard): void {
    const area = this.#areas[index];
    if (area !== undefined) this.#areas[index] = new DeadBlocks(region, area.buffer);
    if (this.#isOpen[index] === true) this.#toForget.add(index);
    this.#isOpen[index] = false;
  }

  /** Tells the finder of regions that it should forget, if there are any. */
  forget(port: ReleasePort): void {
    if (this.#toForget.size > 0) this.#forgetRegions(port);
  }

  /** Sees to it that nothing is linked any more, for a freeze that will be audited. @throws Error if that takes long */
  stopLinking(): void {
    if (this.#mode !== WAITING) return;
    this.words.forbidLinks();
    if (this.words.phase === LISTED && !this.words.awaitEnd(AUDIT_MS)) throw new Error("lazy free: links without end");
  }

  /**
   * Blocks of a shard that belong to the batch and are not free yet. Afterwards the batch is not linked any more.
   * @param count counts the blocks of the value at a row of `values`
   */
  pendingBlocks({ index }: Shard, count: (values: Int32Array, at: number) => number): number {
    if (this.#mode === NONE || this.#mode === CLEARING) return 0;
    if (this.#mode === WAITING) {
      this.words.forbidLinks();
      if (this.words.phase < LISTED) return this.#countValues(index, count);
    }
    const isInvolved = this.#involved(this.#values).some((shard) => shard.index === index);
    if (!isInvolved || index < this.#shard) return 0;
    return this.#areas[index]!.countFrom(index === this.#shard ? this.#row : 0);
  }

  #countValues(index: number, count: (values: Int32Array, at: number) => number): number {
    let blocks = 0;
    for (let at = 0; at < this.#values.length; at += VALUE_WORDS) {
      if (this.#values[at + SHARD] === index) blocks += count(this.#values, at);
    }
    return blocks;
  }

  #begin(mode: Mode): void {
    this.#mode = mode;
    this.#shard = 0;
    this.#row = 0;
  }

  #end(): void {
    this.#mode = NONE;
    this.#values = NO_VALUES;
  }

  /** The finder may still write to the areas: the next batch gets others. */
  #abandonAreas(): void {
    for (const { index } of this.#involved(this.#values)) {
      this.#areas[index] = undefined;
      this.#isOpen[index] = false;
    }
  }

  #forgetRegions(port: ReleasePort): void {
    for (const shard of this.#toForget) {
      if (!port.post({ kind: "forget", shard })) return;
      this.#toForget.delete(shard);
    }
  }

  /** The shards that a batch's values are in, in their order. */
  #involved(values: Int32Array): Shard[] {
    const found = new Uint8Array(this.#shards.length);
    for (let at = 0; at < values.length; at += VALUE_WORDS) found[values[at + SHARD]!] = 1;
    return this.#shards.filter((_, index) => found[index] === 1);
  }
}
