/**
 * FaultyFiles: a disk in memory that fails on demand, and that can be looked at as a machine finds it that lost power.
 *
 *     name ──▶ inode: ops since it was made      write(at, bytes) | truncate(length), each of them
 *              │                                   pending   not synced: after a crash it may be there, torn, or not
 *     now / durable, for each name                 durable   a sync that succeeded came after it: it is there
 *                                                  doomed    a sync that failed came after it: as pending, for ever
 *
 * What a crash does. Of every inode, all durable ops are there, and of the others any subset, in their order; the last
 * of these may be torn, at any byte. What is written over other bytes is an op for each page. So later writes may have
 * survived earlier ones, with zeros in the hole. Every name that changed since its directory was last synced stands for
 * what it stood for before or for what it does now, each name for itself: a rename may have happened, or not, or be
 * seen half (both names, or none but the old `to`). A directory that was made may be missing, with all that is in it,
 * until the one above it is synced.
 *
 * Why "doomed": Linux reports a failed write-back once and then takes the pages for clean. A second fsync that succeeds
 * says nothing about them, and a disk that forgave would hide who retries.
 *
 * Nothing here is random but `crash`, which is given its dice, and does not change the disk: one run can be crashed at
 * every call (`onCall`), many times.
 *
 * Threads: one.
 */
import { dirname } from "node:path";
import type { Files, OpenFile, OpenMode } from "../durability/files.ts";
import { FaultyInode } from "./faulty-inode.ts";
import type { Random } from "./random.ts";

/** What the failing call does. `short`: a write takes half of what it is given, and says so; other calls are spared. */
export type Fault = "EIO" | "ENOSPC" | "short";

/** The calls that are counted, by the names the system has for them. */
export type Call = "open" | "write" | "read" | "fdatasync" | "ftruncate" | "close" | DirectoryCall;
type DirectoryCall = "rename" | "unlink" | "scandir" | "stat" | "mkdir" | "fsync";

const ERRORS = {
  EIO: { errno: -5, words: "i/o error" },
  ENOENT: { errno: -2, words: "no such file or directory" },
  ENOSPC: { errno: -28, words: "no space left on device" },
  EBADF: { errno: -9, words: "bad file descriptor" },
} as const;

/** What a full disk refuses; it can still be read, emptied and given other names. */
const NEEDS_SPACE: ReadonlySet<Call> = new Set(["open", "write", "fdatasync", "mkdir"]);

interface Name {
  now: FaultyInode | undefined;
  durable: FaultyInode | undefined;
}

export class FaultyFiles implements Files {
  /** Told of every call before it is done, and before it fails. */
  onCall: ((call: Call, path: string) => void) | undefined;
  /** Calls so far. */
  calls = 0;
  /** Calls that failed, or were cut short, because it was asked for. */
  faults = 0;
  /** Files that are open: what a test expects to be 0 at its end. */
  openFiles = 0;
  readonly #names = new Map<string, Name>();
  /** Directories, and whether a crash may take them. */
  readonly #directories = new Map<string, "durable" | "pending">();
  #fault: { kind: Fault; from: number; until: number } | undefined;

  /** @param directories what exists from the start, besides the root */
  constructor(directories: readonly string[] = []) {
    this.#directories.set("/", "durable");
    for (const directory of directories) {
      for (let at = directory; at !== dirname(at); at = dirname(at)) this.#directories.set(at, "durable");
    }
  }

  /** Lets the n-th call from now (1: the next) fail, and only that one. */
  failAt(n: number, kind: Fault): void {
    this.#fault = { kind, from: this.calls + n, until: this.calls + n };
  }

  /** Lets all calls from the n-th from now on fail: a disk that is gone, or full, until `heal`. */
  failFrom(n: number, kind: Fault): void {
    this.#fault = { kind, from: this.calls + n, until: Number.POSITIVE_INFINITY };
  }

  heal(): void {
    this.#fault = undefined;
  }

  open(path: string, mode: OpenMode): OpenFile {
    this.begin("open", path);
    let inode = this.#names.get(path)?.now;
    if (inode === undefined) {
      if (mode === "read" || mode === "update" || !this.#directories.has(dirname(path))) {
        throw systemError("ENOENT", "open", path);
      }
      inode = new FaultyInode();
      this.#link(path, inode);
    } else if (mode === "create") inode.truncate(0);
    this.openFiles += 1;
    return new FaultyFile(this, path, inode, mode);
  }

