/**
 * Outbox: the replies of one turn of the event loop, until they are sent, all together, at its end.
 *
 *     reply.buffer   | replies to A      | replies to B | replies to A | (C is executing)
 *     letters        A [0, 120)          B [120, 200)   A [200, 320)   begin = 320
 *
 * Why not at once after each connection's requests: the first write wakes the client, which then runs, is out of work,
 * and sleeps again before the second. All reads first, then all writes, is what Redis does too; at pipeline depth 100
 * it halved the time that a request costs in the kernel.
 *
 * All connections write into one buffer. What a letter holds is given to its stream as a view of the buffer; once the
 * kernel has taken all of them, which is the rule, the buffer is used again, otherwise it is left to the streams.
 */
import { RespReply } from "../protocol/resp-reply.ts";

/** Replies are sent from this size on, even within a turn. */
const FLUSH_AT = 256 * 1024;

/** Whoever replies are for. */
export interface Addressee {
  /** Sends the bytes. @returns whether they are still needed after it has returned */
  transmit(bytes: Buffer): boolean;
}

export class Outbox {
  readonly reply = new RespReply();
  /** Where the replies of whoever is executing begin. */
  #begin = 0;
  #count = 0;
  readonly #addressees: Addressee[] = [];
  readonly #ends: number[] = [];
  #isScheduled = false;

  /** What is written from here on is for one addressee, whom `end` names. */
  begin(version: 2 | 3): void {
    this.#begin = this.reply.length;
    this.reply.version = version;
  }

  /** What was written since `begin` is for `addressee`. @returns whether there was anything */
  end(addressee: Addressee): boolean {
    const { length } = this.reply;
    if (length === this.#begin) return false;
    const last = this.#count - 1;
    if (last >= 0 && this.#addressees[last] === addressee) {
      this.#ends[last] = length;
    } else {
      this.#addressees[this.#count] = addressee;
      this.#ends[this.#count] = length;
      this.#count += 1;
    }
    this.#begin = length;
    if (length >= FLUSH_AT) this.flush();
    else if (!this.#isScheduled) {
      this.#isScheduled = true;
      setImmediate(this.#flushScheduled);
    }
    return true;
  }

  /** Whether so much has been written that it should go out. */
  get isFull(): boolean {
    return this.reply.length >= FLUSH_AT;
  }

  /** Takes back what was written since `begin`. */
  discard(): void {
    this.reply.length = this.#begin;
  }

  /** Sends everything; only between two connections' turns, or where one has just called `end`. */
  flush(): void {
    const { reply } = this;
    const count = this.#count;
    if (count === 0) return;
    this.#count = 0;
    let start = 0;
    let isNeeded = false;
    for (let index = 0; index < count; index++) {
      const end = this.#ends[index]!;
      isNeeded = this.#addressees[index]!.transmit(reply.buffer.subarray(start, end)) || isNeeded;
      start = end;
    }
    this.#addressees.length = 0;
    this.#begin = 0;
    if (isNeeded || reply.buffer.length > 2 * FLUSH_AT) reply.renew();
    else reply.length = 0;
  }

  readonly #flushScheduled = (): void => {
    this.#isScheduled = false;
    this.flush();
  };
}
