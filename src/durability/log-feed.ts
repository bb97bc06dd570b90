/**
 * LogFeed: the owner's end of a LogChannel: puts bytes into the ring, rings the bell, asks for syncs. The orders that
 * matter are argued in log-channel.ts.
 *
 * What waits is bounded by the ring: when it is full, the owner waits until the writer has taken something, and with it
 * everybody whom the owner serves. That is what a disk that is slower than its writers comes to; `onWait` is told.
 *
 * Owner thread only.
 */
import {
  ALWAYS,
  ASLEEP,
  AWAITED,
  AWAKE,
  BASE,
  BELL,
  FAILED,
  GATHERING,
  GIVEN,
  HEAD,
  LEAVE,
  type LogChannel,
  POLICY,
  STATE,
  SWITCH_AT,
  SWITCHES,
  SYNCING,
  TAIL,
  WAITERS,
  WANTED,
} from "./log-channel.ts";

/** How long the owner waits for a writer that takes nothing out of a full ring, before it gives the log up. */
const STUCK_MS = 60_000;
/** How often it looks meanwhile whether the writer has failed. */
const ASKING_MS = 100;

/** What the log needs of the thread that writes it. */
export interface LogPort {
  /** Wakes the writer, which is asleep. */
  wake(): void;
}

export class LogFeed {
  readonly channel: LogChannel;
  readonly #port: LogPort;
  readonly #onWait: (milliseconds: number) => void;
  readonly #stuckMs: number;

  /**
   * @param onWait told each time the owner had to wait for a full ring, and for how long
   * @param stuckMs tests have less patience
   */
  constructor(channel: LogChannel, port: LogPort, onWait: (milliseconds: number) => void, stuckMs = STUCK_MS) {
    this.channel = channel;
    this.#port = port;
    this.#onWait = onWait;
    this.#stuckMs = stuckMs;
  }

  /**
   * Has bytes appended behind all that was put before.
   * @param replies how many clients wait for them
   * @returns false if the writer has failed, or takes nothing: part of them may be in the ring then
   */
  put(bytes: Buffer, start: number, length: number, replies: number): boolean {
    const { channel } = this;
    const { ring, words } = channel;
    let head = channel.load(HEAD);
    if (channel.pending === 0) channel.store(BASE, head);
    for (let at = start, rest = length; rest > 0; ) {
      const room = ring.length - channel.pending;
      if (room === 0) {
        if (!this.#waitForRoom()) return false;
        continue;
      }
      const to = channel.at(head);
      const count = Math.min(rest, room, ring.length - to);
      bytes.copy(ring, to, at, at + count);
      head = (head + count) | 0;
      at += count;
      rest -= count;
      Atomics.store(words, HEAD, head);
    }
    if (replies === 0) this.ring();
    else {
      Atomics.add(words, WAITERS, replies);
      this.#ringForReplies();
    }
    return true;
  }

  /** What is put from now on goes to the file that the writer has prepared. */
  switch(): void {
    const { channel } = this;
    channel.store(SWITCH_AT, channel.load(HEAD));
    channel.store(SWITCHES, channel.load(SWITCHES) + 1);
    this.ring();
  }

  /** Asks for a sync of what was put, or appended by the owner, so far. */
  want(): void {
    Atomics.add(this.channel.words, WANTED, 1);
    this.ring();
  }

  /** Whether a sync is asked for, by whatever is put under `always`, or under way. */
  get isSyncPending(): boolean {
    const { channel } = this;
    if (channel.load(SYNCING) !== 0 || channel.load(WANTED) !== channel.load(GIVEN)) return true;
    return channel.load(POLICY) === ALWAYS && channel.pending !== 0;
  }

  /** Something has changed that the writer should look at. */
  ring(): void {
    const { words } = this.channel;
    Atomics.add(words, BELL, 1);
    if (Atomics.compareExchange(words, STATE, ASLEEP, AWAKE) === ASLEEP) this.#port.wake();
    else Atomics.notify(words, BELL);
  }

  /** As `ring`, but does not wake a writer that waits for more replies than there are. */
  #ringForReplies(): void {
    const { channel } = this;
    const isEarly = channel.load(STATE) === GATHERING && ((channel.load(WAITERS) - channel.load(AWAITED)) | 0) < 0;
    if (isEarly) Atomics.add(channel.words, BELL, 1);
    else this.ring();
  }

  /** Asks the writer to look at its messages, which it does not while it waits for the bell. */
  askToListen(): void {
    const { channel } = this;
    channel.store(LEAVE, 1);
    Atomics.add(channel.words, BELL, 1);
    Atomics.notify(channel.words, BELL);
  }

  /** Waits, blocking, for a word to change. */
  waitFor(word: number, seen: number, milliseconds: number): void {
    Atomics.wait(this.channel.words, word, seen, Math.min(milliseconds, ASKING_MS));
  }

  /** @returns false if there will be none */
  #waitForRoom(): boolean {
    const { channel } = this;
    const begin = performance.now();
    const until = begin + this.#stuckMs;
    this.ring();
    let tail = channel.load(TAIL);
    while (channel.pending === channel.ring.length && channel.load(FAILED) === 0 && performance.now() < until) {
      this.waitFor(TAIL, tail, until - performance.now());
      tail = channel.load(TAIL);
    }
    this.#onWait(performance.now() - begin);
    return channel.pending < channel.ring.length;
  }
}