  rename(from: string, to: string): void {
    this.begin("rename", from);
    const inode = this.#names.get(from)?.now;
    if (inode === undefined || !this.#directories.has(dirname(to))) throw systemError("ENOENT", "rename", from);
    if (from === to) return;
    this.#link(to, inode);
    this.#link(from, undefined);
  }

  remove(path: string): void {
    this.begin("unlink", path);
    if (this.#names.get(path)?.now === undefined) throw systemError("ENOENT", "unlink", path);
    this.#link(path, undefined);
  }

  list(directory: string): string[] {
    this.begin("scandir", directory);
    const files = [...this.#names].flatMap(([path, { now }]) => (now === undefined ? [] : path));
    const inside = [...files, ...this.#directories.keys()].filter(
      (path) => path !== "/" && dirname(path) === directory,
    );
    return inside.map((path) => path.slice(directory === "/" ? 1 : directory.length + 1));
  }

  size(path: string): number | undefined {
    this.begin("stat", path);
    return this.#names.get(path)?.now?.length;
  }

  makeDirectory(path: string): void {
    this.begin("mkdir", path);
    for (let at = path; !this.#directories.has(at); at = dirname(at)) this.#directories.set(at, "pending");
  }

  syncDirectory(path: string): void {
    this.begin("fsync", path);
    if (!this.#directories.has(path)) throw systemError("ENOENT", "open", path);
    for (const [file, name] of this.#names) if (dirname(file) === path) name.durable = name.now;
    for (const inside of this.#directories.keys()) {
      if (dirname(inside) === path) this.#directories.set(inside, "durable");
    }
  }

  /** The whole content of a file, uncounted and never failing; undefined if there is none. */
  contentOf(path: string): Buffer | undefined {
    return this.#names.get(path)?.now?.content();
  }

  /** Puts a file there, durable, uncounted. Its directory is made, if need be. */
  put(path: string, content: Buffer): void {
    for (let at = dirname(path); !this.#directories.has(at); at = dirname(at)) this.#directories.set(at, "durable");
    const inode = new FaultyInode(content);
    this.#names.set(path, { now: inode, durable: inode });
  }

  /** The disk as the next start finds it after a power cut now. This one stays as it is. */
  crash(random: Random): FaultyFiles {
    const disk = new FaultyFiles();
    for (const [path, state] of [...this.#directories].sort(([left], [right]) => left.length - right.length)) {
      const isThere = path === "/" || disk.#directories.has(dirname(path));
      if (isThere && (state === "durable" || random.chance(0.5))) disk.#directories.set(path, "durable");
    }
    const survivors = new Map<FaultyInode, FaultyInode>();
    for (const [path, { now, durable }] of this.#names) {
      const inode = now === durable || random.chance(0.5) ? now : durable;
      if (inode === undefined || !disk.#directories.has(dirname(path))) continue;
      const survivor = survivors.get(inode) ?? inode.afterCrash(random);
      survivors.set(inode, survivor);
      disk.#names.set(path, { now: survivor, durable: survivor });
    }
    return disk;
  }

  /** @internal Counts a call, and lets it fail if it is to. @returns whether it is to be cut short */
  begin(call: Call, path: string): boolean {
    this.onCall?.(call, path);
    this.calls += 1;
    if (this.#fault === undefined || this.calls < this.#fault.from || this.calls > this.#fault.until) return false;
    const { kind } = this.#fault;
    if (kind === "short" ? call !== "write" : kind === "ENOSPC" && !NEEDS_SPACE.has(call)) return false;
    this.faults += 1;
    if (kind === "short") return true;
    throw systemError(kind, call, path);
  }

  #link(path: string, inode: FaultyInode | undefined): void {
    const name = this.#names.get(path);
    if (name === undefined) this.#names.set(path, { now: inode, durable: undefined });
    else name.now = inode;
  }
}

class FaultyFile implements OpenFile {
  readonly path: string;
  readonly #disk: FaultyFiles;
  readonly #inode: FaultyInode;
  readonly #mode: OpenMode;
  #at = 0;
  #isOpen = true;

  constructor(disk: FaultyFiles, path: string, inode: FaultyInode, mode: OpenMode) {
    this.path = path;
    this.#disk = disk;
    this.#inode = inode;
    this.#mode = mode;
  }

  write(bytes: Buffer, start: number, length: number): number {
    const isShort = this.#begin("write", this.#mode !== "read");
    const at = this.#mode === "append" ? this.#inode.length : this.#at;
    const count = this.#write(bytes, start, isShort ? Math.ceil(length / 2) : length, at);
    this.#at = at + count;
    return count;
  }

  writeAt(bytes: Buffer, start: number, length: number, position: number): number {
    const isShort = this.#begin("write", this.#mode === "update" || this.#mode === "create");
    return this.#write(bytes, start, isShort ? Math.ceil(length / 2) : length, position);
  }

  #write(bytes: Buffer, start: number, count: number, at: number): number {
    if (count > 0) this.#inode.write(at, Buffer.from(bytes.subarray(start, start + count)));
    return count;
  }

  read(into: Buffer, start: number, length: number, position: number): number {
    this.#begin("read", this.#mode !== "append");
    return this.#inode.read(into, start, length, position);
  }

  sync(): void {
    try {
      this.#begin("fdatasync", true);
    } catch (error) {
      this.#inode.doom();
      throw error;
    }
    this.#inode.sync();
  }

  truncate(length: number): void {
    this.#begin("ftruncate", this.#mode !== "read");
    this.#inode.truncate(length);
  }

  size(): number {
    this.#begin("stat", true);
    return this.#inode.length;
  }

  close(): void {
    if (!this.#isOpen) throw systemError("EBADF", "close", this.path);
    // As in Linux, the descriptor is gone also if an error is reported.
    this.#isOpen = false;
    this.#disk.openFiles -= 1;
    this.#disk.begin("close", this.path);
  }

  #begin(call: Call, isAllowed: boolean): boolean {
    if (!this.#isOpen || !isAllowed) throw systemError("EBADF", call, this.path);
    return this.#disk.begin(call, this.path);
  }
}

function systemError(code: keyof typeof ERRORS, syscall: string, path: string): NodeJS.ErrnoException {
  const { errno, words } = ERRORS[code];
  return Object.assign(new Error(`${code}: ${words}, ${syscall} '${path}'`), { errno, code, syscall, path });
}
