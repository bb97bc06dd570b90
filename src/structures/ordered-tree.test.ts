import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Heap, NONE, type Ref, RegionFullError } from "../memory/heap.ts";
import { Region } from "../memory/region.ts";
import { Random, seedOfRun } from "../testing/random.ts";
import { TREE_SIZE } from "./ordered-cursor.ts";
import {
  ALL_OF_EQUAL,
  BYTES_AT,
  INNER_MAX,
  INNER_SIZE,
  LEAF_MAX,
  LEAF_SIZE,
  LENGTH_AT,
  LESS_BYTES,
  NONE_OF_EQUAL,
  UP_TO_BYTES,
} from "./ordered-nodes.ts";
import { OrderedTree } from "./ordered-tree.ts";
import { verifyTree } from "./ordered-tree-verify.ts";

const seed = seedOfRun();

interface Member {
  score: number;
  readonly bytes: Buffer;
  readonly ref: Ref;
}

/** How scores are drawn: all different, few different ones, only one, rising or falling from call to call. */
type ScoreShape = "any" | "few" | "one" | "rising" | "falling";

function byOrder(left: Member, right: Member): number {
  return left.score === right.score ? left.bytes.compare(right.bytes) : left.score - right.score;
}

/** A tree beside a sorted array. */
class TreeTwins {
  readonly heap: Heap;
  readonly tree: OrderedTree;
  readonly members: Member[] = [];
  readonly #known = new Set<string>();
  readonly #random: Random;
  readonly #shape: ScoreShape;
  #step = 0;
  #moving: Member | undefined;

  constructor(size: number, shape: ScoreShape, random: Random) {
    this.heap = new Heap(new Region(size));
    const header = this.heap.allocate(TREE_SIZE);
    this.heap.region.setWord(header, NONE);
    this.heap.region.setWord(header + 4, 0);
    this.tree = new OrderedTree(this.heap).attach(header);
    this.#random = random;
    this.#shape = shape;
  }

