/**
 * LogFileWriter: the writer's side of the log: appends what the owner has put into the ring (log-channel.ts), syncs,
 * and goes on to the next file.
 *
 *     round:   append what is there ──▶ tell ──▶ is a sync due? ──▶ gather ──▶ sync ──▶ tell
 *
 * A sync is due under `always` as soon as anything is unsynced, under `everysec` a second after the first byte that is,
 * or when PORTION_BYTES are (a sync of a second's worth of a busy log would hold up appends for as long as it takes to
 * write it), and whenever the owner wants one.
 *
 * Group commit: whatever has come while a sync was under way shares the next one. Of clients that each wait for their
 * reply, half would always be in the sync that is under way, and half in the next: two syncs for each of them. So a
 * sync that released several replies is followed by a wait (`gather`) until as many have come back, beside those that
 * were waiting already: then all of them are in one sync, and stay together. It ends after GATHER_SHARE syncs' time, or
 * GATHER_MAX_MS, because there may be clients who do not come back at once. One client alone is never waited for.
 *
 * Errors: after the first one nothing is written to the file, nothing more is taken, and FAILED is set before the owner
 * is told; it says why. Invariant: TAIL and DURABLE never count a byte that the system did not take or sync.
 *
 * Threads: the writer's; in tests any, because everything is synchronous.
 */
import { systemErrorText } from "../config/system-error.ts";
import type { Files } from "./files.ts";
import {
  ALWAYS,
  ASLEEP,
  AWAITED,
  AWAKE,
  BELL,
  DURABLE,
  EVERYSEC,
  FAILED,
  GATHERING,
  GIVEN,
  HEAD,
  INLINE,
  LEAVE,
  type LogChannel,
  POLICY,
  STATE,
  SWITCH_AT,
  SWITCHED,
  SWITCHES,
  SYNCING,
  TAIL,
  WAITERS,
  WANTED,
} from "./log-channel.ts";
import { syncedLine } from "./log-lines.ts";
import { PaddedFile } from "./padded-file.ts";

/** What the owner is told. */
export type LogProgress =
  | { readonly kind: "written" }
  | { readonly kind: "synced"; readonly microseconds: number }
  | { readonly kind: "failed"; readonly error: string };

/** Under `everysec`: from the first unsynced byte to the sync. */
const SYNC_EVERY_MS = 1000;
/** Unsynced bytes at which `everysec` does not wait for the second to be over. */
export const PORTION_BYTES = 8 * 1024 * 1024;
/** How many times an average sync, and how long, is waited at most for replies to come back as requests. */
const GATHER_SHARE = 4;
const GATHER_MAX_MS = 1;
/** How much the last sync counts in the average. */
const AVERAGE_WEIGHT = 1 / 8;
/** How long the writer listens for the bell before it goes back to its event loop. */
const LINGER_MS = 20;
/** After so long it goes back to it anyway: there, files are deleted. */
const TURN_MS = 250;

export class LogFileWriter {
  readonly channel: LogChannel;
  readonly #files: Files;
  readonly #tell: (progress: LogProgress) => void;
  readonly #now: () => number;
  #file: PaddedFile;
  /** Offset in the file before which everything is on the disk, and whether the file does not tell it yet. */
  #syncedUpTo = 0;
  #isUntold = false;
  #next: PaddedFile | undefined;
  #unsyncedSince = Number.NaN;
  #averageSyncMs = 0;
  #lastSyncEndedAt = 0;
  /** WAITERS as of the last sync, and how many replies that one released. */
  #waitersSynced = 0;
  #released = 0;
  /** WAITERS once these have come back, as requests, beside those that waited already. */
  #awaited = 0;

  /**
   * @param path of the file that is appended to; it must exist
   * @param now milliseconds of any clock that only goes forward
   * @throws the system's error if it cannot be opened
   */
  constructor(
    files: Files,
    channel: LogChannel,
    path: string,
    tell: (progress: LogProgress) => void,
    now: () => number = () => performance.now(),
  ) {
    this.channel = channel;
    this.#files = files;
    this.#tell = tell;
    this.#now = now;
    this.#file = new PaddedFile(files, path);
  }

  /** Makes the file that the next switch goes to. @throws the system's error */
  prepare(path: string): void {
    this.#next?.close();
    this.#next = undefined;
    const file = this.#files.open(path, "create");
    try {
      file.sync();
    } finally {
      file.close();
    }
    this.#next = new PaddedFile(this.#files, path);
  }

