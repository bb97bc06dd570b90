/**
 * ReleaseFinder: finds and links the blocks of dead values, for the thread that owns them. What the worker of
 * background/lazy-free.ts does; here, because it knows how values are walked.
 *
 * It never writes to a region, but for the links that memory/dead-blocks.ts allows. Its order is what makes a death of
 * its thread harmless: nothing is linked before all is marked, so a value is either as it was, or all of its blocks are
 * known. Any thread but the owner.
 */

import { DeadBlocks } from "../memory/dead-blocks.ts";
import { giveReasonToCollect } from "../memory/discarded.ts";
import { Heap } from "../memory/heap.ts";
import { Region } from "../memory/region.ts";
import { KIND, ROOT, SHARD, VALUE_WORDS, walkValue } from "./dead-values.ts";
import { Entries } from "./entry.ts";
import type { ReleaseRequest } from "./release-port.ts";
import { LINKED, LISTED, type Phase, ReleaseWords, STOPPED, UNLINKED, WALKING } from "./release-words.ts";

/** Tests put pauses, and the end of the thread, behind each phase. */
export type FinderPause = (phase: Phase) => void;

interface View {
  readonly entries: Entries;
  readonly dead: DeadBlocks;
}

/** Blocks marked, and rows linked, between two questions whether to stop: some microseconds' work. */
const ASK_EVERY = 256;
const ASK_EVERY_ROWS = 16;

class Stopped extends Error {}

export class ReleaseFinder {
  readonly #words: ReleaseWords;
  readonly #views: (View | undefined)[] = [];
  readonly #held = new Map<number, SharedArrayBuffer>();
  readonly #pause: FinderPause;
  readonly #breathe: () => void;
  #untilAsked = ASK_EVERY;
  #isCollectionDue = false;

  /**
   * @param words of the keyspace: ReleaseWords.buffer
   * @param breathe called every some dozens of microseconds, to leave the processor to others
   */
  constructor(words: SharedArrayBuffer, pause: FinderPause = () => undefined, breathe: () => void = () => undefined) {
    this.#words = new ReleaseWords(words);
    this.#pause = pause;
    this.#breathe = breathe;
  }

  /** Lets go of a region. */
  forget(shard: number): void {
    this.#views[shard] = undefined;
    this.#collectSoon();
  }

  /** Refers to a buffer that the owner has discarded. */
  hold(held: number, buffer: SharedArrayBuffer): void {
    this.#held.set(held, buffer);
  }

  /** Gives such a buffer's memory back. */
  letGo(held: number): void {
    this.#held.delete(held);
    this.#collectSoon();
  }

  /** One collection for all that is let go of together: all regions, at a FLUSHALL. */
  #collectSoon(): void {
    if (this.#isCollectionDue) return;
    this.#isCollectionDue = true;
    setImmediate(() => {
      this.#isCollectionDue = false;
      giveReasonToCollect();
    });
  }

  /** Finds all blocks of a batch, and links them where it may. */
  find({ number, regions, values }: Extract<ReleaseRequest, { kind: "free" }>): void {
    for (const { shard, buffer, area } of regions) {
      const region = Region.view(buffer);
      this.#views[shard] = { entries: new Entries(new Heap(region)), dead: new DeadBlocks(region, area) };
    }
    try {
      this.#reach(number, WALKING);
      this.#assertWanted(number);
      this.#mark(number, values);
      this.#reach(number, LISTED);
      if (this.#words.mayLink(number)) this.#link(number, values);
      else this.#reach(number, UNLINKED);
    } catch (error) {
      if (!(error instanceof Stopped)) throw error;
      this.#reach(number, STOPPED);
    }
  }

  #mark(number: number, values: Int32Array): void {
    const views = this.#viewsOf(values);
    for (const { dead } of views) dead.begin();
    try {
      for (let at = 0; at < values.length; at += VALUE_WORDS) {
        const { entries, dead } = this.#views[values[at + SHARD]!]!;
        const mark = (block: number): void => {
          dead.mark(block);
          if (--this.#untilAsked === 0) this.#assertWanted(number);
        };
        let place = 0;
        do place = walkValue(entries, values[at + KIND]!, values[at + ROOT]!, place, mark);
        while (place !== 0);
      }
    } finally {
      for (const { dead } of views) dead.end();
    }
  }

  #link(number: number, values: Int32Array): void {
    for (const { dead } of this.#viewsOf(values)) {
      for (let row = 0; row < dead.rows; row++) {
        dead.link(row);
        if (row % ASK_EVERY_ROWS === 0) this.#assertWanted(number);
      }
    }
    this.#reach(number, LINKED);
  }

  #viewsOf(values: Int32Array): Set<View> {
    const views = new Set<View>();
    for (let at = 0; at < values.length; at += VALUE_WORDS) views.add(this.#views[values[at + SHARD]!]!);
    return views;
  }

  #reach(number: number, phase: Phase): void {
    this.#words.reach(number, phase);
    this.#pause(phase);
  }

  #assertWanted(number: number): void {
    this.#untilAsked = ASK_EVERY;
    this.#breathe();
    if (this.#words.mustStop(number)) throw new Stopped();
  }
}
