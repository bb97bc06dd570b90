/**
 * LogKeeper: the life of a store's append-only log: started, rewritten, failed, healed, ended.
 *
 *     off ──start, or CONFIG SET appendonly yes──▶ beginning ──▶ on ──failure──▶ failed
 *      ▲                                            │  ▲          │              │
 *      │                                failed ◀────┘  └──────────┼── rewrite ───┘     writes are refused
 *      └──────────────────────────── CONFIG SET appendonly no ────┘
 *
 * A rewrite, while the log is on:
 *
 *     log writer   makes the next INCR, lists it          renames the BASE, lists it with this INCR only; deletes
 *     this thread            └▶ last batch into the old INCR; the next goes into the new one; freeze      ▲
 *     snapshot                                                  └▶ writes the BASE, syncs it ─────────────┘
 *
 * The switch and the freeze are one turn: no command is executed between them, so that the BASE is what all before the
 * new INCR amounts to. Each step that fails leaves a set in force that is complete: the old one with one INCR more.
 *
 * Where there is no set to go on from (the first one of a store with data, or after a failure), a new set is begun: its
 * INCR counts only once its BASE does (durability/log-writer-tasks.ts). After a failure, writes are refused until then.
 *
 * Owner thread only.
 */
import { basename, join } from "node:path";
import type { NewLogTask } from "../background/log-writer.ts";
import { CommandError } from "../commands/errors.ts";
import { systemErrorText } from "../config/system-error.ts";
import { AppendLog, LogFailedError } from "../durability/append-log.ts";
import { temporaryPathOf } from "../durability/durable-file.ts";
import { LogChannel } from "../durability/log-channel.ts";
import type { LogProgress } from "../durability/log-file-writer.ts";
import { FIRST_SEQUENCE } from "../durability/log-lines.ts";
import type { RetirementReport } from "../durability/log-writer-tasks.ts";
import { AofNames, type LogFile, type Manifest, readManifest } from "../durability/manifest.ts";
import { LogFigures, type LogStats } from "./log-figures.ts";
import { LogHealth } from "./log-health.ts";
import { followAppending, type LogKeeperParts, nextSequence, pause, TEXTS, writeBase } from "./log-parts.ts";
import type { RecoveredLog } from "./recovery.ts";
import { RewriteSchedule } from "./rewrite-schedule.ts";

type State = "off" | "beginning" | "on" | "failed";

export class LogKeeper {
  readonly log: AppendLog;
  readonly figures: LogFigures;
  readonly #parts: LogKeeperParts;
  readonly #names: AofNames;
  readonly #schedule: RewriteSchedule;
  readonly #stops: (() => void)[] = [];
  #state: State = "off";
  /** The set in force, as far as it is known. */
  #manifest: Manifest = { base: undefined, incrs: [], history: [] };
  #baseBytes = 0;
  /** Bytes of increments before the present file, and where in the log's positions that began. */
  #olderBytes = 0;
  #fileBegan = 0;
  #rewriting: Promise<void> | undefined;
  /** Counts beginnings and ends, so that a rewrite that comes back finds out that it is no longer wanted. */
  #life = 0;
  readonly #health: LogHealth;
  /** What the writer has failed of while it ended the file. */
  #endFailure: string | undefined;
  #isEnding = false;

