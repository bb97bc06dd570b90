/** The persistence of a store that has no files: it saves nothing, and says so. */
import type { Persistence, PersistenceFigures } from "./context.ts";
import { CommandError } from "./errors.ts";

export const NO_FILES = "ERR this store keeps nothing on disk: open it with the option dir";

const IDLE: PersistenceFigures["persistence"] = {
  loading: 0,
  async_loading: 0,
  current_cow_peak: 0,
  current_cow_size: 0,
  current_cow_size_age: 0,
  current_fork_perc: "0.00",
  current_save_keys_processed: 0,
  current_save_keys_total: 0,
  rdb_changes_since_last_save: 0,
  rdb_bgsave_in_progress: 0,
  rdb_last_save_time: 0,
  rdb_last_bgsave_status: "ok",
  rdb_last_bgsave_time_sec: -1,
  rdb_current_bgsave_time_sec: -1,
  rdb_saves: 0,
  rdb_last_cow_size: 0,
  rdb_last_load_keys_expired: 0,
  rdb_last_load_keys_loaded: 0,
  aof_enabled: 0,
  aof_rewrite_in_progress: 0,
  aof_rewrite_scheduled: 0,
  aof_last_rewrite_time_sec: -1,
  aof_current_rewrite_time_sec: -1,
  aof_last_bgrewrite_status: "ok",
  aof_rewrites: 0,
  aof_rewrites_consecutive_failures: 0,
  aof_last_write_status: "ok",
  aof_last_cow_size: 0,
  module_fork_in_progress: 0,
  module_fork_last_cow_size: 0,
  rdb_last_error: "",
};

export class NoPersistence implements Persistence {
  readonly isLoading = false;
  readonly writeRefusal = undefined;
  readonly isLogOn = false;
  readonly lastSaveAt: number;
  readonly #changes: () => number;

  /**
   * @param lastSaveAt seconds since 1970: as Redis, which counts its start as a save
   * @param changes changes made to the data so far
   */
  constructor(lastSaveAt: number, changes: () => number) {
    this.lastSaveAt = lastSaveAt;
    this.#changes = changes;
  }

  save(): void {
    throw new CommandError(NO_FILES);
  }

  saveInBackground(): string {
    throw new CommandError(NO_FILES);
  }

  reload(): void {
    throw new CommandError(NO_FILES);
  }

  rewriteLog(): string {
    throw new CommandError(NO_FILES);
  }

  beforeFlushAll(): void {
    // Nothing is being written.
  }

  afterFlushAll(): void {
    // There are no rules for saving.
  }

  figures(): PersistenceFigures {
    const persistence = {
      ...IDLE,
      rdb_changes_since_last_save: this.#changes(),
      rdb_last_save_time: this.lastSaveAt,
    };
    return { persistence, stats: { latest_fork_usec: 0, total_forks: 0 }, logBufferBytes: 0 };
  }

  durable(): Promise<void> {
    return Promise.reject(new CommandError(NO_FILES));
  }
}
