/**
 * RDB files as bytes, for tests: put together record by record, written apart from src/durability on purpose. And a
 * disk that has one file, which somebody reads.
 */
import assert from "node:assert/strict";
import { allCommands } from "../commands/all-commands.ts";
import { DamagedFileError } from "../durability/damaged-file-error.ts";
import type { Files, OpenFile } from "../durability/files.ts";
import { RdbLoader, type RdbLoaderOptions } from "../durability/rdb-loader.ts";
import { UnloadableFileError } from "../durability/unloadable-file-error.ts";
import { CommandRunner } from "./commands.ts";
import { type Element, littleEndian, size, text } from "./saved-forms.ts";

/** Where `fileInMemory` has its file. */
export const PATH = "/data/dump.rdb";

/** What stands before a key. */
export interface KeyTimes {
  /** Milliseconds since 1970. */
  readonly deadline?: number;
  /** The same in seconds, as before Redis 2.6. */
  readonly seconds?: number;
  readonly idle?: number;
  readonly frequency?: number;
}

/** @param value the type's number, and the value */
export function savedKey(name: Element, value: Buffer, times: KeyTimes = {}): Buffer {
  const parts: Buffer[] = [];
  if (times.deadline !== undefined) parts.push(Buffer.from([0xfc]), littleEndian(times.deadline, 8));
  if (times.seconds !== undefined) parts.push(Buffer.from([0xfd]), littleEndian(times.seconds, 4));
  if (times.idle !== undefined) parts.push(Buffer.from([0xf8]), size(times.idle));
  if (times.frequency !== undefined) parts.push(Buffer.from([0xf9, times.frequency]));
  return Buffer.concat([...parts, value.subarray(0, 1), text(name), value.subarray(1)]);
}

/** A key that is a string. */
export function savedString(name: Element, value: Element, times: KeyTimes = {}): Buffer {
  return savedKey(name, Buffer.concat([Buffer.from([0]), text(value)]), times);
}

export function selectRecord(database: number): Buffer {
  return Buffer.concat([Buffer.from([0xfe]), size(database)]);
}

export function sizesRecord(keys: number, volatile: number): Buffer {
  return Buffer.concat([Buffer.from([0xfb]), size(keys), size(volatile)]);
}

export function auxRecord(name: string, value: string): Buffer {
  return Buffer.concat([Buffer.from([0xfa]), text(name), text(value)]);
}

export function functionRecord(code: string): Buffer {
  return Buffer.concat([Buffer.from([0xf5]), text(code)]);
}

/** A whole file; since version 5 with its sum. */
export function rdbFile(records: readonly Buffer[], version = 10): Buffer {
  const head = Buffer.from(`REDIS${`${version}`.padStart(4, "0")}`);
  const body = Buffer.concat([head, ...records, Buffer.from([0xff])]);
  return version < 5 ? body : Buffer.concat([body, sumOf(body)]);
}

/** The CRC-64 that Redis uses, bit by bit. */
export function sumOf(bytes: Buffer): Buffer {
  let high = 0;
  let low = 0;
  for (const byte of bytes) {
    low ^= byte;
    for (let bit = 0; bit < 8; bit++) {
      const isOdd = (low & 1) !== 0;
      low = (low >>> 1) | (high << 31);
      high >>>= 1;
      if (isOdd) {
        low ^= 0xac4bc9b5;
        high ^= 0x95ac9329;
      }
    }
  }
  const sum = Buffer.alloc(8);
  sum.writeInt32LE(low | 0, 0);
  sum.writeInt32LE(high | 0, 4);
  return sum;
}

/** A disk with one file. @param readMax bytes that a call gives at the most */
export function fileInMemory(bytes: Buffer, readMax = Number.POSITIVE_INFINITY): Files & { openFiles: number } {
  const no = (): never => assert.fail("nothing but reading is expected");
  const disk = {
    openFiles: 0,
    open(path: string, mode: string): OpenFile {
      assert.equal(path, PATH);
      assert.equal(mode, "read");
      disk.openFiles += 1;
      return {
        path,
        size: () => bytes.length,
        read: (into, start, length, position) =>
          bytes.copy(into, start, position, Math.min(bytes.length, position + Math.min(length, readMax))),
        close: () => (disk.openFiles -= 1),
        write: no,
        writeAt: no,
        sync: no,
        truncate: no,
      };
    },
    size: () => bytes.length,
    rename: no,
    remove: no,
    list: no,
    makeDirectory: no,
    syncDirectory: no,
  };
  return disk as Files & { openFiles: number };
}

/** What has come of loading a file. */
export interface Loaded {
  readonly runner: CommandRunner;
  readonly loader: RdbLoader;
  readonly functions: string[];
  /** Why it was refused; undefined if it was not. */
  readonly error: DamagedFileError | UnloadableFileError | undefined;
}

/**
 * Loads a file to its end.
 * @param into a store that is there already
 * @throws any error that is not one of those that a damaged file may cause
 */
export function loadBytes(
  bytes: Buffer,
  options: Partial<RdbLoaderOptions> & { readMax?: number } = {},
  into = new CommandRunner(allCommands, { regionSize: 1024 * 1024 }),
): Loaded {
  const files = fileInMemory(bytes, options.readMax);
  const functions: string[] = [];
  const loader = new RdbLoader(files, PATH, into.keyspace, {
    checksum: true,
    now: Date.now(),
    onFunction: (code) => functions.push(code.toString()),
    ...options,
  });
  let error: Loaded["error"];
  try {
    while (loader.step(0));
  } catch (thrown) {
    if (!(thrown instanceof DamagedFileError || thrown instanceof UnloadableFileError)) throw thrown;
    error = thrown;
  }
  loader.close();
  assert.equal(files.openFiles, 0);
  return { runner: into, loader, functions, error };
}
