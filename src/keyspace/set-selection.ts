/**
 * SetSelection: which members of which sets a command replies with, so that their number is known before the first is
 * written. It holds places only, never what members consist of; they are valid until a set changes.
 *
 * Members that several sets may have are told apart by a table of this module's own, on the JavaScript heap: hash ->
 * place. So a union needs no room in a region, and reading does not fail where memory is full.
 * Reused by all commands. Owner thread only.
 */
import { equalBytes, Slice } from "../base/bytes.ts";
import { INTSET } from "../structures/collection.ts";
import type { MemberSet, Place } from "./member-set.ts";
import type { SetMember } from "./set-member.ts";

const FIRST_CAPACITY = 64;
/** More room than this is let go after the command that needed it. */
const KEPT_CAPACITY = 65536;

export class SetSelection {
  count = 0;
  /** Members that were selected before the first that is no integer. */
  leadingIntegers = 0;
  /** Set once a member that is no integer has been met. */
  hasText = false;
  readonly #sets: MemberSet[] = [];
  /** Where the members of each set begin. */
  readonly #begins: number[] = [];
  #places = new Int32Array(FIRST_CAPACITY);
  /** Numbers of selected members + 1, by their hashes; 0 is empty. */
  #table = new Int32Array(0);
  #hashes = new Int32Array(0);
  readonly #slice = new Slice();

  /** Whether all that was selected is of intsets. */
  get isOfIntset(): boolean {
    return this.#sets.every((set) => set.encoding === INTSET);
  }

  /** Begins anew. @param tellsApart whether `add` will be used */
  reset(tellsApart: boolean): void {
    this.count = 0;
    this.leadingIntegers = 0;
    this.hasText = false;
    this.#sets.length = 0;
    this.#begins.length = 0;
    if (this.#places.length > KEPT_CAPACITY) this.#places = new Int32Array(FIRST_CAPACITY);
    if (!tellsApart) return;
    if (this.#table.length === 0 || this.#table.length > KEPT_CAPACITY) this.#makeTable(FIRST_CAPACITY);
    else this.#table.fill(0);
  }

  /** What is selected from now on is of `set`. */
  from(set: MemberSet): void {
    this.#sets.push(set);
    this.#begins.push(this.count);
  }

  /** Selects a member, shown by `member`, of the set named last. */
  push(place: Place, member: SetMember): void {
    this.#note(member);
    if (this.count === this.#places.length) this.#places = grown(this.#places);
    this.#places[this.count] = place;
    this.count += 1;
  }

  /** Selects a member unless one with the same bytes has been. */
  add(place: Place, member: SetMember): void {
    const { hash } = member.stage();
    const mask = this.#table.length - 1;
    let slot = hash & mask;
    for (let number = this.#table[slot]!; number !== 0; number = this.#table[slot]!) {
      if (this.#hashes[slot] === hash && this.#equals(number - 1, member)) return;
      slot = (slot + 1) & mask;
    }
    this.push(place, member);
    this.#table[slot] = this.count;
    this.#hashes[slot] = hash;
    if (this.count * 2 > this.#table.length) this.#growTable();
  }

  /** Notes that a member was met, whether it is selected or not: integers after a text are not leading. */
  meet(member: SetMember): void {
    if (!this.hasText && member.integer === undefined) this.hasText = true;
  }

  /** Visits the selected members from the `first` to before the `end`-th, in the order in which they were selected. */
  forEach(first: number, end: number, visit: (set: MemberSet, place: Place) => void): void {
    for (let run = 0; run < this.#sets.length; run++) {
      const set = this.#sets[run]!;
      const last = Math.min(end, this.#begins[run + 1] ?? this.count);
      for (let index = Math.max(first, this.#begins[run]!); index < last; index++) visit(set, this.#places[index]!);
    }
  }

  #note(member: SetMember): void {
    if (this.hasText) return;
    this.meet(member);
    if (!this.hasText) this.leadingIntegers += 1;
  }

  #equals(index: number, member: SetMember): boolean {
    let run = this.#begins.length - 1;
    while (this.#begins[run]! > index) run -= 1;
    const { bytes, start, length } = this.#sets[run]!.read(this.#places[index]!, this.#slice);
    return length === member.length && equalBytes(bytes, start, member.bytes, member.start, length);
  }

  #makeTable(capacity: number): void {
    this.#table = new Int32Array(capacity);
    this.#hashes = new Int32Array(capacity);
  }

  #growTable(): void {
    const [table, hashes] = [this.#table, this.#hashes];
    this.#makeTable(table.length * 2);
    const mask = this.#table.length - 1;
    for (let old = 0; old < table.length; old++) {
      if (table[old] === 0) continue;
      let slot = hashes[old]! & mask;
      while (this.#table[slot] !== 0) slot = (slot + 1) & mask;
      this.#table[slot] = table[old]!;
      this.#hashes[slot] = hashes[old]!;
    }
  }
}

function grown(array: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(array.length * 2);
  larger.set(array);
  return larger;
}
