/**
 * AppendLog: the owner's side of the log: makes batches of what commands have done, brings them to the file, and knows
 * which replies may be sent.
 *
 *     effects ──flush, at the end of a turn──▶ batch ──┬── the disk is calm: write(2), here ──▶ file
 *                                                      └── ring ──▶ log-file-writer.ts ───────▶ file ──▶ sync
 *
 *     positions, bytes since the log was begun:    durable <= written <= appended       released = durable under
 *                                                                                       `always`, else written
 *
 * A batch is what was gathered in one turn of the event loop, or FULL_BYTES of it; the line in front of it is
 * log-lines.ts's. A reply that tells of effects up to a position may be sent once `released` has reached it; whoever
 * holds replies is told by `listeners`.
 *
 * When the owner writes by itself: never under `always` (the sync follows at once, and would be waited for), never
 * while anything is in the ring (the order), while a sync is under way (an append to the same file then waits for it),
 * or within CALM_MS of an append that took longer than slowMs (the system makes writers wait for the disk). Otherwise
 * it costs a microsecond or two, where the way by the writer costs ten times as much and two changes of thread.
 *
 * Errors: after the first one nothing more is written, what is gathered is dropped, and `failure` says why. Positions
 * stay as they were, so that what waits for them never is released. A new file, by `begin`, ends that.
 *
 * Owner thread only.
 */
import { crc32 } from "node:zlib";
import { NextTurn } from "../base/next-turn.ts";
import { systemErrorText } from "../config/system-error.ts";
import { DurabilityWaiters } from "./durability-waiters.ts";
import { type EffectLog, HEAD_ROOM } from "./effect-log.ts";
import { type OpenFile, writeAll } from "./files.ts";
import {
  ALWAYS,
  DURABLE,
  EVERYSEC,
  FAILED,
  GIVEN,
  INLINE,
  type LogChannel,
  NO,
  POLICY,
  SYNCING,
  TAIL,
} from "./log-channel.ts";
import { LogFeed, type LogPort } from "./log-feed.ts";
import {
  FIRST_SEQUENCE,
  SYNCED_LINE_MAX,
  TIMESTAMP_LINE_MAX,
  writeBatchLine,
  writeTimestampLine,
} from "./log-lines.ts";
import { PADDING_MAX } from "./padded-file.ts";

/** `appendfsync`. */
export type SyncPolicy = "always" | "everysec" | "no";

const POLICIES: Readonly<Record<SyncPolicy, number>> = { no: NO, everysec: EVERYSEC, always: ALWAYS };

/** How long a disk is taken for busy once an append was slow. */
const CALM_MS = 1000;

/** That the log has failed: what was to be durable may not be. */
export class LogFailedError extends Error {
  override readonly name = "LogFailedError";
  readonly code = "LOG_FAILED";
}

export class AppendLog {
  /** Bytes of batches that were made, lines included. */
  appended = 0;
  /** ... that the system has taken. */
  written = 0;
  /** ... that are on the disk. */
  durable = 0;
  /** Why the log has failed; undefined while it has not. */
  failure: string | undefined;
  /** Told when `released` has grown, or the log has failed. */
  readonly listeners = new Set<() => void>();
  /** Whether somebody will call `flush` at the end of this turn, if there are effects. */
  willBeFlushed = false;
  /** Milliseconds above which an append by the owner is a sign of a busy disk. */
  slowMs = 10;
  /** Whether each batch says when it was made (`aof-timestamp-enabled`). */
  hasTimestamps = false;
  /** Times that the owner had to wait for a full ring. */
  delays = 0;
  /** Told how many milliseconds an append by the owner has taken, or such a wait. */
  onAppend: ((milliseconds: number, isWait: boolean) => void) | undefined;
  readonly #effects: EffectLog;
  readonly #turn = new NextTurn(() => this.flush());
  readonly #waiters = new DurabilityWaiters();
  #channel: LogChannel | undefined;
  #file: OpenFile | undefined;
  #feed: LogFeed | undefined;
  #policy: SyncPolicy = "everysec";
  #isSuspended = false;
  #sequence = FIRST_SEQUENCE;
  /** Bytes of effects that have been made batches of. */
  #taken = 0;
  /** The channel's words as they were last seen. */
  #tail = 0;
  #durableWord = 0;
  #inline = 0;
  #released = 0;
  /** Whether the writer knows that something is unsynced. */
  #isTold = false;
  /** Whether the failure's reason is still to come. */
  #isVague = false;
  #busyUntil = 0;
  /** Bytes of padding that may lie between what is not durable yet and what comes. */
  #gap = 0;
  #unsyncedSince = Number.NaN;

  constructor(effects: EffectLog) {
    this.#effects = effects;
  }

  /** Whether a log is kept. */
  get isOn(): boolean {
    return this.#channel !== undefined;
  }

  /** Position up to which replies may be sent. */
  get released(): number {
    return this.#policy === "always" && !this.#isSuspended ? this.durable : this.written;
  }

