/**
 * FaultyInode: a file's content on the disk of faulty-files.ts, which draws and explains the model.
 *
 *     base   the content that is durable, as far as it can be said as one content
 *     ops    what was done to it since, oldest first; the first is not durable, or the list is empty
 *     now    the content as programs see it
 */
import type { Random } from "./random.ts";

/** What a disk overwrites or does not. */
const PAGE_BYTES = 4096;

type Op = { readonly at: number; readonly bytes: Buffer | undefined; state: "pending" | "durable" | "doomed" };

export class FaultyInode {
  readonly #now: Content;
  readonly #base: Content;
  readonly #ops: Op[] = [];

  /** @param content what is durable from the start */
  constructor(content: Buffer = Buffer.alloc(0)) {
    this.#now = new Content(content);
    this.#base = new Content(content);
  }

  get length(): number {
    return this.#now.length;
  }

  /** @param bytes the inode's from now on */
  write(at: number, bytes: Buffer): void {
    let done = 0;
    while (at + done < this.#now.length && done < bytes.length) {
      const page = PAGE_BYTES - ((at + done) % PAGE_BYTES);
      const end = Math.min(bytes.length, done + page, this.#now.length - at);
      this.#do({ at: at + done, bytes: bytes.subarray(done, end), state: "pending" });
      done = end;
    }
    if (done < bytes.length) this.#do({ at: at + done, bytes: bytes.subarray(done), state: "pending" });
  }

  truncate(length: number): void {
    this.#do({ at: length, bytes: undefined, state: "pending" });
  }

  read(into: Buffer, start: number, length: number, position: number): number {
    return this.#now.bytes().copy(into, start, position, Math.min(position + length, this.length));
  }

  content(): Buffer {
    return Buffer.from(this.#now.bytes());
  }

  /** What is pending is durable. */
  sync(): void {
    this.#settle("durable");
    const open = this.#ops.findIndex(({ state }) => state !== "durable");
    for (const op of this.#ops.splice(0, open < 0 ? this.#ops.length : open)) this.#base.apply(op);
  }

  /** What is pending will never be known to be durable. */
  doom(): void {
    this.#settle("doomed");
  }

  afterCrash(random: Random): FaultyInode {
    const content = new Content(this.#base.bytes());
    const kept = this.#ops.filter(({ state }) => state === "durable" || random.chance(0.5));
    const last = kept.findLastIndex(({ state }) => state !== "durable");
    for (const [index, op] of kept.entries()) {
      const isTorn = index === last && op.bytes !== undefined && random.chance(0.5);
      content.apply(isTorn ? { at: op.at, bytes: op.bytes.subarray(0, random.below(op.bytes.length)) } : op);
    }
    return new FaultyInode(content.bytes());
  }

  #do(op: Op): void {
    this.#now.apply(op);
    this.#ops.push(op);
  }

  #settle(state: "durable" | "doomed"): void {
    for (const op of this.#ops) if (op.state === "pending") op.state = state;
  }
}

/** Bytes that grow. */
class Content {
  #bytes: Buffer;
  length: number;

  constructor(content: Buffer) {
    this.#bytes = Buffer.from(content);
    this.length = content.length;
  }

  bytes(): Buffer {
    return this.#bytes.subarray(0, this.length);
  }

  /** @param op bytes to write, or, without any, the length to have */
  apply({ at, bytes }: Pick<Op, "at" | "bytes">): void {
    const end = bytes === undefined ? at : at + bytes.length;
    if (end > this.#bytes.length) {
      const larger = Buffer.alloc(Math.max(end, 2 * this.#bytes.length));
      this.bytes().copy(larger);
      this.#bytes = larger;
    }
    const length = bytes === undefined ? end : Math.max(end, this.length);
    // What lies behind the end is zero, and so is a hole.
    if (length < this.length) this.#bytes.fill(0, length, this.length);
    bytes?.copy(this.#bytes, at);
    this.length = length;
  }
}
