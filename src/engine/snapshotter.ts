/**
 * Snapshotter: when snapshots are made, and what came of them: SAVE, BGSAVE, the `save` rules, FLUSHALL, and the first
 * half of a rewrite of the log, whose base file is a snapshot too.
 *
 *     freeze ──▶ job for the thread `snapshot` ──▶ its answer, or its end ──▶ release, figures
 *                       └── cancel ──▶ release at once; the thread notices, and its answer is no longer waited for
 *
 * - *One job at a time*, whoever asked for it, because there is one freeze at a time. Who comes second gets Redis's
 *   answer.
 * - *The freeze is always released*: when the answer comes, when the worker dies, when the job is given up, and if it
 *   could not be posted. Whatever ends a job goes through `#end`, once.
 * - *SAVE needs no freeze*: nothing writes while it runs, so it reads the regions as they are, through the same writer,
 *   and works while the log is being rewritten. It blocks everybody for as long as it takes: that is what it is for.
 * - *Given up* is a job after FLUSHALL, and when the store ends. Its file must not replace a later one: who decides is
 *   written in durability/snapshot-words.ts.
 *
 * Different from Redis: FLUSHALL, with rules, saves the empty store in the background, where Redis writes and syncs the
 * file before it replies.
 *
 * Owner thread only.
 */
import { unlink } from "node:fs";
import { join } from "node:path";
import type { BackgroundThreads } from "../background/background-threads.ts";
import { addSnapshotThread, type SnapshotReply, type SnapshotThread } from "../background/snapshot.ts";
import type { Services } from "../commands/context.ts";
import { CommandError } from "../commands/errors.ts";
import type { Configuration } from "../config/configuration.ts";
import { systemErrorText } from "../config/system-error.ts";
import { temporaryPathOf } from "../durability/durable-file.ts";
import { type Files, realFiles } from "../durability/files.ts";
import type { LockMark } from "../durability/guarded-files.ts";
import { newSnapshotWords } from "../durability/snapshot-words.ts";
import {
  type SnapshotFigures,
  type SnapshotForm,
  type SnapshotPlan,
  writeSnapshot,
} from "../durability/snapshot-writer.ts";
import { FrozenKeyspace } from "../keyspace/frozen-keyspace.ts";
import type { Keyspace } from "../keyspace/keyspace.ts";
import { LiveReader, liveRegion } from "../memory/live-reader.ts";
import type { SnapshotOutcome, SnapshotStats } from "./snapshot-figures.ts";
import { SnapshotJob } from "./snapshot-job.ts";
import { type KeptFromFiles, planSnapshot } from "./snapshot-plan.ts";
import { FAILED, IN_PROGRESS, MISCONF, OTHER_JOB, SCHEDULED, STARTED } from "./snapshot-replies.ts";

/** Seconds after a snapshot that failed until the rules ask for the next. */
const RETRY_SECONDS = 5;

const GIVEN_UP = "the snapshot was given up";
const NOTHING: SnapshotFigures = { bytes: 0, keys: 0 };

/** The parts of a store that are needed. */
export interface SnapshotterStore {
  readonly keyspace: Keyspace;
  readonly configuration: Configuration;
  readonly threads: BackgroundThreads;
  readonly services: Pick<Services, "latency">;
  /** Told, in a line each, of what went wrong, and of what succeeded. */
  readonly onNotice: ((line: string) => void) | undefined;
  readonly onNews?: ((line: string) => void) | undefined;
}