  /**
   * Does what is to be done now.
   * @returns milliseconds after which there is something to be done unasked; infinite for never
   */
  round(): number {
    const { channel } = this;
    if (channel.load(FAILED) !== 0) return Number.POSITIVE_INFINITY;
    try {
      const wanted = channel.load(WANTED);
      const hasAppended = this.#append();
      // Under `always` nobody waits for less than the sync.
      if (hasAppended && channel.load(POLICY) !== ALWAYS) this.#tell({ kind: "written" });
      const dueMs = this.#dueMs(wanted);
      if (dueMs > 0) return dueMs;
      if (wanted === channel.load(GIVEN)) this.#gather();
      this.#sync(wanted);
      return this.#dueMs(channel.load(WANTED));
    } catch (error) {
      this.#fail(error);
      return Number.POSITIVE_INFINITY;
    }
  }

  /**
   * Rounds for as long as the bell rings, and a little longer, but TURN_MS at most; then the writer is asleep.
   * @returns milliseconds until the next call, unless the owner wakes it before; infinite for never
   */
  work(): number {
    const { channel } = this;
    const until = this.#now() + TURN_MS;
    channel.store(STATE, AWAKE);
    for (;;) {
      const bell = channel.load(BELL);
      const dueMs = this.round();
      const isOver = this.#now() >= until;
      const isAsked = isOver || channel.load(LEAVE) !== 0;
      if (isAsked) channel.store(LEAVE, 0);
      else if (dueMs <= 0 || Atomics.wait(channel.words, BELL, bell, Math.min(dueMs, LINGER_MS)) !== "timed-out")
        continue;
      else if (dueMs <= LINGER_MS) continue;
      this.#tellSynced();
      channel.store(STATE, ASLEEP);
      // Rung in between: whoever rang may have taken us for awake.
      if (isAsked || channel.load(BELL) === bell) return isOver ? 0 : dueMs;
      if (Atomics.compareExchange(channel.words, STATE, ASLEEP, AWAKE) !== ASLEEP) return dueMs;
    }
  }

  /** Appends and syncs what there is, and closes the file. @throws the system's error */
  end(): void {
    if (this.channel.load(FAILED) === 0) {
      const wanted = this.channel.load(WANTED);
      try {
        this.#append();
        if (this.#unsynced() > 0 || wanted !== this.channel.load(GIVEN)) this.#sync(wanted);
        this.#tellSynced();
        this.#file.sync();
        this.#file.trim();
      } catch (error) {
        this.#fail(error);
      }
    }
    this.abandon();
  }

  /** Lets go of the files: nothing more is appended to them. */
  abandon(): void {
    for (const file of [this.#file, this.#next]) {
      try {
        file?.close();
      } catch {
        // What was to be durable has been synced, or the failure of that has been told.
      }
    }
    this.#next = undefined;
  }

  /** @returns whether anything was appended */
  #append(): boolean {
    const { channel } = this;
    const before = channel.load(TAIL);
    for (;;) {
      const head = channel.load(HEAD);
      if (channel.load(SWITCHES) === channel.load(SWITCHED)) {
        if (!this.#appendTo(head)) break;
      } else {
        this.#appendTo(channel.load(SWITCH_AT));
        this.#switch();
      }
    }
    return channel.load(TAIL) !== before;
  }

  /** @returns whether there was anything before that position */
  #appendTo(head: number): boolean {
    const { channel } = this;
    const { ring, words } = channel;
    let tail = channel.load(TAIL);
    if (tail === head) return false;
    // The owner does not append while there is something in the ring, nor under `always`.
    const isAlone = channel.load(POLICY) === ALWAYS;
    while (tail !== head) {
      const at = channel.at(tail);
      const length = Math.min((head - tail) | 0, ring.length - at);
      if (isAlone) this.#file.appendAlone(ring, at, length);
      else this.#file.append(ring, at, length);
      tail = (tail + length) | 0;
      Atomics.store(words, TAIL, tail);
      Atomics.notify(words, TAIL);
    }
    return true;
  }

  /** The old file is complete and durable before the next one is written to. */
  #switch(): void {
    const { channel } = this;
    const next = this.#next;
    if (next === undefined) throw new Error("there is no next file to switch to");
    this.#sync(channel.load(WANTED));
    this.#file.trim();
    this.#file.close();
    this.#file = next;
    this.#next = undefined;
    this.#isUntold = false;
    channel.store(SWITCHED, channel.load(SWITCHES));
  }

