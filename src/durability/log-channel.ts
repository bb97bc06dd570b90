/**
 * LogChannel: what the thread that executes commands (the owner) and the one that writes the log (the writer) share: a
 * ring of bytes to be appended, and words that say how far either has come.
 *
 *     ring     | free | bytes to be appended ........ | free |        RING_BYTES, a power of two
 *                     TAIL                            HEAD            at (position - BASE) mod RING_BYTES
 *
 *     words (Int32)                                                          stored by
 *     [0]  HEAD      bytes put into the ring                                 the owner
 *     [1]  TAIL      bytes appended from it                                  the writer
 *     [2]  BASE      position that is at the ring's start                    the owner, while the ring is empty
 *     [3]  INLINE    bytes that the owner has appended by itself             the owner
 *     [4]  DURABLE   INLINE + TAIL before the last sync that succeeded       the writer
 *     [5]  WANTED    syncs that were asked for                               the owner
 *     [6]  GIVEN     WANTED before the last sync that succeeded              the writer
 *     [7]  POLICY    when to sync unasked: NO, EVERYSEC, ALWAYS              the owner
 *     [8]  WAITERS   replies that have begun to wait for the disk            the owner
 *     [9]  SYNCING   1 while a sync is under way                             the writer
 *     [10] BELL      rung after any of the owner's words has changed         the owner
 *     [11] STATE     ASLEEP: a message must wake the writer; AWAKE: the bell; GATHERING: the bell, but for replies only
 *                    once AWAITED is reached                                 both, by compare-and-exchange
 *     [12] LEAVE     1: messages wait, the writer should look at them        the owner 1, the writer 0
 *     [13] FAILED    1: an append or a sync has failed, nothing more is done the writer
 *     [14] SWITCH_AT HEAD at which the next file begins                      the owner
 *     [15] SWITCHES  switches to a next file that were asked for             the owner
 *     [16] SWITCHED  ... that were made                                      the writer
 *     [17] AWAITED   WAITERS at which a sync that waits for them begins      the writer
 *
 * Why words and a ring, not messages: a batch costs the owner a copy and a wake-up of some microseconds; with messages,
 * both event loops would stand between a reply and the disk. And what waits is bounded by construction: a full ring
 * makes the owner wait.
 *
 * Counts wrap at 2^32; what matters are differences, which stay below 2^31 (RING_BYTES, and what the writer lets stay
 * unsynced). All loads and stores are sequentially consistent, and these orders matter:
 * - The owner copies, then stores HEAD; it stores SWITCH_AT, then SWITCHES, and puts bytes of the next file after both.
 *   The writer loads HEAD before SWITCHES: if it sees bytes of the next file, it knows where that begins.
 * - The owner stores HEAD before WANTED; the writer loads WANTED before HEAD: what GIVEN confirms was in the file.
 * - The owner stores INLINE, then loads DURABLE; the writer stores DURABLE, then loads INLINE: bytes appended while a
 *   sync ends are seen by one of them, who sees to the next sync.
 * - Before it falls asleep, the writer stores ASLEEP and looks again; the owner rings, then looks whether it sleeps.
 * - The writer stores AWAITED, then GATHERING, then loads WAITERS; the owner stores WAITERS, then loads STATE: one of
 *   them sees that enough have come. (If neither did, the writer would wait for its time to be over, no longer.)
 */

export const HEAD = 0;
export const TAIL = 1;
export const BASE = 2;
export const INLINE = 3;
export const DURABLE = 4;
export const WANTED = 5;
export const GIVEN = 6;
export const POLICY = 7;
export const WAITERS = 8;
export const SYNCING = 9;
export const BELL = 10;
export const STATE = 11;
export const LEAVE = 12;
export const FAILED = 13;
export const SWITCH_AT = 14;
export const SWITCHES = 15;
export const SWITCHED = 16;
export const AWAITED = 17;
const WORDS = 18;

/** Values of POLICY. */
export const NO = 0;
export const EVERYSEC = 1;
export const ALWAYS = 2;

/** Values of STATE. */
export const ASLEEP = 0;
export const AWAKE = 1;
export const GATHERING = 2;

/** What may wait for the writer. */
export const RING_BYTES = 32 * 1024 * 1024;

/** Both buffers, as they are posted to the writer. */
export interface LogChannelBuffers {
  readonly words: SharedArrayBuffer;
  readonly ring: SharedArrayBuffer;
}

export class LogChannel {
  readonly words: Int32Array<SharedArrayBuffer>;
  readonly ring: Buffer;
  readonly buffers: LogChannelBuffers;
  readonly #mask: number;

  /** A view of a channel that there is, or without one a new channel. @param ringBytes a power of two */
  constructor(buffers?: LogChannelBuffers, ringBytes = RING_BYTES) {
    this.buffers = buffers ?? {
      words: new SharedArrayBuffer(WORDS * Int32Array.BYTES_PER_ELEMENT),
      // Untouched pages cost no memory, and a ring that empties begins at its start again.
      ring: new SharedArrayBuffer(ringBytes),
    };
    this.words = new Int32Array(this.buffers.words);
    this.ring = Buffer.from(this.buffers.ring);
    this.#mask = this.ring.length - 1;
  }

  load(word: number): number {
    return Atomics.load(this.words, word);
  }

  store(word: number, value: number): void {
    Atomics.store(this.words, word, value | 0);
  }

  /** Bytes in the ring. */
  get pending(): number {
    return (Atomics.load(this.words, HEAD) - Atomics.load(this.words, TAIL)) | 0;
  }

  /** Whether the owner waits for a switch to the next file. */
  get isSwitching(): boolean {
    return Atomics.load(this.words, SWITCHES) !== Atomics.load(this.words, SWITCHED);
  }

  /** Where in the ring a position is. */
  at(position: number): number {
    return (position - Atomics.load(this.words, BASE)) & this.#mask;
  }
}