export class Snapshotter {
  /** What the next files hand on; set by whoever reads files. */
  kept: KeptFromFiles = { aux: new Map(), functions: [] };
  /** Seconds since 1970 of the last snapshot, or of the start. */
  lastSaveAt: number;
  /** Redis's error for writes while snapshots fail, if that is to stop them. */
  writeRefusal: string | undefined;
  /** Whether somebody else is at work who stands in for one of Redis's children, before or after his job here. */
  hasOtherJob: () => boolean = () => false;
  /** Told of the end of every BGSAVE, and why it failed if it did. */
  readonly saveListeners = new Set<(error: string | undefined) => void>();
  /** Told how each ended, be it a snapshot or a base; possibly while a command runs, so it may execute none. */
  onOutcome: ((outcome: SnapshotOutcome) => void) | undefined;
  /** Of the lock on the directory, by which the thread sees for itself that it may write there. */
  lock: LockMark | undefined;
  readonly thread: SnapshotThread;
  readonly #store: SnapshotterStore;
  readonly #keyspace: Keyspace;
  readonly #files: Files;
  readonly #stops: (() => void)[] = [];
  #job: SnapshotJob | undefined;
  #jobs = 0;
  #isScheduled = false;
  /** `keyspace.changes` that the last file holds. */
  #savedChanges: number;
  #triedAt = 0;
  /** Why the last BGSAVE failed; empty if it did not. */
  #error = "";
  #lastDurationMs = -1;
  #lastCopiedBytes = 0;
  #saves = 0;
  #freezes = 0;
  #lastFreezeMs = 0;

  /** @param files for SAVE; the thread `snapshot` has those of this machine */
  constructor(store: SnapshotterStore, files: Files = realFiles) {
    this.#store = store;
    this.#keyspace = store.keyspace;
    this.#files = files;
    this.#savedChanges = store.keyspace.changes;
    this.lastSaveAt = this.#now();
    this.thread = addSnapshotThread(store.threads, {
      onMessage: (reply) => this.#answer(reply),
      onExit: ({ error, wasStopped }) => {
        if (this.#job !== undefined) this.#lose(wasStopped ? "the store has ended" : `the thread has died: ${error}`);
      },
    });
    const refresh = (): undefined => this.#refreshRefusal();
    this.#stops.push(
      store.configuration.onChange("save", refresh),
      store.configuration.onChange("stop-writes-on-bgsave-error", refresh),
    );
  }

  /** Absolute path of the snapshot. */
  get path(): string {
    const { configuration } = this.#store;
    return join(configuration.get("dir"), configuration.get("dbfilename"));
  }

  /** Whether a job is under way, whoever asked for it. */
  get isRunning(): boolean {
    return this.#job !== undefined;
  }

  /** Whether that is a BGSAVE. */
  get isSaving(): boolean {
    return this.#job?.isSave === true;
  }

  /** Changes since the last snapshot. */
  get changes(): number {
    return this.#keyspace.changes - this.#savedChanges;
  }

  /** What is in memory is what files hold: they have just been read. */
  markSaved(): void {
    this.#savedChanges = this.#keyspace.changes;
  }

