/** CPU time of the thread that runs the program, without that of its workers and of V8's helpers. */
import { readFileSync } from "node:fs";

/** Nanoseconds on a processor so far. Throws where the system does not count them for a thread. */
export function mainThreadNanoseconds(): number {
  const { pid } = process; // the id of its first thread too
  const text = readFileSync(`/proc/self/task/${pid}/schedstat`, "latin1");
  const time = Number(text.split(" ")[0]);
  if (!(time > 0)) throw new Error(`the system does not count the time of a thread: ${text}`);
  return time;
}