  /** Grows with every effect: a command between whose begin and end it has not changed had none. */
  get gathered(): number {
    return this.#taken + this.#effects.length;
  }

  /** Bytes in the ring. */
  get pendingBytes(): number {
    return this.appended - this.written;
  }

  /** Whether a sync is asked for, or under way. */
  get isSyncPending(): boolean {
    return this.failure === undefined && this.#feed?.isSyncPending === true;
  }

  /** Milliseconds for which the oldest byte that is not on the disk has been waiting; 0 of none. */
  get oldestUnsyncedMs(): number {
    return this.durable === this.appended || Number.isNaN(this.#unsyncedSince)
      ? 0
      : performance.now() - this.#unsyncedSince;
  }

  /**
   * Begins to keep the log in a file, whatever was before: the first file, or a new one after a failure. What was
   * appended before counts as durable: it is the caller's business that it is, in a snapshot.
   * @param channel a new one, which the writer has as well
   * @param file to be appended to by the owner; the log closes it
   * @param sequence of the first batch
   */
  begin(channel: LogChannel, file: OpenFile, port: LogPort, sequence: number): void {
    this.#closeFile();
    this.#effects.clear();
    this.#effects.beginFile();
    this.#channel = channel;
    this.#file = file;
    this.#feed = new LogFeed(channel, port, (milliseconds) => {
      this.delays += 1;
      this.onAppend?.(milliseconds, true);
    });
    this.#sequence = sequence;
    this.#tail = 0;
    this.#durableWord = 0;
    this.#inline = 0;
    this.#isTold = false;
    this.failure = undefined;
    this.#isVague = false;
    this.written = this.appended;
    this.durable = this.appended;
    this.#released = this.appended;
    this.#unsyncedSince = Number.NaN;
    this.#storePolicy();
    this.#effects.areKept = true;
    this.#effects.onFirst = () => {
      if (!this.willBeFlushed) this.#turn.arm();
    };
    this.#effects.onFull = () => this.flush();
    this.#waiters.resolveUpTo(this.durable);
  }

  /** Keeps the log no more: what was gathered is written before, what waits is told. The file is closed. */
  end(): void {
    this.flush();
    this.#effects.areKept = false;
    this.#effects.onFirst = undefined;
    this.#effects.onFull = undefined;
    this.#turn.cancel();
    this.#channel = undefined;
    this.#feed = undefined;
    this.#closeFile();
    this.written = this.appended;
    this.durable = this.appended;
    this.#waiters.resolveUpTo(this.durable);
    this.#tellListeners();
  }

  set policy(policy: SyncPolicy) {
    this.#policy = policy;
    this.#storePolicy();
  }

  get policy(): SyncPolicy {
    return this.#policy;
  }

  /** Whether nothing is synced for now, whatever the policy: `no-appendfsync-on-rewrite` while files are written. */
  set isSuspended(isSuspended: boolean) {
    if (isSuspended === this.#isSuspended) return;
    this.#isSuspended = isSuspended;
    this.#storePolicy();
  }

  #storePolicy(): void {
    const channel = this.#channel;
    if (channel === undefined) return;
    channel.store(POLICY, this.#isSuspended ? NO : POLICIES[this.#policy]);
    this.#gap = PADDING_MAX;
    this.#feed!.ring();
    this.poll();
  }

  /**
   * Writes what was gathered, or hands it to the writer.
   * @param replies how many clients wait for it
   */
  flush(replies = 0): void {
    if (this.#channel === undefined) return;
    this.poll();
    const effects = this.#effects;
    const { buffer, length } = effects;
    if (length === 0) return;
    this.#taken += length;
    if (this.failure !== undefined) {
      effects.clear();
      return;
    }
    const start = this.#writeLine(buffer, length);
    const bytes = HEAD_ROOM + length - start;
    if (this.durable === this.appended) this.#unsyncedSince = performance.now();
    this.appended += bytes;
    if (this.#mayWriteInline()) this.#writeInline(buffer, start, bytes);
    else if (!this.#feed!.put(buffer, start, bytes, replies)) this.#fail("the log writer takes nothing", true);
    effects.clear();
    if (this.released !== this.#released) this.#tellListeners();
  }

  /**
   * From here on batches go to the file that the writer has prepared. In the same turn nothing else may be executed
   * before the data that the old files stand for has been frozen.
   * @param file the same file, to be appended to by the owner
   */
  switchTo(file: OpenFile): void {
    this.flush();
    this.#closeFile();
    this.#file = file;
    this.#sequence = FIRST_SEQUENCE;
    this.#effects.beginFile();
    this.#feed!.switch();
  }

  /**
   * What was appended so far is durable when this resolves; it is synced at once, whatever the policy.
   * @throws LogFailedError
   */
  sync(): Promise<void> {
    this.flush();
    if (this.failure !== undefined) return Promise.reject(new LogFailedError(this.failure));
    if (this.#channel === undefined || this.durable === this.appended) return Promise.resolve();
    const isDurable = this.#waiters.add(this.appended);
    this.#feed!.want();
    return isDurable;
  }

  /**
   * As `sync`, but blocks: for the end of the process. Under `everysec` and `no` it is enough that the system has it.
   * @returns whether it is done within so many milliseconds
   */
  finishWithin(milliseconds: number): boolean {
    this.flush();
    const channel = this.#channel;
    if (channel === undefined) return true;
    const until = performance.now() + milliseconds;
    if (this.#policy === "always" && this.durable !== this.appended) this.#feed!.want();
    while (this.failure === undefined && this.released < this.appended) {
      const restMs = until - performance.now();
      if (restMs <= 0) return false;
      const word = this.#policy === "always" ? GIVEN : TAIL;
      const seen = channel.load(word);
      this.poll();
      if (this.released < this.appended) this.#feed!.waitFor(word, seen, restMs);
      this.poll();
    }
    return this.failure === undefined;
  }

  /** Looks how far the writer has come, and tells the listeners. */
  poll(): void {
    const channel = this.#channel;
    if (channel === undefined || this.failure !== undefined) return;
    const tail = channel.load(TAIL);
    if (tail !== this.#tail) {
      this.written += (tail - this.#tail) | 0;
      this.#tail = tail;
    }
    const durable = channel.load(DURABLE);
    if (durable !== this.#durableWord) {
      this.durable += (durable - this.#durableWord) | 0;
      this.#durableWord = durable;
      this.#isTold = false;
      this.#unsyncedSince = this.durable === this.appended ? Number.NaN : performance.now();
      this.#waiters.resolveUpTo(this.durable);
    }
    if (this.durable === this.appended) this.#gap = 0;
    if (channel.load(FAILED) !== 0) this.#fail("the log writer has failed", true);
    else if (this.released !== this.#released) this.#tellListeners();
  }

  /** The writer has failed, or is gone: nothing that it has not confirmed is certain. */
  fail(error: string): void {
    this.#fail(error, false);
  }

  /** @param isVague whether why it has is still to come: the writer says it in a message */
  #fail(error: string, isVague: boolean): void {
    if (this.#channel === undefined || (this.failure !== undefined && !this.#isVague)) return;
    this.#isVague = isVague;
    this.failure = error;
    this.#closeFile();
    this.#waiters.rejectAll(new LogFailedError(error));
    this.#tellListeners();
  }

  askToListen(): void {
    this.#feed?.askToListen();
  }

  /** @returns where the batch begins now */
  #writeLine(buffer: Buffer, length: number): number {
    const crc = crc32(buffer.subarray(HEAD_ROOM, HEAD_ROOM + length));
    // One synced line may be there that was not counted.
    const behind = this.appended === this.durable ? 0 : this.appended - this.durable + this.#gap + SYNCED_LINE_MAX;
    const unsynced = this.#policy === "no" ? 0 : behind + (this.hasTimestamps ? TIMESTAMP_LINE_MAX : 0);
    let size = this.hasTimestamps ? writeTimestampLine(buffer, 0, Math.floor(Date.now() / 1000)) : 0;
    size += writeBatchLine(buffer, size, this.#sequence, length, crc, unsynced);
    this.#sequence += 1;
    buffer.copyWithin(HEAD_ROOM - size, 0, size);
    return HEAD_ROOM - size;
  }

  #mayWriteInline(): boolean {
    const channel = this.#channel!;
    if (this.#policy === "always" && !this.#isSuspended) return false;
    if (channel.pending !== 0 || channel.isSwitching || channel.load(SYNCING) !== 0) return false;
    if (this.#busyUntil !== 0 && performance.now() < this.#busyUntil) return false;
    this.#busyUntil = 0;
    return true;
  }

  #writeInline(buffer: Buffer, start: number, length: number): void {
    const channel = this.#channel!;
    const begin = performance.now();
    try {
      writeAll(this.#file!, buffer, start, length);
    } catch (error) {
      this.fail(systemErrorText(error));
      return;
    }
    const end = performance.now();
    if (end - begin > this.slowMs) this.#busyUntil = end + CALM_MS;
    this.onAppend?.(end - begin, false);
    this.written += length;
    this.#inline = (this.#inline + length) | 0;
    channel.store(INLINE, this.#inline);
    if (channel.load(DURABLE) !== this.#durableWord) this.poll();
    if (this.#isTold || this.#policy === "no") return;
    this.#isTold = true;
    this.#feed!.ring();
  }

  #tellListeners(): void {
    this.#released = this.released;
    for (const listener of [...this.listeners]) listener();
  }

  #closeFile(): void {
    const file = this.#file;
    this.#file = undefined;
    try {
      file?.close();
    } catch (error) {
      this.failure ??= systemErrorText(error);
    }
  }
}
