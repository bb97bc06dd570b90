/**
 * HashBuilder: puts a hash together that no key owns yet, from fields and values one after another.
 *
 * As Redis does, it begins with a listpack, if so many fields may be one, and turns to a table with the first field or
 * value that is too long. Fields with deadlines come in any order, but stand in a listpack in the order of their
 * deadlines: so they wait, outside the region, until there can be no more of them. They are few and short.
 */
import { Slice } from "../base/bytes.ts";
import { NONE, type Ref } from "../memory/heap.ts";
import { LISTPACK, LISTPACK_EX, TABLE } from "../structures/collection.ts";
import { FieldTable, UNDATED } from "../structures/field-table.ts";
import { Listpack } from "../structures/listpack.ts";
import type { Collection, Workplace } from "./collection.ts";
import { DamagedValueError } from "./format.ts";
import { Distinct } from "./packed.ts";
import type { StringHolder } from "./reader.ts";

/** A listpack is never larger, as in Redis. */
const LISTPACK_BYTES_MAX = 2 ** 30;

interface WaitingField {
  readonly field: Buffer;
  readonly value: Buffer;
  readonly deadline: number;
}

export class HashBuilder {
  readonly #place: Workplace;
  /** The longest field or value that may stand in a listpack. */
  readonly #elementMax: number;
  readonly #distinct = new Distinct();
  readonly #pack: Listpack;
  readonly #table: FieldTable;
  #hasPack = false;
  #tableRoot: Ref = NONE;
  readonly #waiting: WaitingField[] = [];

  /**
   * @param count fields that are said to come
   * @param elementMax the longest field or value that may stand in a listpack
   * @throws RegionFullError
   */
  constructor(place: Workplace, count: number, elementMax: number) {
    this.#place = place;
    this.#elementMax = elementMax;
    this.#pack = new Listpack(place.heap);
    this.#table = new FieldTable(place.heap);
    if (count > place.limits.hashEntries) {
      this.#openTable();
    } else {
      this.#pack.attach(this.#pack.create());
      this.#hasPack = true;
    }
  }

  /** Adds a field without a deadline. @throws DamagedValueError if it is there already, RegionFullError */
  add(field: StringHolder, value: StringHolder): void {
    if (!this.#isForPack(field, value)) {
      this.#addToTable(field, value, UNDATED);
      return;
    }
    this.#distinct.add(field);
    this.#pack.append(field.bytes, field.start, field.length);
    this.#pack.append(value.bytes, value.start, value.length);
  }

  /** Adds a field of a hash that has deadlines. @param deadline or UNDATED */
  addDated(field: StringHolder, value: StringHolder, deadline: number): void {
    if (!this.#isForPack(field, value)) {
      this.#addToTable(field, value, deadline);
      return;
    }
    this.#distinct.add(field);
    this.#waiting.push({ field: field.toBuffer(), value: value.toBuffer(), deadline });
  }

  /** @throws RegionFullError */
  finish(): Collection {
    if (this.#tableRoot !== NONE) return { encoding: TABLE, root: this.#tableRoot };
    const pack = this.#pack;
    if (this.#waiting.length === 0) return { encoding: LISTPACK, root: pack.ref };
    for (const { field, value, deadline } of this.#waiting.sort(byDeadline)) {
      pack.append(field, 0, field.length);
      pack.append(value, 0, value.length);
      pack.appendInteger(deadline);
    }
    return { encoding: LISTPACK_EX, root: pack.ref };
  }

  /** Frees what there is. */
  discard(): void {
    const { heap } = this.#place;
    if (this.#tableRoot !== NONE) this.#table.forEachBlock((block) => heap.free(block));
    if (this.#hasPack) heap.free(this.#pack.ref);
  }

  #isForPack(field: Slice, value: Slice): boolean {
    if (this.#tableRoot !== NONE) return false;
    const most = this.#elementMax;
    const bytes = field.length + value.length;
    return field.length <= most && value.length <= most && this.#pack.byteLength + bytes <= LISTPACK_BYTES_MAX;
  }

  #addToTable(field: StringHolder, value: StringHolder, deadline: number): void {
    if (this.#tableRoot === NONE) this.#convert();
    const { staged } = this.#place;
    staged.stage(field.bytes, field.start, field.length);
    if (this.#table.find(staged) !== NONE) throw new DamagedValueError("a field is in a hash twice");
    this.#table.add(staged, deadline, value.bytes, value.start, value.length);
  }

  #openTable(): void {
    this.#tableRoot = this.#table.create();
    this.#table.attach(this.#tableRoot);
  }

  /** Moves to a table what has come so far. */
  #convert(): void {
    this.#openTable();
    const pack = this.#pack;
    const { heap, staged } = this.#place;
    const element = new Slice();
    for (let at = pack.first(); at !== 0; at = pack.next(at)) {
      pack.read(at, element);
      staged.stage(element.bytes, element.start, element.length);
      at = pack.next(at);
      pack.read(at, element);
      this.#table.add(staged, UNDATED, element.bytes, element.start, element.length);
    }
    for (const { field, value, deadline } of this.#waiting) {
      staged.stage(field, 0, field.length);
      this.#table.add(staged, deadline, value, 0, value.length);
    }
    heap.free(pack.ref);
    this.#hasPack = false;
    this.#waiting.length = 0;
  }
}

/** Those without a deadline last; equal ones stay in the order in which they came. */
function byDeadline(left: WaitingField, right: WaitingField): number {
  return rank(left.deadline) - rank(right.deadline);
}

function rank(deadline: number): number {
  return deadline === UNDATED ? Number.MAX_SAFE_INTEGER : deadline;
}
