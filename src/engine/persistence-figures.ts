/** INFO persistence as a whole, and what else INFO shows of files: in the order of Redis 7.2, then what is our own. */
import type { PersistenceFigures } from "../commands/context.ts";
import type { LogKeeper } from "./log-keeper.ts";
import type { OpenReport, Recovery } from "./recovery.ts";
import type { Snapshotter } from "./snapshotter.ts";

/**
 * @param loading what is loading at present, if anything is
 * @param report of the load that is over
 */
export function persistenceFigures(
  snapshotter: Snapshotter,
  log: LogKeeper,
  loading: Recovery | undefined,
  report: OpenReport | undefined,
): PersistenceFigures {
  const { always, whileOn } = log.info();
  return {
    persistence: {
      loading: loading === undefined ? 0 : 1,
      async_loading: 0,
      ...snapshotter.info,
      rdb_last_load_keys_expired: report?.expiredKeys ?? 0,
      rdb_last_load_keys_loaded: report?.source === "rdb" ? report.keys : 0,
      ...always,
      module_fork_in_progress: 0,
      module_fork_last_cow_size: 0,
      ...whileOn,
      ...loading?.fields(),
    },
    stats: { latest_fork_usec: snapshotter.latestFreezeMicroseconds, total_forks: snapshotter.freezes },
  };
}
