/**
 * Who holds a directory's lock, and whether they still do.
 *
 *     {"program":"stillwater 0.1.0","pid":4711,"host":"db1","since":"2026-01-31T12:00:00.000Z",
 *      "started":"8837","machine":"<boot id> pid:[4026531836]","token":"<random>"}\n
 *
 * A process id alone proves little: it is given to others, and in a container everything has the number 1. So:
 *
 *     same machine    the same boot of it, and the same namespace of process ids (Linux; elsewhere: the host's name).
 *                     The process is looked up: it holds the lock if it exists, has started when the lock says, and
 *                     has this very file open. Where no start can be read, or nothing of its files, the rest has to do.
 *     any other       another container, another computer on a shared disk, or this one before it was booted: nobody
 *                     can be looked up. It holds the lock while the file's time is not older than LEASE_MS, because a
 *                     holder writes it anew every BEAT_MS. "Older" is by the file system's clock, not by ours.
 *
 * Why not the second way for all: it needs a wait after a crash, and a process that sleeps longer would lose its lock.
 *
 * Why the open file: a directory that is copied while its store runs has a lock that names a living process, which has
 * nothing to do with the copy. A holder opens its file before it has any name that others look at, and closes it after
 * it has taken that name away (directory-lock.ts); a link has the inode of what it links. So a living holder is always
 * seen to have it open, at whatever step it is.
 *
 * Threads: any; nothing here has a state.
 */
import { randomBytes } from "node:crypto";
import { type BigIntStats, fstatSync, readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
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
 * What is known of a holder:
 *
 *     stale     it is gone, or its lock was not this file
 *     held      its process is there, and has the file open
 *     unproven  its process is there; what it has open cannot be seen
 *     leased    it cannot be looked up, and has stamped its file not long ago
 *     alive     the same, and was seen to stamp it (lock-wait.ts)
 */
export type LockState = "stale" | "held" | "unproven" | "leased" | "alive";

/**
 * @param descriptor of the lock's file, by which this process reads it
 * @param stampedAt that file's time, in ms
 * @param now by the same file system's clock, in ms
 */
export function stateOf(
  holder: LockHolder,
  descriptor: number,
  stampedAt: number,
  now: number,
): Exclude<LockState, "alive"> {
  if (holder.machine !== thisMachine()) return now - stampedAt < LEASE_MS ? "leased" : "stale";
  if (!processExists(holder.pid)) return "stale";
  const started = startOf(holder.pid);
  if (started !== undefined && holder.started !== "" && started !== holder.started) return "stale";
  const isOpen = hasOpen(holder.pid, descriptor);
  return isOpen === undefined ? "unproven" : isOpen ? "held" : "stale";
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

/** Who it is, in a line. */
export function nameOf({ program, pid, host, since }: LockHolder): string {
  return `${program}, process ${pid} on ${host}, has it since ${since}`;
}

/** For whoever wanted the directory as well. @param path of the lock */
export function describeHolder(holder: LockHolder | undefined, path: string, state: LockState): string {
  if (holder === undefined) {
    return `what ${path} says is not understood. If no store is running there, remove that file and start again.`;
  }
  const who = `${nameOf(holder)} (${path}).`;
  if (state === "leased" || state === "alive") {
    const where = "in another container or on another machine";
    if (state === "alive") return `${who} It is alive, ${where}. Stop it, or use another directory.`;
    const wait = `if it has been killed, its lock can be taken ${LEASE_MS / 1_000} s after its last sign of life`;
    return `${who} It runs ${where}. Stop it, or use another directory; ${wait}.`;
  }
  const own = "It is this process itself: close its store first, or use another directory.";
  const stop = holder.pid === process.pid ? own : "Stop that process, or use another directory.";
  return state === "held"
    ? `${who} ${stop}`
    : `${who} ${stop} If the directory is a copy of that one's, remove ${path}.`;
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

/**
 * Whether a process has the file open; undefined where that cannot be seen.
 * @param descriptor our own of that file, which does not count
 */
function hasOpen(pid: number, descriptor: number): boolean | undefined {
  return readOrNot(() => {
    const file = fstatSync(descriptor, { bigint: true });
    // Whoever does not see here what must be here (a /proc of another kind) would not see it there.
    if (!isSame(statSync(`/proc/self/fd/${descriptor}`, { bigint: true }), file)) return undefined;
    return readdirSync(`/proc/${pid}/fd`).some((name) => {
      if (pid === process.pid && name === `${descriptor}`) return false;
      // One that has been closed meanwhile was not the lock's: that stays open.
      const open = statSync(`/proc/${pid}/fd/${name}`, { bigint: true, throwIfNoEntry: false });
      return open?.isFile() === true && isSame(open, file);
    });
  });
}

/** A file of an overlay is shown with one device's number in a container, with another's outside; it changes as one. */
function isSame(one: BigIntStats, other: BigIntStats): boolean {
  return one.ino === other.ino && (one.dev === other.dev || one.ctimeNs === other.ctimeNs);
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

function readOrNot<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    // No /proc here, or none for us to read: what it says is an extra certainty.
    return undefined;
  }
}
