/**
 * Files whose appends are timed for LATENCY, as Redis times its own: only those of the thread that answers, which has
 * to wait for them. It does not append while a sync is under way, so Redis's `aof-write-pending-fsync` never occurs.
 */
import type { Services } from "../commands/context.ts";
import type { Files } from "../durability/files.ts";

/**
 * @param hasJob whether a snapshot, or a base of the log, is being written meanwhile, as a child of Redis would
 * @returns the same files; what is opened to be appended to tells the latency monitor how long each write took
 */
export function timedFiles(
  files: Files,
  { latency, keyspace }: Pick<Services, "latency" | "keyspace">,
  hasJob: () => boolean,
): Files {
  const open: Files["open"] = (path, mode) => {
    const file = files.open(path, mode);
    if (mode !== "append") return file;
    const write = file.write.bind(file);
    file.write = (bytes, start, length) => {
      // Looking at the clock twice costs a tenth of a small append.
      if (latency.thresholdMs === 0) return write(bytes, start, length);
      const begin = performance.now();
      const count = write(bytes, start, length);
      const milliseconds = performance.now() - begin;
      const now = keyspace.clock.now();
      latency.add(hasJob() ? "aof-write-active-child" : "aof-write-alone", milliseconds, now);
      latency.add("aof-write", milliseconds, now);
      return count;
    };
    return file;
  };
  return { ...files, open };
}
