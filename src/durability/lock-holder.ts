/**
 * Who holds a directory's lock, and whether they still do.
 *
 *     {"program":"stillwater 0.1.0","pid":4711,"host":"db1","since":"2026-01-31T12:00:00.000Z",
 *      "started":"8837","machine":"<boot id> pid:[4026531836]","token":"<random>"}\n
 *
 * A process id alone proves little: it is given to others, and in a container everything has the number 1. So:
 *
 *     same machine    the same boot of it, and the same namespace of process ids (Linux; elsewhere: the host's name).
 *                     The process is looked up: it holds the lock if it exists and has started when the lock says.
 *                     Where no start can be read, the id alone has to do.
 *     any other       another container, another computer on a shared disk, or this one before it was booted: nobody
 *                     can be looked up. It holds the lock while the file's time is not older than LEASE_MS, because a
 *                     holder writes it anew every BEAT_MS. "Older" is by the file system's clock, not by ours.
 *
 * Why not the second way for all: it needs a wait after a crash, and a process that sleeps longer would lose its lock.
 *
 * Threads: any; nothing here has a state.
 */
import { randomBytes } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

/** How often a holder writes its file anew, and how long it then counts. */
export const BEAT_MS = 2_000;
export const LEASE_MS = 15_000;

export interface LockHolder {
  readonly program: string;
  readonly pid: number;
  readonly host: string;
  /** When it took the lock, for people. */
  readonly since: string;
  /** When the process started, in the system's own unit; empty where that cannot be read. */
  readonly started: string;
  /** Within what its process id means something. */
  readonly machine: string;
  /** Different for every lock there ever was. */
  readonly token: string;
}

export function thisHolder(program: string): LockHolder {
  const { pid } = process;
  const token = randomBytes(12).toString("hex");
  const started = startOf(pid) ?? "";
  return { program, pid, host: hostname(), since: new Date().toISOString(), started, machine: thisMachine(), token };
}

/** What a lock's file says; undefined if it is not one of ours. */
export function parseHolder(text: string): LockHolder | undefined {
  try {
    const { program, pid, host, since, started, machine, token } = JSON.parse(text) as Record<string, unknown>;
    const words = [program, host, since, started, machine, token];
    if (!Number.isSafeInteger(pid) || !words.every((word) => typeof word === "string")) return undefined;
    if (!/^[0-9a-f]+$/.test(token as string)) return undefined;
    return { program, pid, host, since, started, machine, token } as LockHolder;
  } catch {
    return undefined;
  }
}

/**
 * @param stampedAt the time of the lock's file, in ms
 * @param now by the same file system's clock, in ms
 */
export function whetherHeld(holder: LockHolder, stampedAt: number, now: number): boolean {
  if (holder.machine !== thisMachine()) return now - stampedAt < LEASE_MS;
  if (!processExists(holder.pid)) return false;
  const started = startOf(holder.pid);
  return started === undefined || holder.started === "" || started === holder.started;
}

/** Whether a process of this machine exists. Ids that were written down may have been given to others since. */
export function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // What belongs to somebody else (EPERM) exists.
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
  }
  return startOf(pid) !== GONE;
}

/** For whoever wanted the directory as well. @param path of the lock */
export function describeHolder(holder: LockHolder | undefined, path: string): string {
  if (holder === undefined) {
    return `what ${path} says is not understood. If no store is running there, remove that file and start again.`;
  }
  const { program, pid, host, since, machine } = holder;
  const who = `${program}, process ${pid} on ${host}, has it since ${since} (${path}).`;
  if (machine === thisMachine()) {
    const own = "It is this process itself: close its store first, or use another directory.";
    return `${who} ${pid === process.pid ? own : "Stop that process, or use another directory."}`;
  }
  const wait = `if it has been killed, its lock can be taken ${LEASE_MS / 1_000} s after its last sign of life`;
  return `${who} It runs in another container or on another machine. Stop it, or use another directory; ${wait}.`;
}

/** What a process that has ended, but that its parent has not asked about yet, has started at. */
const GONE = "gone";

/** When a process started, in ticks since the boot; undefined where it cannot be read. */
function startOf(pid: number): string | undefined {
  const status = readOrNot(() => readFileSync(`/proc/${pid}/stat`, "latin1"));
  if (status === undefined) return undefined;
  // The second field is the program's name in parentheses, and may hold anything; the 3rd is the state, the 22nd the
  // start.
  const fields = status.slice(status.lastIndexOf(")") + 2).split(" ");
  return fields[0] === "Z" || fields[0] === "X" ? GONE : fields[19];
}

let machine: string | undefined;

function thisMachine(): string {
  machine ??= describeMachine();
  return machine;
}

function describeMachine(): string {
  const boot = readOrNot(() => readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim());
  const namespace = readOrNot(() => readlinkSync("/proc/self/ns/pid"));
  return boot === undefined || namespace === undefined ? `host ${hostname()}` : `${boot} ${namespace}`;
}

function readOrNot(read: () => string): string | undefined {
  try {
    return read();
  } catch {
    // No /proc here, or none for us to read: what it says is an extra certainty.
    return undefined;
  }
}
