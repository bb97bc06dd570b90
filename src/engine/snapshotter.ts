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
import { temporaryPathOf } from "../durability/durable-file.ts";
import { type Files, realFiles } from "../durability/files.ts";
import { newSnapshotWords } from "../durability/snapshot-words.ts";
import { type SnapshotPlan, writeSnapshot } from "../durability/snapshot-writer.ts";
import { FrozenKeyspace } from "../keyspace/frozen-keyspace.ts";
import type { Keyspace } from "../keyspace/keyspace.ts";
import { LiveReader, liveRegion } from "../memory/live-reader.ts";
import { infoOf, SnapshotJob } from "./snapshot-job.ts";
import { type AuxFields, type KeptFromFiles, planSnapshot } from "./snapshot-plan.ts";

/** Seconds after a snapshot that failed until the rules ask for the next. */
const RETRY_SECONDS = 5;

const STARTED = "Background saving started";
const SCHEDULED = "Background saving scheduled";
const IN_PROGRESS = "ERR Background save already in progress";
const OTHER_JOB =
  "ERR Another child process is active (AOF?): can't BGSAVE right now. Use BGSAVE SCHEDULE in order to schedule a " +
  "BGSAVE whenever possible.";
/** All that Redis says: what went wrong is in the log. */
const FAILED = "ERR";
const MISCONF =
  "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. Commands that " +
  "may modify the data set are disabled, because this instance is configured to report errors during writes if RDB " +
  "snapshotting fails (stop-writes-on-bgsave-error option). Please check the Redis logs for details about the RDB " +
  "error.";

const GIVEN_UP = "the snapshot was given up";
/** What the header of a file says that is not the base of a log. */
const NO_BASE: AuxFields = [["aof-base", "0"]];

