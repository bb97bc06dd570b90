/** The wheel against its naive twin, a Map of times, with a clock that runs, leaps and is set back. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Heap, NONE, type Ref } from "../memory/heap.ts";
import { Region } from "../memory/region.ts";
import { Random, seedOfRun } from "../testing/random.ts";
import { NODE_SIZE, TICK_MS, TimingWheel } from "./timing-wheel.ts";

const seed = seedOfRun();
const START = Date.UTC(2025, 0, 1);
/** Times that the wheel has no slot for: they are not filed. */
const FAR = 2 ** 43;

class Twins {
  readonly heap = new Heap(new Region(1024 * 1024));
  readonly wheel = new TimingWheel(this.heap);
  readonly #root: Ref;
  readonly times = new Map<Ref, number>();
  now = START;

  constructor() {
    this.#root = this.wheel.create(this.now);
    this.heap.root = this.#root;
    this.wheel.attach(this.#root);
  }

  file(time: number): void {
    const node = this.heap.allocate(NODE_SIZE);
    const { region } = this.heap;
    region.setWord(node, time | 0);
    region.setWord(node + 4, Math.floor(time / 2 ** 32));
    this.wheel.file(node);
    this.times.set(node, time);
  }

  refile(choice: number, time: number): void {
    const node = this.#choose(choice);
    if (node === undefined) return;
    this.wheel.refile(node, time | 0, Math.floor(time / 2 ** 32));
    this.times.set(node, time);
  }

  /** Files a node anew, a little before or after where it is. */
  push(choice: number, distance: number): void {
    const node = this.#choose(choice);
    if (node !== undefined) this.refile(choice, Math.max(0, this.times.get(node)! + distance));
  }

  remove(choice: number): void {
    const node = this.#choose(choice);
    if (node !== undefined) this.#remove(node);
  }

  /** Takes what is due, `limit` moves at a time, and checks that it is exactly what the twin says. */
  expire(limit: number): void {
    const { wheel, now } = this;
    const tick = Math.floor(now / TICK_MS);
    for (let rounds = 0; ; rounds++) {
      assert(rounds < 100_000, "it never comes to an end");
      const node = wheel.firstDue(now);
      if (node === NONE) {
        if (!wheel.advance(now, limit)) break;
        continue;
      }
      assert(this.times.get(node)! <= now, "it goes early");
      this.#remove(node);
    }
    const ofTick = new Set<Ref>();
    for (let node = wheel.firstOfTick(now); node !== NONE; node = wheel.next(node)) ofTick.add(node);
    for (const [node, time] of this.times) {
      if (time >= FAR) assert.equal(wheel.isFiled(node), false);
      else if (Math.floor(time / TICK_MS) === tick) assert(ofTick.has(node));
      else assert(time > now, "it is left behind");
    }
    const earliest = Math.min(Number.POSITIVE_INFINITY, ...[...this.times.values()].filter((time) => time < FAR));
    assert(wheel.nextAttention <= earliest);
    assert(wheel.nextAttention >= tick * TICK_MS, `attention at ${wheel.nextAttention}, ${now}: for ever anew`);
  }

  verify(): void {
    const seen = new Set<Ref>();
    this.wheel.verify((node) => {
      assert.equal(this.wheel.due(node), this.times.get(node));
      seen.add(node);
    });
    for (const [node, time] of this.times) assert.equal(seen.has(node), time < FAR);
    this.heap.verify();
  }

  #choose(choice: number): Ref | undefined {
    const nodes = [...this.times.keys()];
    return nodes[choice % nodes.length];
  }

  #remove(node: Ref): void {
    this.wheel.remove(node);
    assert.equal(this.wheel.isFiled(node), false);
    this.heap.free(node);
    this.times.delete(node);
  }
}

