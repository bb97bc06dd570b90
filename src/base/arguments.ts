/**
 * Arguments: one command as byte ranges of one buffer, the name first.
 *
 *     bytes    *3 $3 SET $1 k $5 hello            starts  [ 8, 17, 24 ]   lengths [ 3, 1, 5 ]   count 3
 *
 * The parser points into the socket's own buffer, the embedded store into its scratch: no argument becomes an object on
 * the way to its handler. One is reused for all commands of a thread; it is valid during one command.
 */
import { EMPTY_BYTES, type Slice } from "./bytes.ts";
import { type Int64, parseInt64 } from "./int64.ts";

/** Arguments that most commands have room in; V8 keeps arrays this small on its own heap. */
const FIRST_CAPACITY = 8;

export class Arguments {
  bytes: Buffer = EMPTY_BYTES;
  starts = new Int32Array(FIRST_CAPACITY);
  lengths = new Int32Array(FIRST_CAPACITY);
  count = 0;
  /**
   * Where the request begins in `bytes`, if it stands there as a log has it: all headers of the shortest form, with but
   * the byte behind each CR unknown. -1 if not, or if nobody has looked.
   */
  requestStart = -1;
  /** The hash of argument 1, where `isHashed` says that it was computed ahead (keyspace/look-ahead.ts). */
  keyHash = 0;
  isHashed = false;
  /** Another argument, a member of the key's collection, whose hash was computed ahead too; 0 if there is none. */
  memberAt = 0;
  memberHash = 0;

  /** Appends the range [start, start + length) of `bytes`. */
  push(start: number, length: number): void {
    if (this.count === this.starts.length) this.#grow();
    this.starts[this.count] = start;
    this.lengths[this.count] = length;
    this.count += 1;
  }

  /** A new command in `bytes`. */
  reset(bytes: Buffer): void {
    this.bytes = bytes;
    this.count = 0;
    this.requestStart = -1;
    this.isHashed = false;
    this.memberAt = 0;
  }

  length(index: number): number {
    return this.lengths[index]!;
  }

  start(index: number): number {
    return this.starts[index]!;
  }

  /** Position behind the last argument: with `start(0)`, how large the command is. */
  get end(): number {
    return this.starts[this.count - 1]! + this.lengths[this.count - 1]!;
  }

  /** The argument as an integer in Redis's sense, or undefined. */
  int64(index: number): Int64 | undefined {
    return parseInt64(this.bytes, this.starts[index]!, this.lengths[index]!);
  }

  /** The argument as Latin-1 text, a byte a character. */
  latin1(index: number): string {
    const start = this.starts[index]!;
    return this.bytes.latin1Slice(start, start + this.lengths[index]!);
  }

  /** The argument as Redis shows it in error texts: up to a zero byte, at most `lengthMax` bytes. */
  shown(index: number, lengthMax = Number.POSITIVE_INFINITY): string {
    const text = this.latin1(index);
    const zero = text.indexOf("\0");
    return text.slice(0, zero === -1 ? lengthMax : Math.min(zero, lengthMax));
  }

  /** The argument as UTF-8 text. */
  text(index: number): string {
    const start = this.starts[index]!;
    return this.bytes.utf8Slice(start, start + this.lengths[index]!);
  }

  /** A copy of the argument on the JavaScript heap. */
  buffer(index: number): Buffer {
    const start = this.starts[index]!;
    return Buffer.from(this.bytes.subarray(start, start + this.lengths[index]!));
  }

  /** Points `slice` at the argument. */
  slice(index: number, slice: Slice): Slice {
    slice.set(this.bytes, this.starts[index]!, this.lengths[index]!);
    return slice;
  }

  /** True if the argument is `upper` (upper-case ASCII), in any case. */
  is(index: number, upper: string): boolean {
    const length = this.lengths[index]!;
    if (length !== upper.length) return false;
    const start = this.starts[index]!;
    for (let at = 0; at < length; at++) {
      let byte = this.bytes[start + at]!;
      if (byte >= 0x61 && byte <= 0x7a) byte -= 0x20;
      if (byte !== upper.charCodeAt(at)) return false;
    }
    return true;
  }

  /** Lets the room go that an unusually long command needed. */
  release(): void {
    this.starts = new Int32Array(FIRST_CAPACITY);
    this.lengths = new Int32Array(FIRST_CAPACITY);
    this.count = 0;
  }

  #grow(): void {
    const starts = new Int32Array(this.starts.length * 2);
    const lengths = new Int32Array(this.starts.length * 2);
    starts.set(this.starts);
    lengths.set(this.lengths);
    this.starts = starts;
    this.lengths = lengths;
  }
}
