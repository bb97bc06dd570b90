/**
 * Freeze stress: this thread changes a store as fast as it can, while another walks one frozen view of it after the
 * other and must find exactly what was there at the freeze.
 *
 * Everything is synchronous on this thread, as in a store that answers commands: it polls for the walker's result
 * between writes. Each freeze lasts until the walks are done, and some writes at least.
 */
import assert from "node:assert/strict";
import { extname } from "node:path";
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from "node:worker_threads";
import { BackgroundThreads } from "../background/background-threads.ts";
import { LazyFree } from "../background/lazy-free.ts";
import { Keyspace } from "../keyspace/keyspace.ts";
import { digestOf } from "../keyspace/live-digest.ts";
import { type FreezePause, PAGE_SIZE, type Region } from "../memory/region.ts";
import { pauseAtRandom } from "./freeze-pause.ts";
import type { WalkOrder, WalkResult } from "./freeze-walker.ts";
import { FreezeWriter } from "./freeze-writer.ts";
import { Random } from "./random.ts";

export interface StressOptions {
  readonly seed: number;
  readonly freezes: number;
  /** At least this many writes during each freeze, on average over those so far, and half as many in any of them. */
  readonly writesPerFreeze: number;
  readonly shards?: number;
  /** How many different keys there may be in each database. */
  readonly names?: number;
  /** Walks of each view. */
  readonly walks?: number;
  /** Chance that the owner pauses between copying a page and marking it. */
  readonly ownerPauses?: number;
  /** Chance that the reader pauses between copying and asking for the mark. */
  readonly readerPauses?: number;
  /** The reader takes its two steps in the wrong order; over when that has shown. */
  readonly carelessReader?: boolean;
  /** The owner begins to write a page before it has marked it; over when that has shown. */
  readonly carelessOwner?: boolean;
  /** Bytes that a freeze may copy in each region. */
  readonly shadowLimit?: number;
  readonly upheavals?: number;
  /** What has more than a few blocks is freed by a background thread. */
  readonly lazyFree?: boolean;
  /** It links blocks of values that died while a view was frozen; over when that has shown. */
  readonly carelessFree?: boolean;
  /** One key in so many is mostly a collection; a power of two. */
  readonly collectionEvery?: number;
}

export interface StressFigures {
  freezes: number;
  writes: number;
  /** Writes while a view was frozen. */
  frozenWrites: number;
  walks: number;
  walkedKeys: number;
  copiedPages: number;
  /** Views that had to be given up, and walks that were told so. */
  aborted: number;
  lost: number;
  /** Walks whose digest was another than at the freeze, or that failed, or did not come to an end. */
  wrong: number;
  mostKeys: number;
  fewestKeys: number;
  /** Values that the background thread found, and that this one had to free itself. */
  freed: number;
  freedInline: number;
}

const REGION_SIZE = 96 * 1024 * 1024;
const NAMES = 9_000;
const DATABASES = 3;
/** Few by default, because a change of a collection takes ten times as long as one of a string, or longer. */
const COLLECTION_EVERY = 64;
const POLL_WRITES = 64;
/** For what a background thread has found. */
const SLICE_MS = 0.1;
/** A walk over garbage may never end; a busy machine may let the walker wait for long. */
const PATIENCE_MS = 90_000;

/** Chances of removal, freeze by freeze: the tables grow, grow on, shrink to next to nothing, recover. */
const PHASES = [0.1, 0.2, 0.97, 0.97, 0.4];

export async function stressFreezes(options: StressOptions): Promise<StressFigures> {
  const stress = new Stress(options);
  try {
    await stress.start();
    for (let freeze = 0; freeze < options.freezes && !stress.isOver; freeze++)
      stress.freeze(PHASES[freeze % PHASES.length]!);
    stress.keyspace.verify();
    return stress.figures;
  } finally {
    await stress.end();
  }
}

class Stress {
  readonly keyspace: Keyspace;
  readonly figures: StressFigures = {
    freezes: 0,
    writes: 0,
    frozenWrites: 0,
    walks: 0,
    walkedKeys: 0,
    copiedPages: 0,
    aborted: 0,
    lost: 0,
    wrong: 0,
    mostKeys: 0,
    fewestKeys: Number.POSITIVE_INFINITY,
    freed: 0,
    freedInline: 0,
  };
  /** What was to be found has been, or the walker is lost. */
  isOver = false;
  readonly #options: StressOptions;
  readonly #names: number;
  readonly #random: Random;
  readonly #writer: FreezeWriter;
  readonly #port: MessagePort;
  readonly #worker: Worker;
  readonly #threads = new BackgroundThreads();