const HOUR = 3_600_000;
const YEAR = 8766 * HOUR;
/** From now, in milliseconds: near and far, before and after, and at borders of ticks and blocks. */
const distances = fc.oneof(
  fc.integer({ min: -500, max: 2000 }),
  fc.integer({ min: -20_000, max: 60_000 }),
  fc.nat({ max: 4 * HOUR }),
  fc.nat({ max: 90 * 24 * HOUR }),
  fc.nat({ max: 200 * YEAR }),
  fc.integer({ min: -50 * YEAR, max: 0 }),
  fc.integer({ min: 1, max: 1000 }).map((years) => years * YEAR),
  fc.tuple(fc.integer({ min: 0, max: 42 }), fc.integer({ min: -1, max: 1 })).map(([bit, more]) => 2 ** bit + more),
);
const nudges = fc.integer({ min: -300, max: 300 });
const steps = fc.oneof(
  { weight: 12, arbitrary: fc.record({ kind: fc.constant("file" as const), time: distances }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("refile" as const), choice: fc.nat(), time: distances }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("push" as const), choice: fc.nat(), time: nudges }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("remove" as const), choice: fc.nat() }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("expire" as const), limit: fc.constantFrom(1, 3, 1000) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("advance" as const), limit: fc.nat({ max: 3 }) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("pass" as const), time: distances }) },
);

test("a wheel is what a Map of times is, with a clock that leaps and is set back", (context) => {
  context.diagnostic(`seed ${seed}`);
  const seen = { filed: 0, back: 0, leaps: 0 };
  const property = fc.property(fc.array(steps, { maxLength: 200, size: "max" }), (sequence) => {
    const twins = new Twins();
    twins.heap.region.freeze(true);
    for (const step of sequence) {
      if (step.kind === "file") twins.file(Math.max(0, twins.now + step.time));
      else if (step.kind === "refile") twins.refile(step.choice, Math.max(0, twins.now + step.time));
      else if (step.kind === "push") twins.push(step.choice, step.time);
      else if (step.kind === "remove") twins.remove(step.choice);
      else if (step.kind === "expire") twins.expire(step.limit);
      else if (step.kind === "advance" && twins.wheel.firstDue(twins.now) === NONE)
        twins.wheel.advance(twins.now, step.limit);
      else if (step.kind === "pass") {
        twins.now = Math.min(START + 150 * YEAR, Math.max(0, twins.now + step.time));
        if (step.time < 0) seen.back += 1;
        if (step.time > 24 * HOUR) seen.leaps += 1;
      }
      twins.verify();
    }
    seen.filed += twins.times.size;
    twins.expire(7);
    twins.verify();
    assert.equal(twins.heap.region.release().aborted, false);
  });
  fc.assert(property, { seed, numRuns: 150 });
  context.diagnostic(JSON.stringify(seen));
  assert(seen.filed > 500 && seen.back > 50 && seen.leaps > 50);
});

test("what is far away comes to its tick ahead of time, a few nodes at a time", () => {
  const twins = new Twins();
  const due = START + 3 * HOUR + 17;
  for (let index = 0; index < 1000; index++) twins.file(due + (index % 500));
  let most = 0;
  for (; twins.now < due - 1000; twins.now += 100) {
    assert.equal(twins.wheel.firstDue(twins.now), NONE);
    let moves = 0;
    while (twins.wheel.advance(twins.now, 1)) moves += 1;
    most = Math.max(most, moves);
  }
  assert(most >= 1000, "they were filed anew");
  // A second ahead all of them are in the ring: nothing is left to be moved.
  twins.now = due + 1000;
  let taken = 0;
  for (let node = twins.wheel.firstDue(twins.now); node !== NONE; node = twins.wheel.firstDue(twins.now)) {
    twins.wheel.remove(node);
    taken += 1;
  }
  assert.equal(taken, 1000);
});

test("setting the clock back and forth takes the same time for any number of nodes, and loses none", () => {
  const twins = new Twins();
  const random = new Random(seed);
  for (let index = 0; index < 5000; index++) twins.file(START + random.below(20 * HOUR));
  for (const jump of [-HOUR, 2 * HOUR, -10 * YEAR, 5 * YEAR, 5 * YEAR, -3, 19 * HOUR]) {
    twins.now += jump;
    twins.file(twins.now + 1000);
    twins.expire(100);
    twins.verify();
  }
  twins.now = START + 21 * HOUR;
  twins.expire(100);
  assert.equal(twins.wheel.count, 0);
});
