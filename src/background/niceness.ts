/**
 * How a background thread makes way for the thread that answers: on Linux, each thread has a priority of its own.
 *
 * It matters where there are fewer processors than threads that want to run. At equal priority, the thread that answers
 * may find the processor taken for several milliseconds (measured: 4 at a time on two cores); at a lower one, a
 * background thread leaves it at once. 5 rather than the 19 that there are: work below the surface still gets a
 * quarter of a processor that is wanted all the time, so that what it has to give back comes back.
 */
import { readlinkSync } from "node:fs";
import { getPriority, setPriority } from "node:os";
import { basename } from "node:path";

/** Steps below the process's own priority. */
const NICENESS = 5;
const LOWEST = 19;

/**
 * Lowers the priority of the calling thread, where the system has priorities for threads. The thread is as good as
 * before where it does not, or does not allow it.
 * @returns the thread's niceness now; undefined where it is the process's
 */
export function makeWay(): number | undefined {
  if (process.platform !== "linux") return undefined;
  try {
    const thread = Number(basename(readlinkSync("/proc/thread-self")));
    setPriority(thread, Math.min(LOWEST, getPriority() + NICENESS));
    return getPriority(thread);
  } catch {
    return undefined;
  }
}
