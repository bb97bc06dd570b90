/**
 * How a background thread makes way for the thread that answers, and for whoever asks it: it matters where there are
 * fewer processors than threads that want to run, and the one that has a processor keeps it for milliseconds (measured:
 * 3 to 4 at a time on two cores of Linux 6.18).
 *
 *   - A lower priority, where each thread has its own: on Linux. 5 rather than the 19 that there are: work below the
 *     surface still gets a quarter of a processor that is wanted all the time, so that what it has to give back comes
 *     back. It alone does not help, because Linux lets a thread finish the slice of time that it has begun.
 *   - Breath: a thread that sleeps for a moment after every half a millisecond never has a processor for longer.
 */
import { readlinkSync } from "node:fs";
import { getPriority, setPriority } from "node:os";
import { basename } from "node:path";

/** Steps below the process's own priority. */
const NICENESS = 5;
const LOWEST = 19;

/** Milliseconds of work between two rests, and of rest: the system makes about 0.15 of it. */
const WORK_MS = 0.5;
const REST_MS = 0.1;
const nobody = new Int32Array(new SharedArrayBuffer(4));

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

let restAt = 0;

/** To be called by a background thread that works for long, every some dozens of microseconds: rests, if it is time. */
export function breathe(): void {
  if (performance.now() < restAt) return;
  Atomics.wait(nobody, 0, 0, REST_MS);
  restAt = performance.now() + WORK_MS;
}