  score(): number {
    this.#step += 1;
    const random = this.#random;
    if (this.#shape === "rising") return this.#step;
    if (this.#shape === "falling") return -this.#step;
    if (this.#shape === "one") return 0;
    if (this.#shape === "few")
      return random.pick([0, -0, 1, 2.5, -7, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]);
    return (random.below(2 ** 40) - 2 ** 39) / 1000;
  }

  bytes(): Buffer {
    const random = this.#random;
    return random.chance(0.5) ? random.bytes(random.below(12)) : Buffer.from(random.text(random.below(9), "ab\0"));
  }

  insert(count: number): void {
    for (let added = 0; added < count; added++) {
      const bytes = this.bytes();
      if (this.#known.has(bytes.toString("latin1"))) continue;
      const member = { score: this.score(), bytes, ref: this.allocate(bytes) };
      this.heap.region.doubles[member.ref >>> 3] = member.score;
      try {
        this.tree.insert(member.ref);
      } catch (error) {
        this.heap.free(member.ref);
        throw error;
      }
      this.#known.add(bytes.toString("latin1"));
      this.members.splice(this.placeOf(member), 0, member);
    }
  }

  allocate(bytes: Buffer): Ref {
    const size = BYTES_AT + ((bytes.length + 3) & ~3);
    const ref = this.heap.allocate(size);
    this.heap.region.guard(ref, size);
    this.heap.region.setWord(ref + LENGTH_AT, bytes.length);
    this.heap.region.bytes.fill(0, ref + BYTES_AT, ref + size);
    this.heap.region.bytes.set(bytes, ref + BYTES_AT);
    return ref;
  }

  /** Members before the given one. */
  placeOf(member: Pick<Member, "score" | "bytes">): number {
    let [low, high] = [0, this.members.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (byOrder(this.members[middle]!, member as Member) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  remove(count: number): void {
    for (let removed = 0; removed < count && this.members.length > 0; removed++) {
      const [member] = this.members.splice(this.#random.below(this.members.length), 1);
      this.tree.remove(member!.ref);
      this.#forget(member!);
    }
  }

  removeRange(count: number): void {
    const from = this.#random.below(this.members.length + 1);
    const gone = this.members.splice(from, count);
    const taken: Ref[] = [];
    while (taken.length < gone.length) {
      this.tree.removeSome(from, gone.length - taken.length, (element) => void taken.push(element));
    }
    assert.deepEqual(
      taken,
      gone.map(({ ref }) => ref),
    );
    for (const member of gone) this.#forget(member);
  }

  update(count: number): void {
    for (let updated = 0; updated < count && this.members.length > 0; updated++) {
      const [member] = this.members.splice(this.#random.below(this.members.length), 1);
      const near = this.#random.chance(0.5);
      const score = near ? member!.score + this.#random.below(3) - 1 : this.score();
      this.#moving = member;
      this.tree.update(member!.ref, score);
      member!.score = score;
      this.members.splice(this.placeOf(member!), 0, member!);
    }
  }

  /** Moves members from one place of the order to another, one after the other. */
  moveRow(from: number, count: number, score: number): void {
    for (const member of this.members.splice(from, count)) {
      this.tree.update(member.ref, score);
      member.score = score;
      this.members.splice(this.placeOf(member), 0, member);
    }
  }

  /** Puts the member back whose update was refused. */
  restore(): void {
    this.members.splice(this.placeOf(this.#moving!), 0, this.#moving!);
  }

  /** The tree as a whole is the array, and every way of finding something in it agrees. */
  verify(): void {
    const { tree, members } = this;
    verifyTree(tree);
    this.heap.verify();
    assert.equal(tree.count, members.length);
    const forward: Ref[] = [];
    tree.forEach((element) => void forward.push(element));
    const expected = members.map(({ ref }) => ref);
    assert.deepEqual(forward, expected);
    const backward: Ref[] = [];
    for (let more = tree.seek(members.length - 1); more; more = tree.previous()) backward.push(tree.element);
    assert.deepEqual(backward.reverse(), expected);
    for (let probe = 0; probe < 30; probe++) this.#probe();
    assert.equal(tree.seek(members.length), false);
    assert.equal(tree.seek(-1), false);
  }

  #probe(): void {
    const { tree, members } = this;
    const { nodes } = tree;
    const rank = this.#random.below(members.length + 1);
    const member = members[rank];
    const bytes = member !== undefined && this.#random.chance(0.5) ? member.bytes : this.bytes();
    const score = member !== undefined && this.#random.chance(0.8) ? member.score : this.score();
    if (member !== undefined) {
      assert.equal(tree.rank(member.ref), rank);
      assert.equal(tree.element, member.ref);
      assert.equal(tree.seek(rank), true);
      assert.equal(tree.element, member.ref);
      assert(Object.is(tree.score, member.score));
    }
    const padded = Buffer.alloc((bytes.length + 7) & ~3);
    bytes.copy(padded);
    nodes.aim(new Int32Array(padded.buffer, padded.byteOffset, padded.length >>> 2), 0, bytes.length);
    const lessBytes = (one: Member): boolean => one.bytes.compare(bytes) < 0;
    const equalTo = new Map<number, (one: Member) => boolean>([
      [NONE_OF_EQUAL, () => false],
      [ALL_OF_EQUAL, () => true],
      [LESS_BYTES, lessBytes],
      [UP_TO_BYTES, (one) => lessBytes(one) || one.bytes.equals(bytes)],
    ]);
    for (const [equal, isBefore] of equalTo) {
      const before = members.filter((one) => one.score < score || (one.score === score && isBefore(one))).length;
      assert.equal(tree.seekScore(score, equal), before);
      assert.equal(tree.leaf === NONE ? undefined : tree.element, members[before]?.ref);
      const isByBytes = equal === LESS_BYTES || equal === UP_TO_BYTES;
      if (!isByBytes || score !== 0 || !members.every((one) => one.score === 0)) continue;
      assert.equal(tree.seekBytes(equal), before);
      assert.equal(tree.leaf === NONE ? undefined : tree.element, members[before]?.ref);
    }
  }

  #forget({ ref, bytes }: Member): void {
    this.heap.free(ref);
    this.#known.delete(bytes.toString("latin1"));
  }
}

const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ insert: fc.integer({ min: 1, max: 60 }) }) },
  { weight: 2, arbitrary: fc.record({ insert: fc.integer({ min: 500, max: 4000 }) }) },
  { weight: 2, arbitrary: fc.record({ remove: fc.integer({ min: 1, max: 60 }) }) },
  { weight: 2, arbitrary: fc.record({ remove: fc.integer({ min: 300, max: 2000 }) }) },
  { weight: 2, arbitrary: fc.record({ removeRange: fc.integer({ min: 1, max: 2000 }) }) },
  { weight: 2, arbitrary: fc.record({ update: fc.integer({ min: 1, max: 500 }) }) },
);

test("a tree is what a sorted array is, whatever is added, moved and taken out", (context) => {
  context.diagnostic(`seed ${seed}`);
  let most = 0;
  const property = fc.property(
    fc.constantFrom<ScoreShape>("any", "few", "one", "rising", "falling"),
    fc.array(step, { maxLength: 12, size: "max" }),
    fc.integer(),
    (shape, steps, choice) => {
      const twins = new TreeTwins(2 * 1024 * 1024, shape, new Random(choice));
      // Audited: no write escapes the guard.
      twins.heap.region.freeze(true);
      for (const each of steps) {
        if ("insert" in each) twins.insert(each.insert);
        else if ("remove" in each) twins.remove(each.remove);
        else if ("removeRange" in each) twins.removeRange(each.removeRange);
        else twins.update(each.update);
        most = Math.max(most, twins.members.length);
        twins.verify();
      }
      twins.removeRange(twins.members.length);
      twins.remove(twins.members.length);
      twins.verify();
      twins.heap.region.release();
      assert.equal(twins.heap.figures().liveBlocks, 1, "an empty tree has no nodes");
    },
  );
  fc.assert(property, { seed, numRuns: 40 });
  assert(most > LEAF_MAX * INNER_MAX, `only ${most} elements: no tree of three levels`);
});

test("leaves whose elements move away are joined, those that they move to are split", () => {
  const twins = new TreeTwins(4 * 1024 * 1024, "any", new Random(seed));
  twins.insert(3000);
  for (let round = 0; round < 20; round++) {
    // Out of the middle, to a place before or behind what is taken.
    const score = twins.members.at(round % 2 === 0 ? 40 * round + 7 : -7 - 40 * round)!.score;
    twins.moveRow((twins.members.length >>> 1) + 13 * round - 200, 200, score);
    twins.verify();
  }
});

function exhaust(heap: Heap, size: number): never {
  for (;;) heap.allocateStructural(size);
}

test("a full region: an element is added or moved completely, or nothing changes", () => {
  for (const shape of ["any", "rising", "few"] as const) {
    const twins = new TreeTwins(512 * 1024, shape, new Random(seed));
    twins.insert(3000);
    // What the nodes may take, the tables' reserve too, is taken; elements' blocks may be left.
    for (const size of [4096, INNER_SIZE, LEAF_SIZE]) assert.throws(() => exhaust(twins.heap, size), RegionFullError);
    let refused = 0;
    for (let attempt = 0; attempt < 2000; attempt++) {
      const before = twins.members.length;
      try {
        if (attempt % 2 === 0) twins.insert(1);
        else twins.update(1);
      } catch (error) {
        assert(error instanceof RegionFullError);
        refused += 1;
        if (twins.members.length < before) twins.restore();
      }
      if (attempt % 100 === 0) twins.verify();
    }
    twins.verify();
    assert(refused > 0, `nothing was refused with ${shape} scores`);
  }
});

test("a tree that only grows at its ends is nearly full", () => {
  for (const shape of ["rising", "falling"] as const) {
    const twins = new TreeTwins(4 * 1024 * 1024, shape, new Random(seed));
    twins.insert(20_000);
    let nodes = 0;
    twins.tree.forEachNode(() => {
      nodes += 1;
    });
    assert(nodes < (twins.members.length / 40) * 1.05, `${nodes} nodes for ${twins.members.length} elements`);
  }
});