  /** SAVE: returns when the file is durable. @throws CommandError */
  saveNow(): void {
    if (this.isSaving) throw new CommandError(IN_PROGRESS);
    this.#saves += 1;
    const begin = performance.now();
    const tell = (error: string, figures = NOTHING): void => {
      if (error !== "") this.#store.onNotice?.(`Saving the data failed: ${error}`);
      const durationMs = performance.now() - begin;
      this.onOutcome?.({ kind: "save", durationMs, freezeMs: 0, copiedBytes: 0, error, ...figures });
    };
    try {
      tell("", this.#writeNow());
    } catch (error) {
      tell(systemErrorText(error));
      throw new CommandError(FAILED);
    }
    this.#succeed(this.#keyspace.changes);
  }

  /** BGSAVE. @returns the reply's text @throws CommandError */
  bgsave(schedule: boolean): string {
    if (this.isSaving) throw new CommandError(IN_PROGRESS);
    if (this.isRunning || this.hasOtherJob()) {
      if (!schedule) throw new CommandError(OTHER_JOB);
      this.#isScheduled = true;
      return SCHEDULED;
    }
    if (!this.#beginSave()) throw new CommandError(FAILED);
    return STARTED;
  }

  /**
   * Begins to write the base of a log, as of this instant.
   * @param temporary absolute path of the file, which is whole and durable when the job has succeeded, and else gone
   * @param onEnd told once when it is over, and why it failed if it did; not before this call has returned
   * @throws Error if it cannot begin; nothing is to be waited for then
   */
  begin(temporary: string, form: SnapshotForm, onEnd: (error?: string) => void): void {
    this.#jobs += 1;
    this.#begin(undefined, temporary, form, false, onEnd);
  }

  /**
   * Gives up what is under way, if anything is; its `onEnd` is called. What was scheduled is forgotten. If the file is
   * just being put in its place, waits until it is: what is saved next must not be replaced by it.
   */
  cancel(why = GIVEN_UP): void {
    this.#isScheduled = false;
    const job = this.#job;
    if (job === undefined) return;
    job.giveUp();
    this.#end(why);
  }

  /** The directory is another store's: what is under way is given up, and from now on snapshots have failed. */
  lose(why: string): void {
    this.cancel(why);
    this.#error = why;
    this.#refreshRefusal();
  }

  /** Before FLUSHALL: a snapshot that is being written would keep its pages, for nothing. */
  beforeFlushAll(): void {
    if (this.isSaving) this.cancel();
  }

  /** After it: the file is to say that there is nothing any more; not if it is a log that says so, while it is read. */
  afterFlushAll(): void {
    if (this.#keyspace.isLoading) return;
    if (this.#store.configuration.get("save").length === 0) return;
    if (this.isRunning || this.hasOtherJob()) this.#isScheduled = true;
    else this.#beginSave();
  }

  /** Looks at the rules, in every round of the housekeeper. */
  tick(): void {
    this.#job?.noteCopied();
    if (this.isRunning) return;
    if (!this.#isScheduled && this.changes === 0) return;
    if (this.hasOtherJob()) return;
    const now = this.#now();
    if (this.#error !== "" && now - this.#triedAt <= RETRY_SECONDS) return;
    if (this.#isScheduled || this.#isDue(now)) this.#beginSave();
  }

  /** What it is at. */
  get stats(): SnapshotStats {
    const job = this.#job;
    job?.noteCopied();
    return {
      isSaving: this.isSaving,
      savingMs: job?.isSave === true ? job.ageMs : 0,
      keysWritten: job?.keysWritten ?? 0,
      keysToWrite: job?.keys ?? 0,
      copiedBytes: job?.copiedBytes ?? 0,
      copiedBytesMax: job?.copiedPeak ?? 0,
      changes: this.changes,
      lastSaveAt: this.lastSaveAt,
      lastDurationMs: this.#lastDurationMs,
      lastCopiedBytes: this.#lastCopiedBytes,
      saves: this.#saves,
      lastError: this.#error,
      freezes: this.#freezes,
      lastFreezeMs: this.#lastFreezeMs,
    };
  }

  /** CONFIG RESETSTAT. */
  resetStatistics(): void {
    this.#saves = 0;
    this.#freezes = 0;
    this.#lastFreezeMs = 0;
  }

  /** Ends it: what is under way is given up, and no rule is looked at any more. */
  close(): void {
    this.cancel();
    for (const stop of this.#stops.splice(0)) stop();
  }

  #isDue(now: number): boolean {
    const { changes } = this;
    const since = now - this.lastSaveAt;
    return this.#store.configuration.get("save").some((rule) => changes >= rule.changes && since > rule.seconds);
  }

  /** @returns whether it has begun */
  #beginSave(): boolean {
    this.#isScheduled = false;
    this.#triedAt = this.#now();
    this.#saves += 1;
    const { path } = this;
    try {
      this.#begin(path, this.#newTemporary(path), "rdb", true, () => undefined);
    } catch (error) {
      const reason = systemErrorText(error);
      this.#fail(reason);
      this.onOutcome?.({ kind: "bgsave", durationMs: 0, freezeMs: 0, copiedBytes: 0, error: reason, ...NOTHING });
      return false;
    }
    return true;
  }

  #begin(
    path: string | undefined,
    temporary: string,
    form: SnapshotForm,
    isSave: boolean,
    onEnd: (error?: string) => void,
  ): void {
    if (this.#job !== undefined) throw new Error("another snapshot is being written");
    const plan = this.#plan(path, temporary, form);
    const job = new SnapshotJob(this.#keyspace, this.#jobs, plan, isSave, onEnd);
    this.#noteFreeze(job.freezeMs);
    this.#job = job;
    if (this.#post(job)) return;
    this.#job = undefined;
    job.release();
    throw new Error(`the thread takes no job: it is ${this.thread.state}, its last error: ${this.thread.lastError}`);
  }

  #post({ number, plan, words, frozen: { regions, databases, access } }: SnapshotJob): boolean {
    const { lock } = this;
    try {
      return this.thread.post({ kind: "save", number, regions, databases, moment: access, plan, words, lock });
    } catch (error) {
      this.#store.onNotice?.(`A snapshot could not be begun: ${(error as Error).message}`);
      return false;
    }
  }

  #noteFreeze(milliseconds: number): void {
    this.#freezes += 1;
    this.#lastFreezeMs = milliseconds;
    this.#store.services.latency.add("fork", milliseconds, this.#keyspace.clock.now());
  }

  #plan(path: string | undefined, temporary: string, form: SnapshotForm): SnapshotPlan {
    return planSnapshot(this.#keyspace, this.#store.configuration, this.kept, path, temporary, form, this.#now());
  }

  /** Where the next file is written: the worker may still be at one that was given up. */
  #newTemporary(path: string): string {
    this.#jobs += 1;
    return temporaryPathOf(path, this.#jobs);
  }

  /** All of SAVE but the figures. */
  #writeNow(): SnapshotFigures {
    const { path } = this;
    const { shards, databases, access } = this.#keyspace;
    const regions = shards.map(({ region }) => liveRegion(region));
    const view = new FrozenKeyspace(regions, databases.length, (region) => new LiveReader(region));
    const plan = this.#plan(path, this.#newTemporary(path), "rdb");
    return writeSnapshot(this.#files, view, access.moment(), plan, newSnapshotWords());
  }

  #answer(reply: SnapshotReply): void {
    if (reply.number !== this.#job?.number) return;
    this.#keyspace.clock.forget();
    if (reply.error === undefined) this.#end(undefined, reply.figures);
    else this.#end(reply.error);
  }

  /** The worker is gone, in the middle of a job. */
  #lose(error: string): void {
    const { temporary } = this.#job!.plan;
    // Not here and now: to delete a large file takes its time.
    unlink(temporary, (failure) => {
      if (failure === null || failure.code === "ENOENT") return;
      this.#store.onNotice?.(`${temporary} is left over: ${systemErrorText(failure)}`);
    });
    this.#end(error);
  }

  /** The one end of every job. */
  #end(error?: string, figures?: SnapshotFigures): void {
    const job = this.#job!;
    this.#job = undefined;
    const outcome = job.outcome(job.release(), figures, error ?? "");
    if (job.isSave) {
      this.#lastDurationMs = outcome.durationMs;
      this.#lastCopiedBytes = outcome.copiedBytes;
      if (error === undefined) this.#succeed(job.changes);
      else if (error !== GIVEN_UP) this.#fail(error);
    }
    this.onOutcome?.(outcome);
    job.onEnd(error);
    if (job.isSave) for (const listener of [...this.saveListeners]) listener(error);
  }

  #succeed(changes: number): void {
    this.#savedChanges = changes;
    this.lastSaveAt = this.#now();
    this.#error = "";
    this.#refreshRefusal();
    this.#store.onNews?.("DB saved on disk");
  }

  #fail(error: string): void {
    this.#error = error;
    this.#refreshRefusal();
    this.#store.onNotice?.(`Background saving failed: ${error}`);
  }

  #refreshRefusal(): undefined {
    const { configuration } = this.#store;
    const stops = configuration.get("stop-writes-on-bgsave-error") && configuration.get("save").length > 0;
    this.writeRefusal = this.#error !== "" && stops ? MISCONF : undefined;
  }

  /** Seconds since 1970. */
  #now(): number {
    return Math.floor(this.#keyspace.clock.now() / 1000);
  }
}
