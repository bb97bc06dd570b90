/** FrozenIntset: reads an intset as of a freeze, on any thread. Layout: intset.ts. */
import type { Slice } from "../base/bytes.ts";
import type { Int64 } from "../base/int64.ts";
import type { FreezeReader } from "../memory/freeze-reader.ts";
import { FrozenBlock } from "../memory/frozen-block.ts";
import type { Ref } from "../memory/heap.ts";
import { COUNT, HEADER_SIZE, integerOf } from "./intset.ts";

export class FrozenIntset {
  readonly #block = new FrozenBlock();

  /** Points it at the intset in block `ref`, of which it makes a copy. @throws FreezeLostError */
  moveTo(reader: FreezeReader, ref: Ref): this {
    this.#block.moveTo(reader, ref);
    this.#block.need(HEADER_SIZE + this.count * this.#width);
    return this;
  }

  get count(): number {
    return this.#block.words[COUNT >>> 2]!;
  }

  /** Points `into` at all of it, as it stands. */
  readWhole(into: Slice): Slice {
    into.set(this.#block.bytes, 0, HEADER_SIZE + this.count * this.#width);
    return into;
  }

  /** The integer at `index` in ascending order. */
  at(index: number): Int64 {
    return integerOf(this.#block.bytes, HEADER_SIZE + index * this.#width, this.#width);
  }

  get #width(): number {
    return this.#block.words[0]!;
  }
}
