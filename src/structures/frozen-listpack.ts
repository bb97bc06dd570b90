/** FrozenListpack: walks a listpack as of a freeze, on any thread. The bytes: listpack-format.ts. */
import type { Slice } from "../base/bytes.ts";
import { type Int64, writeInt64 } from "../base/int64.ts";
import type { FreezeReader } from "../memory/freeze-reader.ts";
import { FrozenBlock } from "../memory/frozen-block.ts";
import type { Ref } from "../memory/heap.ts";
import {
  COUNT,
  COUNT_UNKNOWN,
  END,
  entrySizeAt,
  HEADER_SIZE,
  isIntegerAt,
  readIntegerAt,
  sizeAt,
  stringStartAt,
  TOTAL,
} from "./listpack-format.ts";

export class FrozenListpack {
  readonly #block = new FrozenBlock();
  #total = 0;

  /** Points it at the listpack that begins at `ref`, of which it makes a copy. @throws FreezeLostError */
  moveTo(reader: FreezeReader, ref: Ref): this {
    const block = this.#block;
    block.moveTo(reader, ref);
    // One that floats may begin so near the end of a page that its header was not copied at once.
    block.need(HEADER_SIZE);
    this.#total = block.words[TOTAL >>> 2]!;
    block.need(this.#total);
    return this;
  }

  /** Elements. */
  get count(): number {
    const stored = this.#block.words[COUNT >>> 2]! & 0xffff;
    if (stored !== COUNT_UNKNOWN) return stored;
    let count = 0;
    for (let at = this.first(); at !== 0; at = this.next(at)) count += 1;
    return count;
  }

  /** Points `into` at all of it, as it stands. */
  readWhole(into: Slice): Slice {
    into.set(this.#block.bytes, 0, this.#total);
    return into;
  }

  /** Position of the first element, 0 if there is none. */
  first(): number {
    return this.#block.bytes[HEADER_SIZE] === END ? 0 : HEADER_SIZE;
  }

  /** Position of the element behind the one at `at`, 0 if that is the last. */
  next(at: number): number {
    const { bytes } = this.#block;
    const next = at + entrySizeAt(bytes, at);
    return next < this.#total && bytes[next] !== END ? next : 0;
  }

  /** Points `into` at an element's bytes; of an integer at its digits, for which `digits` has room. */
  read(at: number, into: Slice, digits: Buffer): Slice {
    const { bytes } = this.#block;
    if (isIntegerAt(bytes, at)) {
      into.set(digits, 0, writeInt64(readIntegerAt(bytes, at), digits, 0));
    } else {
      const start = stringStartAt(bytes, at);
      into.set(bytes, start, at + sizeAt(bytes, at) - start);
    }
    return into;
  }

  /** The element's value if it is stored as integer. */
  integerAt(at: number): Int64 | undefined {
    const { bytes } = this.#block;
    return isIntegerAt(bytes, at) ? readIntegerAt(bytes, at) : undefined;
  }
}
