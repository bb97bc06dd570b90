/**
 * StorePersistence: a store's files, from the lock on their directory to the last sync.
 *
 *     claiming ──▶ loading ──────────▶ open ─────────────────────▶ closed
 *     lock         Recovery reads,     LogKeeper logs,             what is logged is durable, or the data is saved;
 *                  LOADING             Snapshotter saves           lock given back
 *
 * It is the one place that knows all of them; none of them knows another but through what it is given here. A store
 * whose program wants no files has none of this (commands/no-persistence.ts).
 *
 * - *The lock* is taken before anything is read, where something may be written: with a log, or with rules for saving.
 *   A store that only might be told to save one day takes it on that day: a server without persistence leaves no trace.
 *   If it is lost, the log fails and is not healed, a snapshot that is being written is given up, and each thread looks
 *   for itself before it changes a file (durability/guarded-files.ts).
 * - *The end of the process* (process-exit.ts) finds the log's last batch, of the turn that has not ended, still in
 *   memory: it is written synchronously, and under `always` synced.
 * - *Nothing is saved that was not read*: a store that could not load its files never writes one.
 *
 * Owner thread only.
 */
import { LogWriterThread } from "../background/log-writer.ts";
import type { Persistence, PersistenceFigures, ReloadOptions } from "../commands/context.ts";
import { CommandError } from "../commands/errors.ts";
import type { Configuration } from "../config/configuration.ts";
import { type Files, realFiles } from "../durability/files.ts";
import { guardedFiles, guardedRemove, type LockMark } from "../durability/guarded-files.ts";
import type { LogDirectory } from "../durability/manifest.ts";
import { deleteLeftovers } from "../durability/retired-files.ts";
import { DirectoryClaim } from "./directory-claim.ts";
import { LogKeeper } from "./log-keeper.ts";
import { logDirectoryOf } from "./log-parts.ts";
import { persistenceFigures } from "./persistence-figures.ts";
import { beforeProcessExit } from "./process-exit.ts";
import { type LoadProgress, type OpenReport, type RecoveredLog, Recovery } from "./recovery.ts";
import { reloadFrom } from "./reload.ts";
import { Snapshotter } from "./snapshotter.ts";
import type { ShutdownRequest, Store } from "./store.ts";

/** How far opening has come. */
export interface OpenProgress extends LoadProgress {
  readonly phase: "waiting" | "loading" | "done";
  /** In the phase "waiting": whose lock it is that is waited for, why, and how long at most. */
  readonly waitingFor?: string;
}

/** How a store's files are opened. */
export interface OpeningOptions {
  /**
   * Told many times a second while files are read, and once more when everything is there. Before that, once, if the
   * directory has a lock of which it will be seen in a while whether anybody still holds it.
   */
  readonly onProgress?: ((progress: OpenProgress) => void) | undefined;
}

/** How long the end of the process may wait for the disk. */
const EXIT_MS = 10_000;
/** In Redis's words. */
const SHUTDOWN_FAILED = "ERR Errors trying to SHUTDOWN. Check logs.";
const LOG_IS_THERE = "the append-only log is, or was, kept in the present directory; start again with another --dir";
const ENDED = "the store was closed before the snapshot was written";
/** In Redis's words. */
const RELOAD_FAILED = "ERR Error trying to load the RDB dump, check server logs.";
const RELOAD_IS_NOT_LOGGED = "ERR DEBUG RELOAD with these options would bring in what is in no log: appendonly is yes";
const NO_LOG = "ERR there is no append only file: appendonly is no";

/** What was read cannot be kept up to date: the log cannot be begun. */
export class OpeningError extends Error {
  override readonly name = "OpeningError";
  readonly code = "OPENING_FAILED";
}

/** The store was closed while it was being opened: nobody's fault. */
export class OpeningEndedError extends Error {
  override readonly name = "OpeningEndedError";

  constructor() {
    super("the store was closed while it was being opened");
  }
}

