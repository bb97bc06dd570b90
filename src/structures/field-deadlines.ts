/**
 * FieldDeadlines: which fields of a large hash are due when. Part of a FieldTable, whose root has these words:
 *
 *     +32  DATED      fields that have a deadline
 *     +36  WHEEL      ref of a timing wheel, once there are many; NONE before
 *     +40  EARLIEST   two words: no field is due before it; only while any is dated
 *     +48  LIST       NEXT and PREVIOUS of a list of all dated fields, in no order, while there is no wheel
 *
 * A field is known here by its node (timing-wheel.ts), 16 bytes in front of it. Up to LIST_MAX dated fields are a list
 * that is walked, because a wheel is as large as forty fields; more are filed in a wheel, so that ten million fields
 * that expire at once are found a few at a time. Where the region has no room for a wheel, the list goes on: slower,
 * but right.
 *
 * Invariants (verify): every dated field is in the list, or in the wheel if there is one; none is due before EARLIEST.
 * A view, of the table it was attached to last. Owner thread only.
 */
import { type Heap, NONE, type Ref, RegionFullError } from "../memory/heap.ts";
import type { Region } from "../memory/region.ts";
import { DICTIONARY_SIZE } from "./dictionary.ts";
import { firstIn, linkFirst, NEXT, openList, unlink } from "./node-list.ts";
import { TimingWheel, WHEEL_END } from "./timing-wheel.ts";

export const DATED = DICTIONARY_SIZE;
const WHEEL = DATED + 4;
const EARLIEST = WHEEL + 4;
/** Where the list's slot would begin, were it a whole node. */
const LIST = EARLIEST + 8 - NEXT;
/** Bytes of a table's root. */
export const ROOT_SIZE = EARLIEST + 16;

/** So many dated fields are looked through. */
const LIST_MAX = 128;

export class FieldDeadlines {
  readonly #region: Region;
  readonly #heap: Heap;
  readonly #wheel: TimingWheel;
  #root: Ref = NONE;

  constructor(heap: Heap) {
    this.#heap = heap;
    this.#region = heap.region;
    this.#wheel = new TimingWheel(heap);
  }

  attach(root: Ref): void {
    this.#root = root;
  }

  /** Fields that have a deadline. */
  get count(): number {
    return this.#region.word(this.#root + DATED);
  }

  /** No field is due before this time, in milliseconds since 1970; only while there are dated fields. */
  get earliest(): number {
    return this.#wheel.due(this.#root + EARLIEST);
  }

  /** The wheel's block, NONE if there is none. */
  get wheelBlock(): Ref {
    return this.#region.word(this.#root + WHEEL);
  }

