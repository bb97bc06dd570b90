/** FrozenFieldTable: walks a large hash as of a freeze, on any thread. Layout: field-table.ts. */
import { Slice } from "../base/bytes.ts";
import type { FreezeReader } from "../memory/freeze-reader.ts";
import { FrozenBlock } from "../memory/frozen-block.ts";
import type { Ref } from "../memory/heap.ts";
import { DATED as DATED_COUNT } from "./field-deadlines.ts";
import { APART, DATED, FIELD_AT, UNDATED, VALUE_LENGTH } from "./field-table.ts";
import { FrozenDictionary } from "./frozen-dictionary.ts";
import { MEMBER_LENGTH_MASK } from "./member-table.ts";
import { NODE_SIZE } from "./timing-wheel.ts";

/** Told about each field; the slices are valid during the call only. A deadline of UNDATED (0) stands for none. */
export type VisitField = (field: Slice, value: Slice, deadline: number) => void;

export class FrozenFieldTable {
  readonly #block = new FrozenBlock();
  readonly #apart = new FrozenBlock();
  readonly #field = new Slice();
  readonly #value = new Slice();

  /** Fields that have a deadline. @throws FreezeLostError */
  datedCount(reader: FreezeReader, root: Ref): number {
    return reader.word(root + DATED_COUNT);
  }

  /** Visits every field of the table whose root is `root`, those included that have expired. @throws FreezeLostError */
  forEach(reader: FreezeReader, root: Ref, visit: VisitField): void {
    new FrozenDictionary(reader, root).forEach((ref) => {
      this.#visit(reader, ref, visit);
    });
  }

  #visit(reader: FreezeReader, ref: Ref, visit: VisitField): void {
    const block = this.#block;
    block.moveTo(reader, ref);
    const deadline = (block.words[0]! & DATED) === 0 ? UNDATED : this.#deadlineOf(reader, ref);
    const word = block.words[0]!;
    const fieldLength = word & MEMBER_LENGTH_MASK;
    const valueLength = block.words[VALUE_LENGTH >>> 2]!;
    const valueAt = FIELD_AT + ((fieldLength + 3) & ~3);
    const isApart = (word & APART) !== 0;
    block.need(valueAt + (isApart ? 4 : valueLength));
    const { words } = block;
    this.#field.set(block.bytes, FIELD_AT, fieldLength);
    if (isApart) {
      this.#apart.moveTo(reader, words[valueAt >>> 2]!);
      this.#apart.need(valueLength);
      this.#value.set(this.#apart.bytes, 0, valueLength);
    } else {
      this.#value.set(block.bytes, valueAt, valueLength);
    }
    visit(this.#field, this.#value, deadline);
  }

  /** The deadline of a dated field, in its node. */
  #deadlineOf(reader: FreezeReader, field: Ref): number {
    const node = this.#apart;
    node.moveTo(reader, field - NODE_SIZE);
    return node.words[1]! * 2 ** 32 + (node.words[0]! >>> 0);
  }
}
