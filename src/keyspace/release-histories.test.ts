/** Lazy free under random histories: the finder works, dies and is refused at any moment, and views are frozen. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FreezeWriter } from "../testing/freeze-writer.ts";
import { Random, seedOfRun } from "../testing/random.ts";
import { ReleaseThread } from "../testing/release-thread.ts";
import { FrozenKeyspace } from "./frozen-keyspace.ts";
import { Keyspace } from "./keyspace.ts";
import { digestOf } from "./live-digest.ts";
import { LISTED, type Phase } from "./release-words.ts";

const seed = seedOfRun();
const MEBIBYTE = 1024 * 1024;
/** What there is of each thing in every history, whatever the seed. */
const STEPS = 60;
/** Where a history that has no end of its own is given up. */
const STEPS_MAX = 10 * STEPS;
const BATCHES = 7;
const REFUSED_EVERY = 10;
const VIEW_EVERY = 5;

/** A random history, the finder's steps at random moments, everything small counted as large. */
class History {
  readonly keyspace: Keyspace;
  readonly thread: ReleaseThread;
  readonly writer: FreezeWriter;
  readonly random: Random;
  /** Behind each phase, instead of nothing. */
  within: (phase: Phase) => void = () => undefined;
  /** Phases until the finder dies. */
  #lifetime: number;

  constructor(shards: number, choice: number) {
    this.random = new Random(choice);
    this.#lifetime = this.random.between(1, 20);
    this.keyspace = new Keyspace({ shards, regionSize: 4 * MEBIBYTE, databases: 3, seed: [choice, 1] });
    this.thread = new ReleaseThread(this.keyspace);
    this.writer = new FreezeWriter(this.keyspace, this.random, 300);
    this.writer.upheavals = 0.002;
    this.writer.collectionEvery = 1;
    Object.assign(this.keyspace.releaser.limits, { thresholdBlocks: 3, maxPendingBytes: 200_000 });
    this.thread.onPhase = (phase) => {
      this.write(this.random.below(30));
      this.#lifetime -= 1;
      if (this.#lifetime === 0) {
        this.#lifetime = this.random.between(1, 60);
        this.thread.die();
      }
      this.within(phase);
    };
  }

  write(count: number): void {
    for (let write = 0; write < count; write++) this.writer.write();
  }

  step(): void {
    const { random, keyspace, thread } = this;
    this.writer.removals = random.pick([0.1, 0.5, 0.9]);
    thread.isOpen = !random.chance(0.1);
    this.write(random.below(100));
    if (random.chance(0.7)) keyspace.releaser.flush();
    if (random.chance(0.7)) thread.run();
    if (random.chance(0.5)) keyspace.releaser.work(random.pick([0, 0, 10]));
  }

  /** Writes until something has died that the finder does not take. */
  refuse(): void {
    const { keyspace, thread } = this;
    thread.isOpen = false;
    const { inlineFrees } = keyspace.releaser;
    for (let step = 0; step < STEPS_MAX && keyspace.releaser.inlineFrees === inlineFrees; step++) {
      this.write(10);
      // What it has taken before, it finishes.
      thread.run();
      keyspace.releaser.turn(10);
    }
  }

  /** Nothing more is written, and all that is pending is freed. */
  end(): void {
    this.thread.onPhase = () => undefined;
    this.thread.isOpen = true;
    this.thread.settle();
    this.keyspace.verify();
  }
}

for (const shards of [1, 4]) {
  test(`any history, with deaths, refusals and flushes in between, ${shards} shards`, (context) => {
    context.diagnostic(`seed ${seed}`);
    const sums = { freed: 0, inline: 0, batches: 0, deaths: 0 };
    const runs = 8;
    for (let run = 0; run < runs; run++) {
      const history = new History(shards, seed + run);
      const { keyspace, thread } = history;
      const isWhole = () => thread.batches >= BATCHES && thread.deaths > 0;
      for (let step = 0; step < STEPS || (step < STEPS_MAX && !isWhole()); step++) {
        history.step();
        if (step % REFUSED_EVERY === 0) history.refuse();
        keyspace.verify();
      }
      history.end();
      sums.freed += keyspace.releaser.freedObjects;
      sums.inline += keyspace.releaser.inlineFrees;
      sums.batches += thread.batches;
      sums.deaths += thread.deaths;
    }
    context.diagnostic(JSON.stringify(sums));
    const inlineMin = (runs * STEPS) / REFUSED_EVERY;
    assert(sums.inline >= inlineMin && sums.batches >= runs * BATCHES && sums.deaths >= runs, JSON.stringify(sums));
    assert(sums.freed > 200, JSON.stringify(sums));
  });

  for (const audit of [true, false]) {
    test(`frozen views are what they were, whenever a value dies, ${shards} shards${audit ? ", audited" : ""}`, () => {
      const [runs, steps] = [6, 20];
      let views = 0;
      for (let run = 0; run < runs; run++) {
        const history = new History(shards, seed + run);
        const { keyspace } = history;
        const look = (): void => {
          const digests = keyspace.databases.map(digestOf);
          const view = keyspace.freeze(audit);
          const onPhase = history.within;
          history.within = () => undefined;
          for (let step = 0; step < 5; step++) history.step();
          const frozen = new FrozenKeyspace(view.regions, view.databases);
          assert.deepEqual(
            frozen.databases.map((database) => database.digest()),
            digests,
          );
          assert.equal(view.release().aborted, false);
          history.within = onPhase;
          views += 1;
        };
        history.within = (phase) => {
          if (history.random.chance(0.1) && !keyspace.shards[0]!.region.frozen && phase !== LISTED) look();
        };
        for (let step = 0; step < steps; step++) {
          history.step();
          if (step % VIEW_EVERY === 0 || history.random.chance(0.1)) look();
          keyspace.verify();
        }
        history.end();
      }
      assert(views >= (runs * steps) / VIEW_EVERY, `only ${views}`);
    });
  }
}
