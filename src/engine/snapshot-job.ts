/** A snapshot that is being written: what belongs to it, and how far it has come. Owner thread only. */
import { CANCELLED, decide, KEYS, KIBIBYTES, newSnapshotWords, waitForEnd } from "../durability/snapshot-words.ts";
import type { SnapshotFigures, SnapshotPlan } from "../durability/snapshot-writer.ts";
import type { FrozenStore, Keyspace } from "../keyspace/keyspace.ts";
import { PAGE_SIZE } from "../memory/region.ts";
import type { SnapshotOutcome } from "./snapshot-figures.ts";

/** Milliseconds that are waited for a file that is just being put in its place: a rename and an fsync. */
const COMMIT_MS = 10_000;

export class SnapshotJob {
  /** Tells its answer from those of others. */
  readonly number: number;
  /** Whether it is a BGSAVE, in whatever way it was asked for; otherwise it is the base of a log. */
  readonly isSave: boolean;
  readonly plan: SnapshotPlan;
  /** Told once how it ended, and why it failed if it did. */
  readonly onEnd: (error?: string) => void;
  readonly words = newSnapshotWords();
  readonly frozen: FrozenStore;
  /** What the freeze took. */
  readonly freezeMs: number;
  /** Keys there are to write. */
  readonly keys: number;
  /** `keyspace.changes` that it holds. */
  readonly changes: number;
  readonly #keyspace: Keyspace;
  readonly #begin = performance.now();
  #copiedPeak = 0;

  /** Freezes the keyspace. @throws Error if it is frozen already */
  constructor(
    keyspace: Keyspace,
    number: number,
    plan: SnapshotPlan,
    isSave: boolean,
    onEnd: (error?: string) => void,
  ) {
    this.#keyspace = keyspace;
    this.number = number;
    this.plan = plan;
    this.isSave = isSave;
    this.onEnd = onEnd;
    this.keys = keyspace.databases.reduce((sum, { count }) => sum + count, 0);
    this.changes = keyspace.changes;
    this.frozen = keyspace.freeze();
    this.freezeMs = performance.now() - this.#begin;
  }

  get ageMs(): number {
    return performance.now() - this.#begin;
  }

  /** Keys written so far. */
  get keysWritten(): number {
    return Atomics.load(this.words, KEYS);
  }

  /** Bytes that the store has had to copy for it so far. */
  get copiedBytes(): number {
    return this.#keyspace.shards.reduce((sum, { region }) => sum + region.shadowPages * PAGE_SIZE, 0);
  }

  /** The most of these that `noteCopied` has seen. */
  get copiedPeak(): number {
    return this.#copiedPeak;
  }

  noteCopied(): void {
    this.#copiedPeak = Math.max(this.#copiedPeak, this.copiedBytes);
  }

  /** Sees to it that no file is put in its place any more; if one just is, waits until it has been. */
  giveUp(): void {
    if (!decide(this.words, CANCELLED)) waitForEnd(this.words, COMMIT_MS);
  }

  /** Ends the freeze. @returns bytes that the store has copied */
  release(): number {
    return this.frozen.release().copiedPages * PAGE_SIZE;
  }

  /**
   * What has become of it.
   * @param figures of whoever wrote it; without them it has failed, and is told as far as it is known to have come
   */
  outcome(copiedBytes: number, figures: SnapshotFigures | undefined, error: string): SnapshotOutcome {
    return {
      kind: this.isSave ? "bgsave" : "base",
      durationMs: this.ageMs,
      freezeMs: this.freezeMs,
      keys: figures?.keys ?? this.keysWritten,
      bytes: figures?.bytes ?? Atomics.load(this.words, KIBIBYTES) * 1024,
      copiedBytes,
      error,
    };
  }
}
