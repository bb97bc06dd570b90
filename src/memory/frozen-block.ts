/**
 * FrozenBlock: a copy of the beginning of one block of a frozen region, as long as is needed, for any thread.
 *
 * Moving it copies the first bytes, 16 at least of a block, and most blocks are no longer than what is copied; `need`
 * copies more. One serves many blocks, one after the other, and what it holds is valid until it moves on.
 */
import { withView } from "../base/bytes.ts";
import type { FreezeReader } from "./freeze-reader.ts";
import type { Ref } from "./heap.ts";
import { PAGE_SIZE } from "./region.ts";

/** Copied at once when it moves: most entries and members are no longer, and more of them takes a call. */
const FIRST_COPY = 64;
const FIRST_CAPACITY = 4096;
/** Memory that an unusually large block needed is let go by the next one. */
const KEPT_CAPACITY = 1 << 20;

export class FrozenBlock {
  /** The block's bytes from its first on; replaced by `need` and `moveTo` when they need more room. */
  bytes: Buffer = Buffer.alloc(0);
  words = new Int32Array(0);
  doubles = new Float64Array(0);
  #reader: FreezeReader | undefined;
  #ref: Ref = 0;
  #copied = 0;

  /** Points it at the block at `ref`, or at what begins there. @throws FreezeLostError */
  moveTo(reader: FreezeReader, ref: Ref): void {
    this.#reader = reader;
    this.#ref = ref;
    this.#copied = 0;
    if (this.bytes.length === 0 || this.bytes.length > KEPT_CAPACITY) this.#reserve(FIRST_CAPACITY);
    this.need(Math.min(FIRST_COPY, PAGE_SIZE - (ref & (PAGE_SIZE - 1))));
  }

  /** Sees to it that the block's first `length` bytes are copied. @throws FreezeLostError */
  need(length: number): void {
    if (length <= this.#copied) return;
    if (length > this.bytes.length) this.#reserve(length);
    this.#reader!.copy(this.#ref + this.#copied, length - this.#copied, this.bytes, this.#copied);
    this.#copied = length;
  }

  /** Makes room for `capacity` bytes; what had been copied moves along. */
  #reserve(capacity: number): void {
    const memory = new ArrayBuffer((capacity + 7) & ~7);
    const bytes = withView(Buffer.from(memory));
    bytes.set(this.bytes.subarray(0, this.#copied));
    this.bytes = bytes;
    this.words = new Int32Array(memory);
    this.doubles = new Float64Array(memory);
  }
}