  constructor(parts: LogKeeperParts) {
    this.#parts = parts;
    this.#names = new AofNames(parts.directory.filename);
    this.log = new AppendLog(parts.effects);
    this.#schedule = new RewriteSchedule(parts.configuration);
    this.figures = new LogFigures(this.log, this.#schedule);
    this.#health = new LogHealth(parts, this.figures);
    parts.link.onProgress = (progress) => this.#hear(progress);
    parts.snapshots.hasOtherJob = () => this.isRewriting;
    this.log.listeners.add(() => this.#noticeFailure());
    this.#follow();
  }

  /** Whether effects are being logged, or will be once a set has been begun. */
  get isOn(): boolean {
    return this.#state !== "off";
  }

  /** Whether the first set is being begun: until it is there, the log holds nothing. */
  get isBeginning(): boolean {
    return this.#state === "beginning";
  }

  get isRewriting(): boolean {
    return this.#rewriting !== undefined;
  }

  /** Redis's error for writes while what they do cannot be logged. */
  get writeRefusal(): string | undefined {
    return this.#health.writeRefusal;
  }

  /**
   * Goes on from what was recovered, before anybody is served. Resolves when a complete set is in force.
   * @throws Error that says why the files cannot be written
   */
  async start(recovered: RecoveredLog): Promise<void> {
    this.#life += 1;
    const { incr } = recovered;
    let manifest = recovered.manifest;
    if (manifest === undefined && this.#parts.hasData()) {
      await this.#beginAnew();
      return;
    }
    if (manifest === undefined) {
      manifest = { base: undefined, incrs: [this.#names.incr(1)], history: [] };
      await this.#run({ kind: "create", manifest });
    } else if (incr === undefined) {
      const next = this.#names.incr(nextSequence(manifest.incrs.at(-1)));
      manifest = { base: manifest.base, incrs: [...manifest.incrs, next], history: [] };
      await this.#run({ kind: "prepare", incr: next, manifest });
    }
    const { name } = manifest.incrs.at(-1)!;
    const channel = new LogChannel();
    await this.#run({ kind: "begin", buffers: channel.buffers, name, isNew: false });
    this.#open(channel, name, incr?.nextSequence ?? FIRST_SEQUENCE);
    this.#state = "on";
    this.#manifest = manifest;
    this.#baseBytes = recovered.baseBytes;
    this.#olderBytes = recovered.incrBytes;
    this.#schedule.rememberSize(recovered.baseBytes + recovered.incrBytes);
    // Before anybody is served: of this process there are no temporaries yet but leftovers.
    await this.#retire(true);
  }

  /** BGREWRITEAOF. @returns the reply's text @throws CommandError */
  rewrite(): string {
    if (this.isRewriting) throw new CommandError(TEXTS.inProgress);
    if (this.#state === "off") throw new CommandError(TEXTS.isOff);
    if (this.#parts.snapshots.isRunning) {
      this.#schedule.isScheduled = true;
      return TEXTS.scheduled;
    }
    this.#beginRewrite();
    return TEXTS.started;
  }

  /** Rewrites, and resolves when that is done. @throws Error that says why it failed */
  async rewriteNow(): Promise<void> {
    while (this.isRewriting || this.#parts.snapshots.isRunning) await pause();
    if (this.#state === "off") throw new CommandError(TEXTS.isOff);
    this.#beginRewrite();
    await this.#rewriting;
    const { lastError } = this.#health;
    if (lastError !== "" && this.#schedule.hasFailed) throw new Error(lastError);
  }

  /** Looks whether a rewrite is due, in every round of the housekeeper. */
  tick(): void {
    this.#suspend();
    if (this.#state === "off" || this.isRewriting || this.#parts.snapshots.isRunning) return;
    if (this.#schedule.isDue(this.currentBytes, this.#state === "on")) this.#beginRewrite();
    // A log that could not be begun is wanted all the same.
    else if (this.#state === "beginning" && this.#schedule.mayRetry) this.#beginRewrite();
  }

  /** What has been executed so far is durable when this resolves. @throws Error if it cannot be */
  async durable(): Promise<void> {
    while (this.isRewriting || this.#schedule.isScheduled) {
      if (this.#state !== "beginning") break;
      await (this.#rewriting ?? pause());
    }
    if (this.#state !== "on") throw new LogFailedError(this.#health.lastError || "there is no log");
    await this.log.sync();
  }

  /** The directory is another store's: the log has failed, for good. */
  lose(why: string): void {
    if (this.#state === "off") return;
    this.#state = "failed";
    this.#health.lose(why);
    this.log.fail(why);
  }

  /** Ends it: what was executed is durable when this resolves. @throws Error if it is not */
  async close(): Promise<void> {
    for (const stop of this.#stops.splice(0)) stop();
    if (this.#state === "off") return;
    try {
      await this.durable();
    } finally {
      await this.#turnOff();
    }
  }

  /** Bytes of all files of the log; of the one that is being written, without padding and synced lines. */
  get currentBytes(): number {
    return this.#baseBytes + this.#olderBytes + this.log.appended - this.#fileBegan;
  }

  #open(channel: LogChannel, name: string, sequence: number): void {
    const file = this.#parts.files.open(join(this.#parts.directory.path, name), "append");
    this.log.begin(channel, file, this.#parts.link, sequence);
    this.#fileBegan = this.log.appended;
  }

  #beginRewrite(): void {
    this.#schedule.begin();
    this.figures.beginRewrite(this.currentBytes);
    const life = this.#life;
    const work = this.#state === "on" ? this.#rewrite(life) : this.#beginAnew();
    const end = (error?: Error): void => {
      this.#rewriting = undefined;
      this.#suspend();
      const reason = error === undefined ? "" : systemErrorText(error);
      this.figures.endRewrite(this.currentBytes, reason);
      // Given up because the log was turned off: that says nothing about the disk.
      if (life !== this.#life) return;
      this.#schedule.end(error === undefined);
      if (error === undefined) {
        this.#parts.news("Background AOF rewrite finished successfully");
        return;
      }
      this.#health.lastError = reason;
      this.#parts.notice(`Rewriting the append only file failed: ${reason}`);
    };
    this.#rewriting = work.then(() => end(), end);
    this.#suspend();
  }

  async #rewrite(life: number): Promise<void> {
    const { base, incrs } = this.#manifest;
    const next = this.#names.incr(nextSequence(incrs.at(-1)));
    const listed = { base, incrs: [...incrs, next], history: [] };
    await this.#run({ kind: "prepare", incr: next, manifest: listed });
    this.#checkWanted(life);
    // From here to the freeze nothing else may be executed.
    const file = this.#parts.files.open(join(this.#parts.directory.path, next.name), "append");
    this.log.switchTo(file);
    this.#manifest = listed;
    this.#olderBytes += this.log.appended - this.#fileBegan;
    this.#fileBegan = this.log.appended;
    await this.#commit(life, base, next, undefined);
  }

  /** Begins a set that owes nothing to what is on the disk. */
  async #beginAnew(): Promise<void> {
    const life = this.#life;
    const { path } = this.#parts.directory;
    // As it is now: a rewrite that was under way when the log was turned off may have put another set in force.
    const old = readManifest(this.#parts.files, path, this.#names) ?? this.#manifest;
    const incr = this.#names.incr(nextSequence(old.incrs.at(-1)));
    const from = basename(temporaryPathOf(join(path, incr.name)));
    if (this.#state === "off") this.#state = "beginning";
    const channel = new LogChannel();
    await this.#run({ kind: "begin", buffers: channel.buffers, name: from, isNew: true });
    if (life !== this.#life) throw new Error(TEXTS.notWanted);
    this.#health.tryAgain();
    try {
      this.#open(channel, from, FIRST_SEQUENCE);
      this.#olderBytes = 0;
      await this.#commit(life, old.base, incr, from);
      this.#checkWanted(life);
    } catch (error) {
      if (life === this.#life) this.#giveUp(from, error);
      throw error;
    }
    this.#state = "on";
    this.#health.recover();
  }

  /**
   * Has the base written, as of now, and put in force together with the present increment.
   * @param old the base before it
   */
  async #commit(life: number, old: LogFile | undefined, incr: LogFile, from: string | undefined): Promise<void> {
    const isRdb = this.#parts.configuration.get("aof-use-rdb-preamble");
    const base = this.#names.base(nextSequence(old), isRdb);
    const temporary = temporaryPathOf(join(this.#parts.directory.path, base.name));
    await writeBase(this.#parts.snapshots, temporary, isRdb ? "rdb" : "commands");
    this.#checkWanted(life);
    const manifest = this.#names.rewritten(this.#manifest.base, base, incr);
    this.#baseBytes = await this.#run({ kind: "commit", temporary, from, manifest });
    this.#manifest = manifest;
    this.#olderBytes = 0;
    this.#schedule.rememberSize(this.currentBytes);
    await this.#retire(false);
  }

  /** @throws Error if the log has failed or has been ended while something was waited for */
  #checkWanted(life: number): void {
    if (life !== this.#life) throw new Error(TEXTS.notWanted);
    if (this.log.failure !== undefined) throw new Error(this.log.failure);
  }

  /** A new set could not be begun. */
  #giveUp(from: string, error: unknown): void {
    if (!this.#health.hasFailed) this.log.end();
    else this.log.fail(systemErrorText(error));
    // Left over if that fails too; the next start deletes it.
    this.#run({ kind: "discard", name: from }).catch(() => undefined);
  }

  #run(task: NewLogTask): Promise<number> {
    this.log.askToListen();
    return this.#parts.link.run(task);
  }

  async #retire(isStart: boolean): Promise<void> {
    try {
      await this.#run({ kind: "retire", isStart });
    } catch (error) {
      this.#health.lastError = systemErrorText(error);
    }
  }

  #hear(progress: LogProgress | RetirementReport): void {
    if (progress.kind === "synced") this.figures.addSync(progress.microseconds);
    if (progress.kind === "retired") {
      this.figures.filesToDelete = progress.waiting;
      if (progress.error !== undefined) this.#health.lastError = progress.error;
    } else if (progress.kind === "failed") {
      if (this.#isEnding) this.#endFailure ??= progress.error;
      else this.log.fail(progress.error);
    } else this.log.poll();
  }

  #noticeFailure(): void {
    const { failure } = this.log;
    // What is found when it is turned off, `#turnOff` tells.
    if (failure === undefined || this.#state === "off") return;
    // One that was only being begun has promised nothing yet; its rewrite fails.
    if (this.#state === "beginning") {
      this.#health.lastError = failure;
      return;
    }
    this.#state = "failed";
    this.#health.fail(failure);
  }

  #follow(): void {
    const { configuration } = this.#parts;
    this.#stops.push(
      ...followAppending(this.log, configuration),
      configuration.onChange("appendonly", (isOn) => this.#setOn(isOn)),
    );
  }

  #setOn(isOn: boolean): string | undefined {
    if (!isOn) {
      void this.#turnOff().catch((error: Error) => this.#parts.notice(`Ending the log failed: ${error.message}`));
      return undefined;
    }
    if (this.#state !== "off") return undefined;
    try {
      const { files, directory } = this.#parts;
      this.#manifest = readManifest(files, directory.path, this.#names) ?? this.#manifest;
    } catch (error) {
      return systemErrorText(error);
    }
    this.#life += 1;
    this.#state = "beginning";
    // While a snapshot is being written, the first tick after it begins.
    if (!this.#parts.snapshots.isRunning && !this.isRewriting) this.#beginRewrite();
    else this.#schedule.isScheduled = true;
    return undefined;
  }

  async #turnOff(): Promise<void> {
    if (this.#state === "off") return;
    const hadFailed = this.#state === "failed";
    this.#state = "off";
    this.#schedule.isScheduled = false;
    this.#life += 1;
    this.#health.forget();
    const { isRewriting } = this;
    this.log.end();
    this.#endFailure = hadFailed ? undefined : this.log.failure;
    if (isRewriting) this.#parts.snapshots.cancel();
    this.#isEnding = true;
    try {
      await this.#run({ kind: "end" });
    } finally {
      this.#isEnding = false;
    }
    if (this.#endFailure !== undefined) throw new Error(this.#endFailure);
  }

  /** no-appendfsync-on-rewrite. */
  #suspend(): void {
    const isBusy = this.isRewriting || this.#parts.snapshots.isRunning;
    this.log.isSuspended = isBusy && this.#parts.configuration.get("no-appendfsync-on-rewrite");
  }

  /** What it is at. */
  stats(): LogStats {
    return this.figures.stats({
      isOn: this.isOn,
      isRefusing: this.#health.hasFailed,
      isRewriting: this.isRewriting,
      currentBytes: this.currentBytes,
      gatheredBytes: this.#parts.effects.length,
      lastError: this.#health.lastError,
    });
  }
}
