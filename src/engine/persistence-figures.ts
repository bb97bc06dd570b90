/** INFO persistence as a whole, and what else INFO shows of files: in the order of Redis 7.2, then what is our own. */
import type { PersistenceFigures } from "../commands/context.ts";
import { logFields } from "./log-figures.ts";
import type { LogKeeper } from "./log-keeper.ts";
import type { OpenReport, Recovery } from "./recovery.ts";
import { freezeFields, snapshotFields } from "./snapshot-figures.ts";
import type { Snapshotter } from "./snapshotter.ts";

/** A store's files. */
interface FilesAtWork {
  /** Whether clients are told LOADING: also while it is only waited for the directory, before anything is read. */
  readonly isLoading: boolean;
  /** Whether there will be a log when that is over. */
  readonly isLogAwaited: boolean;
  readonly snapshotter: Snapshotter;
  readonly log: LogKeeper;
}

/**
 * @param loading what is loading at present, if anything is
 * @param report of the load that is over
 */
export function persistenceFigures(
  { isLoading, isLogAwaited, snapshotter, log }: FilesAtWork,
  loading: Recovery | undefined,
  report: OpenReport | undefined,
): PersistenceFigures {
  const snapshots = snapshotter.stats;
  const logged = log.stats();
  const { always, whileOn } = logFields(logged);
  return {
    persistence: {
      loading: isLoading ? 1 : 0,
      async_loading: 0,
      ...snapshotFields(snapshots),
      rdb_last_load_keys_expired: report?.expiredKeys ?? 0,
      rdb_last_load_keys_loaded: report?.rdbKeys ?? 0,
      ...always,
      module_fork_in_progress: 0,
      module_fork_last_cow_size: 0,
      // Redis has them from the beginning on, and says of a log that is being read that it is not enabled.
      ...(isLogAwaited ? logFields({ ...logged, isOn: true }).whileOn : whileOn),
      ...loading?.fields(),
      rdb_last_error: snapshots.lastError.replace(/\s+/g, " "),
    },
    stats: freezeFields(snapshots),
    logBufferBytes: logged.gatheredBytes + logged.pendingBytes,
  };
}
