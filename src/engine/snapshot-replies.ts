/** What clients are told of snapshots, in Redis's words. */
export const STARTED = "Background saving started";
export const SCHEDULED = "Background saving scheduled";
export const IN_PROGRESS = "ERR Background save already in progress";
export const OTHER_JOB =
  "ERR Another child process is active (AOF?): can't BGSAVE right now. Use BGSAVE SCHEDULE in order to schedule a " +
  "BGSAVE whenever possible.";
/** All that Redis says: what went wrong is in the log. */
export const FAILED = "ERR";
export const MISCONF =
  "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. Commands that " +
  "may modify the data set are disabled, because this instance is configured to report errors during writes if RDB " +
  "snapshotting fails (stop-writes-on-bgsave-error option). Please check the Redis logs for details about the RDB " +
  "error.";