  /** Adds a field's node, its time written. */
  add(node: Ref): void {
    const region = this.#region;
    const { count } = this;
    const due = this.#wheel.due(node);
    if (count === 0) openList(region, this.#root + LIST);
    if (count === 0 || due < this.earliest) this.#wheel.setDue(this.#root + EARLIEST, due);
    if (count >= LIST_MAX && this.wheelBlock === NONE) this.#buildWheel();
    region.setWord(this.#root + DATED, count + 1);
    if (this.wheelBlock === NONE) linkFirst(region, this.#root + LIST, node);
    else this.#wheel.attach(this.wheelBlock).file(node);
  }

  /** Removes a field's node; the wheel goes with the last. */
  remove(node: Ref): void {
    const count = this.count - 1;
    this.#region.setWord(this.#root + DATED, count);
    if (this.wheelBlock === NONE) unlink(this.#region, node);
    else this.#wheel.attach(this.wheelBlock).remove(node);
    if (count === 0 && this.wheelBlock !== NONE) {
      this.#heap.free(this.wheelBlock);
      this.#region.setWord(this.#root + WHEEL, NONE);
    }
  }

  /** Gives a node that is here another time, in milliseconds since 1970. */
  move(node: Ref, due: number): void {
    if (this.wheelBlock === NONE) this.#wheel.setDue(node, due);
    else this.#wheel.attach(this.wheelBlock).refile(node, due | 0, Math.floor(due / 2 ** 32));
    if (due < this.earliest) this.#wheel.setDue(this.#root + EARLIEST, due);
  }

  /**
   * Finds nodes that are due. Each has to be removed before the next call.
   * @param now milliseconds since 1970
   * @param found gets them, from its beginning
   * @param limit how many at the most: the time that this takes, but for what `isExact` adds
   * @param isExact whether those of the tick that is passing are wanted too, which takes time for all of that tick
   * @returns how many were found, or -1 if none was, and there is none
   */
  findDue(now: number, found: Ref[], limit: number, isExact: boolean): number {
    if (this.count === 0 || this.earliest > now) return -1;
    const count = this.wheelBlock === NONE ? this.#findInList(now, found, limit) : this.#findInWheel(now, found, limit);
    if (count !== -1 || !isExact || this.wheelBlock === NONE) return count;
    const inTick = this.#collect(this.#wheel.firstOfTick(now), now, found, limit);
    return inTick === 0 ? -1 : inTick;
  }

  /** Tells the earliest time anew, once `findDue` has found no more. */
  settle(): void {
    if (this.count === 0) return;
    const isList = this.wheelBlock === NONE;
    let earliest = isList ? Number.POSITIVE_INFINITY : this.#wheel.attach(this.wheelBlock).nextAttention;
    const note = (node: Ref): void => {
      earliest = Math.min(earliest, this.#wheel.due(node));
    };
    if (isList) this.#forEachInList(note);
    this.#wheel.setDue(this.#root + EARLIEST, earliest === Number.POSITIVE_INFINITY ? WHEEL_END : earliest);
  }

  /** @param nodes of all dated fields; is empty afterwards @throws Error that names what is wrong */
  verify(nodes: Set<Ref>): void {
    if (nodes.size !== this.count) throw new Error(`fields: DATED ${this.count} != ${nodes.size}`);
    if (nodes.size === 0) return;
    const check = (node: Ref): void => {
      if (!nodes.delete(node)) throw new Error(`fields: ${node} is due, but no field, or twice`);
      if (this.#wheel.due(node) < this.earliest) throw new Error(`fields: ${node} is due before the earliest`);
    };
    if (this.wheelBlock === NONE) this.#forEachInList(check);
    else this.#wheel.attach(this.wheelBlock).verify(check);
    for (const node of nodes) {
      if (this.wheelBlock === NONE || this.#wheel.hasSlotFor(node)) throw new Error(`fields: ${node} is not filed`);
    }
  }

  #findInList(now: number, found: Ref[], limit: number): number {
    const region = this.#region;
    const end = this.#root + LIST;
    let count = 0;
    for (let node = region.word(end + NEXT); node !== end && count < limit; node = region.word(node + NEXT)) {
      if (this.#wheel.due(node) <= now) found[count++] = node;
    }
    return count === 0 ? -1 : count;
  }

  #findInWheel(now: number, found: Ref[], limit: number): number {
    const wheel = this.#wheel.attach(this.wheelBlock);
    const node = wheel.firstDue(now);
    if (node === NONE) return wheel.advance(now, limit) ? 0 : -1;
    return this.#collect(node, now, found, limit);
  }

  /** Of the nodes in a slot of the wheel, from this one on, those that are due. */
  #collect(first: Ref, now: number, found: Ref[], limit: number): number {
    const wheel = this.#wheel;
    let count = 0;
    for (let node = first; node !== NONE && count < limit; node = wheel.next(node)) {
      if (wheel.due(node) <= now) found[count++] = node;
    }
    return count;
  }

  #forEachInList(visit: (node: Ref) => void): void {
    const end = this.#root + LIST;
    for (let node = this.#region.word(end + NEXT); node !== end; node = this.#region.word(node + NEXT)) visit(node);
  }

  /** Files in a wheel what is in the list; if there is no room for one, the list stays. */
  #buildWheel(): void {
    const region = this.#region;
    const list = this.#root + LIST;
    let wheel: Ref;
    try {
      wheel = this.#wheel.create(this.earliest);
    } catch (error) {
      if (error instanceof RegionFullError) return;
      throw error;
    }
    region.setWord(this.#root + WHEEL, wheel);
    this.#wheel.attach(wheel);
    for (let node = firstIn(region, list); node !== NONE; node = firstIn(region, list)) {
      unlink(region, node);
      this.#wheel.file(node);
    }
  }
}
