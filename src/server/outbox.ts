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
 *
 * Where a log is kept, it is written first. A letter whose commands had effects may be sent once the log has released
 * them: at once, if that is so after the writing, as it mostly is but for `always`; otherwise its addressee holds it,
 * and everything behind it, until the outbox tells it how far the log has come. If the log fails, what is held is never
 * sent, because it may not be true: those clients are disconnected. Letters without effects never wait for the disk.
 */
import type { AppendLog } from "../durability/append-log.ts";
import { RespReply } from "../protocol/resp-reply.ts";

/** Replies are sent from this size on, even within a turn. */
const FLUSH_AT = 256 * 1024;

/** Whoever replies are for. */
export interface Addressee {
  /**
   * Sends the bytes, or holds a copy of them.
   * @param until position in the log that must have been released before; 0 if they need not wait
   * @returns whether `bytes` are still needed after it has returned
   */
  transmit(bytes: Buffer, until: number): boolean;
  /** Sends what it holds as far as that has been released. @returns whether it holds nothing any more */
  release(released: number): boolean;
  /** What it holds must not be sent: disconnects. */
  lose(): void;
}

/** Where the log is found, if there is one. */
export interface LogHolder {
  readonly log: AppendLog | undefined;
}

export class Outbox {
  readonly reply = new RespReply();
  readonly #holder: LogHolder;
  /** Where the replies of whoever is executing begin. */
  #begin = 0;
  #count = 0;
  readonly #addressees: Addressee[] = [];
  readonly #ends: number[] = [];
  /** Which letters tell of effects, and how many do. */
  readonly #tellOfEffects: boolean[] = [];
  #effectCount = 0;
  /** AppendLog.gathered when whoever is executing began; not a number while there is no log that works. */
  #gathered = Number.NaN;
  readonly #holding = new Set<Addressee>();
  #isScheduled = false;

  constructor(holder: LogHolder) {
    this.#holder = holder;
  }

  /** What is written from here on is for one addressee, whom `end` names. */
  begin(version: 2 | 3): void {
    this.#begin = this.reply.length;
    this.reply.version = version;
    const { log } = this.#holder;
    if (log === undefined) return;
    this.#gathered = log.isOn && log.failure === undefined ? log.gathered : Number.NaN;
    log.willBeFlushed = true;
  }

  /** What was written since `begin` is for `addressee`. @returns whether there was anything */
  end(addressee: Addressee): boolean {
    const { length } = this.reply;
    const hasEffects = this.#hasEffects();
    // Without a reply too, as after CLIENT REPLY OFF: the next one must not overtake the effects.
    if (length === this.#begin && !hasEffects) return false;
    this.#addLetter(addressee, length, hasEffects);
    this.#begin = length;
    if (length >= FLUSH_AT) this.flush();
    else if (!this.#isScheduled) {
      this.#isScheduled = true;
      setImmediate(this.#flushScheduled);
    }
    return true;
  }

  /** Whether there have been effects since `begin`, or since this was last asked. */
  #hasEffects(): boolean {
    const { log } = this.#holder;
    if (log === undefined) return false;
    log.willBeFlushed = false;
    if (Number.isNaN(this.#gathered) || log.gathered === this.#gathered) return false;
    this.#gathered = log.gathered;
    return true;
  }

  #addLetter(addressee: Addressee, end: number, hasEffects: boolean): void {
    const last = this.#count - 1;
    if (last >= 0 && this.#addressees[last] === addressee) {
      this.#ends[last] = end;
      if (hasEffects && !this.#tellOfEffects[last]) this.#effectCount += 1;
      this.#tellOfEffects[last] ||= hasEffects;
      return;
    }
    this.#addressees[this.#count] = addressee;
    this.#ends[this.#count] = end;
    this.#tellOfEffects[this.#count] = hasEffects;
    this.#count += 1;
    if (hasEffects) this.#effectCount += 1;
  }

  /** Whether so much has been written that it should go out. */
  get isFull(): boolean {
    return this.reply.length >= FLUSH_AT;
  }

  /** Bytes that were written since `begin`. */
  get written(): number {
    return this.reply.length - this.#begin;
  }

  /** Takes back what was written since `begin`. */
  discard(): void {
    this.reply.length = this.#begin;
  }

  /** Sends everything; only between two connections' turns, or where one has just called `end`. */
  flush(): void {
    const { log } = this.#holder;
    log?.flush(this.#effectCount);
    const until = log === undefined || log.released >= log.appended ? 0 : log.appended;
    const { reply } = this;
    const count = this.#count;
    if (count === 0) return;
    this.#count = 0;
    this.#effectCount = 0;
    let start = 0;
    let isNeeded = false;
    for (let index = 0; index < count; index++) {
      const end = this.#ends[index]!;
      const bytes = reply.buffer.subarray(start, end);
      isNeeded = this.#addressees[index]!.transmit(bytes, this.#tellOfEffects[index] ? until : 0) || isNeeded;
      start = end;
    }
    this.#addressees.length = 0;
    this.#begin = 0;
    if (isNeeded || reply.buffer.length > 2 * FLUSH_AT) reply.renew();
    else reply.length = 0;
    if (log?.failure !== undefined) this.#hearFromLog();
  }

  /** Told by an addressee that holds something. */
  hold(addressee: Addressee): void {
    this.#holder.log!.listeners.add(this.#hearFromLog);
    this.#holding.add(addressee);
  }

  /** Told by an addressee that has ended. */
  forget(addressee: Addressee): void {
    this.#holding.delete(addressee);
  }

  /** The end: nothing is heard from the log any more. */
  close(): void {
    this.flush();
    this.#holder.log?.listeners.delete(this.#hearFromLog);
  }

  readonly #hearFromLog = (): void => {
    const log = this.#holder.log!;
    const isLost = log.failure !== undefined;
    for (const addressee of [...this.#holding]) {
      if (isLost) addressee.lose();
      else if (addressee.release(log.released)) this.#holding.delete(addressee);
    }
  };

  readonly #flushScheduled = (): void => {
    this.#isScheduled = false;
    this.flush();
  };
}