  #unsynced(): number {
    const { channel } = this;
    return (channel.load(INLINE) + channel.load(TAIL) - channel.load(DURABLE)) | 0;
  }

  /** Milliseconds until a sync is due, 0 for now. */
  #dueMs(wanted: number): number {
    const { channel } = this;
    if (wanted !== channel.load(GIVEN)) return 0;
    const policy = channel.load(POLICY);
    const unsynced = this.#unsynced();
    if (unsynced === 0) this.#unsyncedSince = Number.NaN;
    else if (Number.isNaN(this.#unsyncedSince)) this.#unsyncedSince = this.#now();
    if (unsynced === 0 || (policy !== ALWAYS && policy !== EVERYSEC)) return Number.POSITIVE_INFINITY;
    if (policy === ALWAYS || unsynced >= PORTION_BYTES) return 0;
    return Math.max(0, this.#unsyncedSince + SYNC_EVERY_MS - this.#now());
  }

  /** Waits until all clients are waiting that did when the last sync ended, and those that it released. */
  #gather(): void {
    const { channel } = this;
    if (this.#released <= 1 || channel.load(POLICY) !== ALWAYS) return;
    const until = this.#lastSyncEndedAt + Math.min(GATHER_MAX_MS, this.#averageSyncMs * GATHER_SHARE);
    channel.store(AWAITED, this.#awaited);
    channel.store(STATE, GATHERING);
    for (;;) {
      const bell = channel.load(BELL);
      const restMs = until - this.#now();
      if (((channel.load(WAITERS) - this.#awaited) | 0) >= 0 || restMs <= 0) break;
      Atomics.wait(channel.words, BELL, bell, restMs);
    }
    channel.store(STATE, AWAKE);
    this.#append();
  }

  #sync(wanted: number): void {
    const { channel } = this;
    const waiters = channel.load(WAITERS);
    // What has been put since the last append is not in the file yet, and is not counted.
    channel.store(SYNCING, 1);
    const inFile = (channel.load(INLINE) + channel.load(TAIL)) | 0;
    const upTo = this.#file.end;
    const begin = this.#now();
    try {
      this.#file.sync();
    } finally {
      channel.store(SYNCING, 0);
    }
    const end = this.#now();
    this.#averageSyncMs += (end - begin - this.#averageSyncMs) * AVERAGE_WEIGHT;
    this.#lastSyncEndedAt = end;
    this.#released = (waiters - this.#waitersSynced) | 0;
    this.#waitersSynced = waiters;
    this.#awaited = (channel.load(WAITERS) + this.#released) | 0;
    this.#unsyncedSince = Number.NaN;
    this.#syncedUpTo = upTo;
    this.#isUntold ||= inFile !== channel.load(DURABLE);
    channel.store(DURABLE, inFile);
    channel.store(GIVEN, wanted);
    Atomics.notify(channel.words, GIVEN);
    this.#tell({ kind: "synced", microseconds: Math.round((end - begin) * 1000) });
  }

  /**
   * Lets the file tell how far it is on the disk, before nothing comes for a while. That need not be synced itself. The
   * owner may append meanwhile, but not alone: it has stored a new policy before it looks whether we are SYNCING.
   */
  #tellSynced(): void {
    const { channel } = this;
    if (!this.#isUntold || channel.load(FAILED) !== 0 || channel.pending !== 0 || this.#unsynced() > 0) return;
    const line = syncedLine(this.#syncedUpTo);
    channel.store(SYNCING, 1);
    try {
      if (channel.load(POLICY) === ALWAYS) this.#file.appendAlone(line, 0, line.length);
      else this.#file.append(line, 0, line.length);
      this.#isUntold = false;
    } catch (error) {
      this.#fail(error);
    } finally {
      channel.store(SYNCING, 0);
    }
  }

  #fail(error: unknown): void {
    const { words } = this.channel;
    Atomics.store(words, FAILED, 1);
    Atomics.notify(words, TAIL);
    Atomics.notify(words, GIVEN);
    this.#tell({ kind: "failed", error: systemErrorText(error) });
  }
}