  constructor(options: StressOptions) {
    const { seed, shards = 1, shadowLimit = REGION_SIZE, names = NAMES } = options;
    this.#options = options;
    this.#names = names;
    this.#random = new Random(seed);
    this.keyspace = new Keyspace({
      shards,
      regionSize: REGION_SIZE,
      databases: DATABASES,
      shadowLimit,
      seed: [seed, 1],
    });
    this.#writer = new FreezeWriter(this.keyspace, this.#random, names);
    this.#writer.upheavals = options.upheavals ?? 0;
    this.#writer.collectionEvery = options.collectionEvery ?? COLLECTION_EVERY;
    if (options.lazyFree === true) this.#freeLazily(options.carelessFree === true);
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    const file = new URL(`./freeze-walker${extname(import.meta.url)}`, import.meta.url);
    this.#worker = new Worker(file, { workerData: { port: port2 }, transferList: [port2] });
  }

  async start(): Promise<void> {
    await new Promise((resolve, reject) => this.#worker.once("online", resolve).once("error", reject));
    this.#writer.removals = 0;
    while (this.#keys < this.#names) this.#writer.write();
  }

  freeze(removals: number): void {
    const { figures, keyspace } = this;
    this.#writer.removals = removals;
    this.#countKeys();
    const expected = keyspace.databases.map(digestOf).join();
    const view = keyspace.freeze();
    for (const { region } of keyspace.shards) region.pause = this.#pauseFor(region);
    const { walks = 1, readerPauses = 0, carelessReader = false } = this.#options;
    const { regions, databases } = view;
    const order: WalkOrder = { regions, databases, walks, pauses: readerPauses, careless: carelessReader };
    this.#port.postMessage(order);
    const result = this.#writeUntilWalked();
    const outcome = view.release();
    figures.freezes += 1;
    figures.writes = this.#writer.writes;
    const { freedObjects, inlineFrees } = this.keyspace.releaser;
    figures.freed = freedObjects - inlineFrees;
    figures.freedInline = inlineFrees;
    figures.copiedPages += outcome.copiedPages;
    if (outcome.aborted) figures.aborted += 1;
    this.#judge(result, expected);
  }

  async end(): Promise<void> {
    this.#port.close();
    await this.#worker.terminate();
    await this.#threads.stop(1000);
  }

  get #keys(): number {
    return this.keyspace.databases.reduce((sum, database) => sum + database.count, 0);
  }

  /** @param careless as if nothing died while a view is frozen */
  #freeLazily(careless: boolean): void {
    const { releaser } = this.keyspace;
    new LazyFree(releaser, this.#threads, () => undefined);
    releaser.limits.thresholdBlocks = 2;
    if (careless) releaser.handover.noteDeath = () => undefined;
  }

  #pauseFor({ bytes }: Region): FreezePause | undefined {
    const { ownerPauses = 0, carelessOwner = false } = this.#options;
    const pause = ownerPauses > 0 ? pauseAtRandom(this.#random, ownerPauses) : undefined;
    if (!carelessOwner) return pause;
    return (page) => {
      const at = page * PAGE_SIZE + this.#random.below(PAGE_SIZE);
      bytes[at] = bytes[at]! ^ 0xff;
      pause?.(page);
      bytes[at] = bytes[at]! ^ 0xff;
    };
  }

  #countKeys(): void {
    this.figures.mostKeys = Math.max(this.figures.mostKeys, this.#keys);
    this.figures.fewestKeys = Math.min(this.figures.fewestKeys, this.#keys);
  }

  #writeUntilWalked(): WalkResult | undefined {
    const before = this.#writer.writes;
    const { writesPerFreeze } = this.#options;
    // A walk of large tables lets more be written than is asked for: so much less is due while later ones are small.
    const due = (this.figures.freezes + 1) * writesPerFreeze - this.figures.frozenWrites;
    const least = Math.max(due, writesPerFreeze / 2);
    const patience = performance.now() + PATIENCE_MS;
    let result: WalkResult | undefined;
    while (result === undefined || this.#writer.writes - before < least) {
      for (let write = 0; write < POLL_WRITES; write++) this.#writer.write();
      this.keyspace.releaser.turn(SLICE_MS);
      result ??= receiveMessageOnPort(this.#port)?.message as WalkResult | undefined;
      if (result === undefined && performance.now() > patience) break;
    }
    this.figures.frozenWrites += this.#writer.writes - before;
    this.#countKeys();
    return result;
  }

  #judge(result: WalkResult | undefined, expected: string): void {
    const { figures } = this;
    if (result === undefined) {
      figures.wrong += 1;
      this.isOver = true;
      return;
    }
    figures.walks += result.digests.length;
    figures.walkedKeys += result.keys;
    if (result.lost) figures.lost += 1;
    if (result.error !== undefined || result.digests.some((digest) => digest !== expected)) figures.wrong += 1;
    const { carelessReader = false, carelessOwner = false, carelessFree = false } = this.#options;
    if (carelessReader || carelessOwner || carelessFree) this.isOver = figures.wrong > 0;
    else assert.equal(result.error, undefined);
  }
}