/** The parts of a store that are needed. */
export interface SnapshotterStore {
  readonly keyspace: Keyspace;
  readonly configuration: Configuration;
  readonly threads: BackgroundThreads;
  readonly services: Pick<Services, "latency">;
  /** Told, in a line each, of what went wrong. */
  readonly onNotice: ((line: string) => void) | undefined;
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
  /** What the last freeze took. */
  latestFreezeMicroseconds = 0;
  freezes = 0;
  /** Bytes that the last job made the store copy. */
  lastCopiedBytes = 0;
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
  #hasFailed = false;
  #lastSeconds = -1;
  #lastSaveCopiedBytes = 0;
  #saves = 0;

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
    try {
      this.#writeNow();
    } catch (error) {
      this.#tell(`Saving the data failed: ${(error as Error).message}`);
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
   * @param aux fields of its header, beside those that every file has
   * @param onEnd told once when it is over, and why it failed if it did; not before this call has returned
   * @throws Error if it cannot begin; nothing is to be waited for then
   */
  begin(temporary: string, aux: AuxFields, onEnd: (error?: string) => void): void {
    this.#jobs += 1;
    this.#begin(undefined, temporary, aux, false, onEnd);
  }

  /**
   * Gives up what is under way, if anything is; its `onEnd` is called. What was scheduled is forgotten. If the file is
   * just being put in its place, waits until it is: what is saved next must not be replaced by it.
   */
  cancel(): void {
    this.#isScheduled = false;
    const job = this.#job;
    if (job === undefined) return;
    job.giveUp();
    this.#end(GIVEN_UP);
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
    if (this.#hasFailed && now - this.#triedAt <= RETRY_SECONDS) return;
    if (this.#isScheduled || this.#isDue(now)) this.#beginSave();
  }

  /** What INFO says of snapshots. */
  get info(): Readonly<Record<string, string | number>> {
    const job = this.#job;
    return {
      ...infoOf(job),
      rdb_changes_since_last_save: this.changes,
      rdb_bgsave_in_progress: this.isSaving ? 1 : 0,
      rdb_last_save_time: this.lastSaveAt,
      rdb_last_bgsave_status: this.#hasFailed ? "err" : "ok",
      rdb_last_bgsave_time_sec: this.#lastSeconds,
      rdb_current_bgsave_time_sec: job?.isSave === true ? Math.floor(job.ageMs / 1000) : -1,
      rdb_saves: this.#saves,
      rdb_last_cow_size: this.#lastSaveCopiedBytes,
    };
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
      this.#begin(path, this.#newTemporary(path), NO_BASE, true, () => undefined);
    } catch (error) {
      this.#fail((error as Error).message);
      return false;
    }
    return true;
  }

  #begin(
    path: string | undefined,
    temporary: string,
    aux: AuxFields,
    isSave: boolean,
    onEnd: (error?: string) => void,
  ): void {
    if (this.#job !== undefined) throw new Error("another snapshot is being written");
    const plan = this.#plan(path, temporary, aux);
    const job = new SnapshotJob(this.#keyspace, this.#jobs, plan, isSave, onEnd);
    this.#noteFreeze(job.freezeMs);
    this.#job = job;
    if (this.#post(job)) return;
    this.#job = undefined;
    job.release();
    throw new Error(`the thread takes no job: it is ${this.thread.state}, its last error: ${this.thread.lastError}`);
  }

  #post({ number, plan, words, frozen }: SnapshotJob): boolean {
    const { regions, databases, access } = frozen;
    try {
      return this.thread.post({ kind: "save", number, regions, databases, moment: access, plan, words });
    } catch (error) {
      this.#tell(`A snapshot could not be begun: ${(error as Error).message}`);
      return false;
    }
  }

  #noteFreeze(milliseconds: number): void {
    this.freezes += 1;
    this.latestFreezeMicroseconds = Math.round(milliseconds * 1000);
    this.#store.services.latency.add("fork", milliseconds, this.#keyspace.clock.now());
  }

  #plan(path: string | undefined, temporary: string, aux: AuxFields): SnapshotPlan {
    return planSnapshot(this.#keyspace, this.#store.configuration, this.kept, path, temporary, aux, this.#now());
  }

  /** Where the next file is written: the worker may still be at one that was given up. */
  #newTemporary(path: string): string {
    this.#jobs += 1;
    return temporaryPathOf(path, this.#jobs);
  }

  /** All of SAVE but the figures. */
  #writeNow(): void {
    const { path } = this;
    const { shards, databases, access } = this.#keyspace;
    const regions = shards.map(({ region }) => liveRegion(region));
    const view = new FrozenKeyspace(regions, databases.length, (region) => new LiveReader(region));
    const plan = this.#plan(path, this.#newTemporary(path), NO_BASE);
    writeSnapshot(this.#files, view, access.moment(), plan, newSnapshotWords());
  }

  #answer(reply: SnapshotReply): void {
    if (reply.number !== this.#job?.number) return;
    this.#keyspace.clock.forget();
    this.#end(reply.error);
  }

  /** The worker is gone, in the middle of a job. */
  #lose(error: string): void {
    const { temporary } = this.#job!.plan;
    // Not here and now: to delete a large file takes its time.
    unlink(temporary, (failure) => {
      if (failure !== null && failure.code !== "ENOENT") this.#tell(`${temporary} is left over: ${failure.message}`);
    });
    this.#end(error);
  }

  /** The one end of every job. */
  #end(error?: string): void {
    const job = this.#job!;
    this.#job = undefined;
    this.lastCopiedBytes = job.release();
    if (job.isSave) {
      this.#lastSeconds = Math.floor(job.ageMs / 1000);
      this.#lastSaveCopiedBytes = this.lastCopiedBytes;
      if (error === undefined) this.#succeed(job.changes);
      else if (error !== GIVEN_UP) this.#fail(error);
    }
    job.onEnd(error);
    if (job.isSave) for (const listener of [...this.saveListeners]) listener(error);
  }

  #succeed(changes: number): void {
    this.#savedChanges = changes;
    this.lastSaveAt = this.#now();
    this.#hasFailed = false;
    this.#refreshRefusal();
  }

  #fail(error: string): void {
    this.#hasFailed = true;
    this.#refreshRefusal();
    this.#tell(`Background saving failed: ${error}`);
  }

  #tell(line: string): void {
    this.#store.onNotice?.(line);
  }

  #refreshRefusal(): undefined {
    const { configuration } = this.#store;
    const stops = configuration.get("stop-writes-on-bgsave-error") && configuration.get("save").length > 0;
    this.writeRefusal = this.#hasFailed && stops ? MISCONF : undefined;
  }

  /** Seconds since 1970. */
  #now(): number {
    return Math.floor(this.#keyspace.clock.now() / 1000);
  }
}
