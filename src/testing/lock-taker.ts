/**
 * A process that takes a directory's lock, again and again, for directory-lock.test.ts. While it has the lock it makes
 * a file that nobody else may have made, and removes it.
 *
 *     node lock-taker.js race <directory> <times>     takes and releases so many times; prints how often it was refused
 *     node lock-taker.js abandon <directory> <times>  the same, but leaves each lock behind as that of a dead process
 *     node lock-taker.js once <directory> <at ms>     waits for that time, takes it, prints "taken" or "refused"; stays
 *     node lock-taker.js foreign <directory>          takes it as if on another machine, prints "taken"; stays, and
 *                                                     prints "lost" and why when it has lost it
 */
import { closeSync, openSync, renameSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DirectoryLock, DirectoryLockedError } from "../durability/directory-lock.ts";
import { LOCK_NAME } from "../durability/lock-file.ts";
import { thisHolder } from "../durability/lock-holder.ts";

/** No system gives numbers as large as this. */
const NO_PROCESS = 2 ** 30;

const [task, directory = "", number = "0"] = process.argv.slice(2);

function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** @returns the lock; undefined if somebody else has it */
function tryLock(): DirectoryLock | undefined {
  try {
    return DirectoryLock.acquire(directory, "lock-taker");
  } catch (error) {
    if (error instanceof DirectoryLockedError) return undefined;
    throw error;
  }
}

/** @throws EEXIST if two have the lock */
function beAlone(): void {
  const path = join(directory, "alone");
  closeSync(openSync(path, "wx"));
  pause(1);
  unlinkSync(path);
}

/** Puts a lock in place of ours whose holder is gone. */
function abandon(): void {
  const path = join(directory, `dead-${process.pid}`);
  writeFileSync(path, JSON.stringify({ ...thisHolder("dead"), pid: NO_PROCESS }));
  renameSync(path, join(directory, LOCK_NAME));
}

function race(times: number, abandons: boolean): void {
  let refused = 0;
  for (let taken = 0; taken < times; ) {
    const lock = tryLock();
    if (lock === undefined) {
      refused += 1;
      pause(1);
      continue;
    }
    beAlone();
    taken += 1;
    if (abandons) abandon();
    lock.release();
  }
  process.stdout.write(`refused ${refused}\n`);
}

function once(at: number): void {
  pause(Math.max(0, at - Date.now()));
  const lock = tryLock();
  if (lock !== undefined) beAlone();
  process.stdout.write(lock === undefined ? "refused\n" : "taken\n");
  setInterval(() => undefined, 1_000);
}

function foreign(): void {
  const holder = { ...thisHolder("lock-taker"), machine: "elsewhere" };
  const lock = DirectoryLock.acquire(directory, holder.program, { holder });
  lock.onLost = ({ message }) => process.stdout.write(`lost: ${message}\n`);
  process.stdout.write("taken\n");
  setInterval(() => undefined, 1_000);
}

if (task === "once") once(Number(number));
else if (task === "foreign") foreign();
else race(Number(number), task === "abandon");