export class StorePersistence implements Persistence {
  readonly snapshotter: Snapshotter;
  readonly log: LogKeeper;
  readonly #store: Store;
  readonly #configuration: Configuration;
  readonly #stops: (() => void)[] = [];
  readonly #aborting = new AbortController();
  /** As long as the directory is ours. */
  readonly #files: Files;
  readonly #logWriter: LogWriterThread;
  /** Where the log's thread works: it is told when it starts, and so cannot be told otherwise afterwards. */
  readonly #logDirectory: LogDirectory;
  /** Those who wait for a snapshot. */
  readonly #waiting = new Set<(error: string | undefined) => void>();
  readonly #claim: DirectoryClaim;
  #claiming: Promise<void> | undefined;
  #recovery: Recovery | undefined;
  #state: "claiming" | "loading" | "open" | "closed" = "claiming";
  #report: OpenReport | undefined;

  constructor(store: Store) {
    const { configuration } = store;
    this.#store = store;
    this.#configuration = configuration;
    this.#claim = new DirectoryClaim(() => configuration.get("dir"), {
      held: (mark) => this.#useLock(mark),
      lost: (why) => this.#loseDirectory(why),
      notice: (line) => store.onNotice?.(line),
    });
    // Nothing that is not there yet is shown, or changed.
    store.engine.isLoading = true;
    // Before the others listen: they find the directory locked.
    this.#stops.push(
      configuration.onChange("appendonly", (isOn) => (isOn ? this.#claim.refusal() : undefined)),
      configuration.onChange("save", (rules) => (rules.length > 0 ? this.#claim.refusal() : undefined)),
      configuration.onChange("dir", (directory) => this.#refusalToMove(directory)),
    );
    this.#files = guardedFiles(realFiles, () => this.#claim.assertHeld());
    this.snapshotter = new Snapshotter(store, this.#files);
    this.snapshotter.saveListeners.add((error) => {
      if (error !== undefined) this.#claim.look();
      for (const settle of [...this.#waiting]) settle(error);
    });
    this.#logDirectory = logDirectoryOf(configuration);
    this.#logWriter = new LogWriterThread(store.threads, this.#logDirectory);
    this.log = new LogKeeper({
      configuration,
      effects: store.effects,
      snapshots: this.snapshotter,
      link: this.#logWriter,
      files: this.#files,
      directory: this.#logDirectory,
      hasData: () => store.keyspace.databases.some(({ count }) => count > 0),
      notice: (line) => store.onNotice?.(line),
      news: (line) => store.onNews?.(line),
    });
    this.log.log.listeners.add(() => {
      if (this.log.log.failure !== undefined) this.#claim.look();
    });
    this.#stops.push(beforeProcessExit(() => this.#endWithProcess()));
  }

  get isLoading(): boolean {
    return this.#state === "claiming" || this.#state === "loading";
  }

  get isLogAwaited(): boolean {
    return this.isLoading && this.#configuration.get("appendonly");
  }

  get isLogOn(): boolean {
    return this.log.isOn;
  }

  get writeRefusal(): string | undefined {
    return this.log.writeRefusal ?? this.snapshotter.writeRefusal;
  }

  get lastSaveAt(): number {
    return this.snapshotter.lastSaveAt;
  }

  /**
   * Takes the directory's lock where anything may be written to it; waits for one that may be nobody's any more.
   * @throws DirectoryLockedError, OpeningEndedError, or the system's error
   */
  claim({ onProgress }: OpeningOptions): Promise<void> {
    this.#claiming ??= this.#takeClaim(onProgress);
    return this.#claiming;
  }

  async #takeClaim(onProgress: OpeningOptions["onProgress"]): Promise<void> {
    if (!this.#configuration.get("appendonly") && this.#configuration.get("save").length === 0) return;
    await this.#claim.takeWhenFree(this.#aborting.signal, (waitingFor) =>
      onProgress?.({ loadedBytes: 0, totalBytes: 0, keys: 0, commands: 0, phase: "waiting", waitingFor }),
    );
  }

  /**
   * Reads the files, and begins to keep what is written. Once, behind `claim`.
   * @throws DamagedFileError, UnloadableFileError, OpeningError, OpeningEndedError, or the system's error: nothing may
   *   be served or written then, and commands go on to be refused; the caller closes
   */
  async open({ onProgress }: OpeningOptions): Promise<OpenReport> {
    this.#state = "loading";
    const { engine } = this.#store;
    const { signal } = this.#aborting;
    const tell = onProgress && ((progress: LoadProgress) => onProgress({ ...progress, phase: "loading" }));
    const recovery = new Recovery(engine, { onProgress: tell, signal, files: this.#files });
    this.#recovery = recovery;
    try {
      const { report, log, aux, functions } = await recovery.run();
      signal.throwIfAborted();
      // Still nobody may write: it would not be logged.
      engine.isLoading = true;
      this.#report = report;
      this.snapshotter.kept = { aux, functions };
      this.snapshotter.markSaved();
      if (log !== undefined) await this.#startLog(log);
      else if (this.#claim.isHeld) this.#deleteLeftovers();
      signal.throwIfAborted();
      this.#state = "open";
    } catch (error) {
      throw signal.aborted ? signal.reason : error;
    } finally {
      engine.isLoading = this.#state !== "open";
    }
    const { loadedBytes, totalBytes, keys, commands } = recovery;
    onProgress?.({ loadedBytes, totalBytes, keys, commands, phase: "done" });
    return this.#report;
  }

  async #startLog(recovered: RecoveredLog): Promise<void> {
    try {
      await this.log.start(recovered);
    } catch (error) {
      throw new OpeningError(
        `The append-only log in ${this.#logDirectory.path} cannot be begun: ${(error as Error).message}`,
      );
    }
  }

  #deleteLeftovers(): void {
    const remove = guardedRemove(() => this.#claim.assertHeld());
    deleteLeftovers(this.#files, this.#logDirectory, this.#store.onNotice, remove);
  }

  /** Looks at the rules for saving and for rewriting the log: in every round of the housekeeper. */
  tick(): void {
    if (this.#state !== "open" || this.#claim.lossReason !== undefined) return;
    this.snapshotter.tick();
    this.log.tick();
  }

  save(): void {
    this.#claim.takeForCommand();
    this.snapshotter.saveNow();
  }

  saveInBackground(schedule: boolean): string {
    this.#claim.takeForCommand();
    return this.snapshotter.bgsave(schedule);
  }

  /** As BGSAVE SCHEDULE, and waits for the end. @throws CommandError */
  async snapshot(): Promise<void> {
    this.saveInBackground(true);
    const error = await new Promise<string | undefined>((resolve) => {
      const settle = (reason: string | undefined): void => {
        this.#waiting.delete(settle);
        resolve(reason);
      };
      this.#waiting.add(settle);
    });
    if (error !== undefined) throw new CommandError(`ERR ${error}`);
  }

  rewriteLog(): string {
    this.#claim.refuseIfLost();
    return this.log.rewrite();
  }

  /** As BGREWRITEAOF, and waits for the end. @throws CommandError */
  async rewrite(): Promise<void> {
    this.#claim.refuseIfLost();
    await this.log.rewriteNow().catch(throwAsCommandError);
  }

  reload(options: ReloadOptions): void {
    const { saves, flushes } = options;
    if (this.log.isOn && !(saves && flushes)) throw new CommandError(RELOAD_IS_NOT_LOGGED);
    if (saves) this.save();
    this.snapshotter.beforeFlushAll();
    const { keyspace } = this.#store;
    try {
      const checksum = this.#configuration.get("rdbchecksum");
      this.snapshotter.kept = reloadFrom(realFiles, this.snapshotter.path, keyspace, options, checksum);
    } catch (error) {
      this.#store.onNotice?.(`The data could not be loaded again: ${(error as Error).message}`);
      throw new CommandError(RELOAD_FAILED);
    }
  }

  beforeFlushAll(): void {
    this.snapshotter.beforeFlushAll();
  }

  afterFlushAll(): void {
    if (this.#claim.lossReason === undefined) this.snapshotter.afterFlushAll();
  }

  async durable(): Promise<void> {
    if (!this.log.isOn) throw new CommandError(NO_LOG);
    await this.log.durable().catch(throwAsCommandError);
  }

  /** Starts the threads that will be needed, before there is anything for them to do. */
  startThreads(): void {
    const isLogged = this.#configuration.get("appendonly");
    if (isLogged) this.#logWriter.thread.start();
    if (isLogged || this.#configuration.get("save").length > 0) this.snapshotter.thread.start();
  }

  figures(): PersistenceFigures {
    const loading = this.isLoading ? this.#recovery : undefined;
    return persistenceFigures(this, loading, this.#report);
  }

  /**
   * Saves, if SHUTDOWN asks for it or the rules do.
   * @throws CommandError, and the store goes on, if that is not possible and not forced
   */
  prepareToEnd({ save, force }: ShutdownRequest): void {
    if (this.#state !== "open") return;
    if (this.log.isBeginning && !force) {
      this.#store.onNotice?.("Not ending while the first base of the log is being written");
      throw new CommandError(SHUTDOWN_FAILED);
    }
    if (!(save ?? this.#configuration.get("save").length > 0)) return;
    this.#store.onNotice?.(`Saving the data in ${this.snapshotter.path}`);
    this.snapshotter.cancel();
    try {
      this.save();
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      if (!force) throw new CommandError(SHUTDOWN_FAILED);
    }
  }

  /**
   * Brings the files up to date, and lets go of them.
   * @param saves whether data that has no log, but rules for saving, is saved if it has changed
   * @throws Error that says what could not be written: the files are let go of all the same
   */
  async close(saves: boolean): Promise<void> {
    const wasOpen = this.#state === "open";
    this.#state = "closed";
    this.#aborting.abort(new OpeningEndedError());
    try {
      if (wasOpen && saves && !this.log.isOn) this.#saveChanges();
      await this.log.close();
    } finally {
      this.snapshotter.close();
      for (const settle of [...this.#waiting]) settle(ENDED);
      for (const stop of this.#stops.splice(0)) stop();
      this.#claim.release();
    }
  }

  #saveChanges(): void {
    if (this.#configuration.get("save").length === 0 || this.snapshotter.changes === 0) return;
    this.snapshotter.cancel();
    try {
      this.snapshotter.saveNow();
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      throw new Error("the data could not be saved when the store was closed; why, it has told as an error");
    }
  }

  /** What the turn that ends now has written is still in memory. */
  #endWithProcess(): void {
    // A failure has been told by the log itself.
    if (!this.log.log.finishWithin(EXIT_MS) && this.log.writeRefusal === undefined) {
      this.#store.onNotice?.(`The log could not be written within ${EXIT_MS / 1000} s, and the process ends`);
    }
    this.#claim.release();
  }

  /** Whoever writes there sees by the lock's mark that the directory is still ours. */
  #useLock(mark: LockMark): void {
    Object.assign(this.#logDirectory, { lock: mark });
    this.snapshotter.lock = mark;
  }

  /** Another store may write there: from now on this one does not. */
  #loseDirectory(why: string): void {
    if (this.isLoading) this.#aborting.abort(new OpeningError(`While its files were being read, ${why}`));
    this.log.lose(why);
    this.snapshotter.lose(why);
  }

  /** CONFIG SET dir: the lock goes along. */
  #refusalToMove(directory: string): string | undefined {
    if (this.log.isOn || this.#logWriter.thread.state !== "idle") return LOG_IS_THERE;
    const reason = this.#claim.move(directory);
    if (reason !== undefined) return reason;
    Object.assign(this.#logDirectory, logDirectoryOf(this.#configuration));
    return undefined;
  }
}

function throwAsCommandError(error: Error): never {
  throw error instanceof CommandError ? error : new CommandError(`ERR ${error.message}`);
}
