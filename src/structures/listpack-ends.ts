/**
 * ListpackEnds: a short string put at one end of a floating listpack, or one element taken from there, where nothing
 * has to be moved for it: the usual case of a queue, in one step each.
 *
 * Why beside the general way (listpack.ts, listpack-block.ts): there an element passes through a dozen small functions
 * that take care of every case, which costs four times as much as the bytes that are written. Here, whatever is not
 * the usual case is left to them: an element that is long, an integer, or stands in the region itself; a listpack
 * without room on that side, or with too much of it; a region that is frozen, so that no write here needs the guard.
 *
 * Owner thread only.
 */
import { copyBytes } from "../base/bytes.ts";
import type { Heap } from "../memory/heap.ts";
import type { Region } from "../memory/region.ts";
import { isLoose } from "./block-growth.ts";
import { ListpackBlock } from "./listpack-block.ts";
import {
  backLengthSize,
  COUNT_UNKNOWN,
  EMPTY_SIZE,
  END,
  entrySizeAt,
  HEADER_SIZE,
  integerIn,
  readBackLength,
  writeHeader,
} from "./listpack-format.ts";

/** The longest string whose head and back length are a byte each. */
const SHORT_MAX = 63;

export class ListpackEnds extends ListpackBlock {
  readonly #region: Region;
  readonly #bytes: Buffer;

  constructor(heap: Heap, floats: boolean) {
    super(heap, floats);
    this.#region = heap.region;
    this.#bytes = heap.region.bytes;
  }

  /** Adds a string at one end of a listpack that floats. @returns false, with nothing done, if it is not so usual */
  pushShort(isHead: boolean, bytes: Buffer, start: number, length: number): boolean {
    const own = this.#bytes;
    if (length > SHORT_MAX || bytes === own || this.#region.frozen) return false;
    if (integerIn(bytes, start, length) !== undefined) return false;
    const { ref, byteLength: total, storedCount: count } = this;
    const size = length + 2;
    if (total === EMPTY_SIZE || count >= COUNT_UNKNOWN - 1) return false;
    const { block } = this;
    const begin = isHead ? ref - size : ref;
    if (isHead ? begin < block : ref + total + size > block + this.heap.sizeOf(block)) return false;
    const entry = isHead ? begin + HEADER_SIZE : ref + total - 1;
    own[entry] = 0x80 | length;
    copyBytes(bytes, start, own, entry + 1, length);
    own[entry + size - 1] = length + 1;
    if (!isHead) own[entry + size] = END;
    writeHeader(own, begin, total + size, count + 1);
    if (isHead) this.attach(begin);
    return true;
  }

  /** Removes the element at one end of a listpack that floats and has several. @returns as `pushShort` */
  popShort(isHead: boolean): boolean {
    const own = this.#bytes;
    const { ref, byteLength: total, storedCount: count } = this;
    if (this.#region.frozen || count === COUNT_UNKNOWN) return false;
    const { block } = this;
    const blockSize = this.heap.sizeOf(block);
    if (isHead) {
      const size = entrySizeAt(own, ref + HEADER_SIZE);
      if (isLoose(total - size, blockSize) || !this.canBegin(ref + size, block, blockSize)) return false;
      writeHeader(own, ref + size, total - size, count - 1);
      this.attach(ref + size);
      return true;
    }
    const end = ref + total - 1;
    const size = readBackLength(own, end);
    const left = total - size - backLengthSize(size);
    if (isLoose(left, blockSize)) return false;
    own[ref + left - 1] = END;
    writeHeader(own, ref, left, count - 1);
    return true;
  }
}
