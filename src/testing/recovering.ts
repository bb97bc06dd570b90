/** Recovery on a disk in memory: starts on it, and logs to be found there. */
import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { allCommands } from "../commands/all-commands.ts";
import { DamagedFileError } from "../durability/damaged-file-error.ts";
import type { FileError } from "../durability/file-error.ts";
import { type Recovered, Recovery } from "../engine/recovery.ts";
import { digestOfAll } from "../keyspace/live-digest.ts";
import { CommandRunner } from "./commands.ts";
import type { FaultyFiles } from "./faulty-files.ts";
import { LogBuilder, type Unit } from "./log-builder.ts";
import { auxRecord, rdbFile, savedString, selectRecord } from "./rdb-files.ts";

export const DIR = tmpdir();
export const AOF_DIR = join(DIR, "appendonlydir");
export const MANIFEST = join(AOF_DIR, "appendonly.aof.manifest");
export const ON = { appendonly: "yes" };

export const incrPath = (sequence: number): string => join(AOF_DIR, `appendonly.aof.${sequence}.incr.aof`);
export const basePath = (sequence: number): string => join(AOF_DIR, `appendonly.aof.${sequence}.base.rdb`);

export function runnerWith(directives: Readonly<Record<string, string>>, regionSize = 1 << 20): CommandRunner {
  return new CommandRunner(allCommands, { regionSize, directives: { dir: DIR, ...directives } });
}

export interface Start {
  runner: CommandRunner;
  recovered: Recovered;
}

export async function start(files: FaultyFiles, directives: Readonly<Record<string, string>> = ON): Promise<Start> {
  const runner = runnerWith(directives);
  const { changes } = runner.keyspace;
  const recovered = await new Recovery(runner.engine, { files }).run();
  assert.equal(files.openFiles, 0);
  assert.equal(runner.keyspace.changes, changes, "what is loaded is no change");
  assert.equal(runner.keyspace.isLoading || runner.engine.isLoading, false);
  runner.verify();
  return { runner, recovered };
}

/** @param kind of the error that the start is to end with */
export async function refusal(
  files: FaultyFiles,
  directives: Readonly<Record<string, string>> = ON,
  kind: new (...args: never) => FileError = DamagedFileError,
): Promise<FileError> {
  const runner = runnerWith(directives);
  const error = await new Recovery(runner.engine, { files }).run().then(
    () => undefined,
    (thrown) => thrown,
  );
  assert.equal(files.openFiles, 0);
  assert.ok(error instanceof kind, `not refused: ${error}`);
  assert.notEqual(error.advice, "");
  return error;
}

/** A log of a base and increments, as the manifest lists them. */
export function putSet(files: FaultyFiles, base: Buffer | undefined, ...incrs: Buffer[]): void {
  const lines = base === undefined ? [] : ["file appendonly.aof.1.base.rdb seq 1 type b\n"];
  if (base !== undefined) files.put(basePath(1), base);
  for (const [index, incr] of incrs.entries()) {
    lines.push(`file appendonly.aof.${index + 1}.incr.aof seq ${index + 1} type i\n`);
    files.put(incrPath(index + 1), incr);
  }
  files.put(MANIFEST, Buffer.from(lines.join("")));
}

export function digestAfter(...units: Unit[]): string {
  const runner = runnerWith({});
  for (const unit of units) for (const words of unit) assert.doesNotMatch(runner.run(...words), /^-/);
  return digestOfAll(runner.keyspace);
}

export const BASE = rdbFile([
  auxRecord("used-mem", "123456"),
  selectRecord(0),
  savedString("base", "1"),
  savedString("n", "5"),
]);
export const BASE_UNIT: Unit = [
  ["SET", "base", "1"],
  ["SET", "n", "5"],
];

export const HISTORY: Unit[] = [
  [["SET", "a", "1"]],
  [["INCR", "n"]],
  [
    ["RPUSH", "list", "x"],
    ["RPUSH", "list", "y"],
  ],
  [
    ["SELECT", "2"],
    ["SET", "b", "2"],
    ["SELECT", "0"],
  ],
  [["RPUSH", "list", "z"]],
  [["APPEND", "a", "tail"]],
];

/** Two increments; the second has foreign parts. */
export function historyLogs(): [LogBuilder, LogBuilder] {
  const first = new LogBuilder().batch(HISTORY[0]!, HISTORY[1]!).batch(HISTORY[2]!);
  const second = new LogBuilder().batch(HISTORY[3]!).foreign(HISTORY[4]!).batch(HISTORY[5]!);
  return [first, second];
}
