/** A log over real files and threads, for tests of its life: what may fail, and what it has told. */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { BackgroundThreads } from "../background/background-threads.ts";
import { LogWriterThread } from "../background/log-writer.ts";
import { allCommands } from "../commands/all-commands.ts";
import { type Files, type OpenFile, type OpenMode, realFiles } from "../durability/files.ts";
import { LogKeeper } from "../engine/log-keeper.ts";
import type { BaseWriter } from "../engine/log-parts.ts";
import { Recovery } from "../engine/recovery.ts";
import { Snapshotter } from "../engine/snapshotter.ts";
import { CommandRunner } from "./commands.ts";

/** A log at work, and what a test does to it. */
export interface Scene {
  readonly runner: CommandRunner;
  readonly keeper: LogKeeper;
  readonly path: string;
  readonly notices: string[];
  readonly news: string[];
  /** What listeners to figures have heard of failures. */
  readonly told: string[];
  /** Lets the owner's next append fail. */
  failAppend(): void;
  /** Lets all snapshots fail, or not any more. */
  failSnapshots(fails: boolean): void;
  run(...words: string[]): Promise<string>;
  files(): string[];
  end(): Promise<void>;
}

/** Real files, but for an append that is to fail. */
function failingFiles(): { files: Files; failAppend: () => void } {
  let appendFails = false;
  const open = (name: string, mode: OpenMode): OpenFile => {
    const file = realFiles.open(name, mode);
    const write = file.write.bind(file);
    file.write = (bytes, start, length) => {
      if (!appendFails) return write(bytes, start, length);
      appendFails = false;
      throw Object.assign(new Error("ENOSPC: no space left on device"), { errno: -28, code: "ENOSPC" });
    };
    return file;
  };
  return {
    files: { ...realFiles, open },
    failAppend: () => {
      appendFails = true;
    },
  };
}

/** The one that writes snapshots, but for all of them failing. */
function failingSnapshots(real: Snapshotter): { snapshots: BaseWriter; failSnapshots: (fails: boolean) => void } {
  let snapshotsFail = false;
  const snapshots: BaseWriter = {
    get isRunning() {
      return real.isRunning;
    },
    hasOtherJob: () => false,
    begin(temporary, form, onEnd) {
      if (snapshotsFail) throw new Error("snapshots fail");
      real.begin(temporary, form, onEnd);
    },
    cancel: () => real.cancel(),
  };
  return {
    snapshots,
    failSnapshots: (fails) => {
      snapshotsFail = fails;
    },
  };
}

/** What listeners to the log's figures hear of failures from now on. */
function toldOf(keeper: LogKeeper): string[] {
  const told: string[] = [];
  keeper.figures.listener = {
    onSync: () => undefined,
    onRewriteEnd: () => undefined,
    onFailure: (error) => void told.push(error),
  };
  return told;
}

/** Opens a log in a directory, which is removed when the test ends. */
export async function open(
  t: TestContext,
  directives: Readonly<Record<string, string>> = {},
  dir = mkdtempSync(join(tmpdir(), "stillwater-keeper-")),
): Promise<Scene> {
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  // Threads do not keep the test's process alive.
  const alive = setInterval(() => undefined, 1000);
  t.after(() => clearInterval(alive));
  const all = { dir, appendonly: "yes", save: "", ...directives };
  const runner = new CommandRunner(allCommands, { directives: all });
  const { configuration, effects, keyspace, services } = runner;
  const { log } = await new Recovery(runner.engine).run();
  const threads = new BackgroundThreads();
  const notices: string[] = [];
  const news: string[] = [];
  const onNotice = (line: string): void => void notices.push(line);
  const real = new Snapshotter({ keyspace, configuration, services, threads, onNotice } as never);
  const { snapshots, failSnapshots } = failingSnapshots(real);
  const path = join(dir, "appendonlydir");
  const directory = { path, parent: dir, filename: "appendonly.aof", rdbName: "dump.rdb" };
  const { files, failAppend } = failingFiles();
  const keeper = new LogKeeper({
    configuration,
    effects,
    snapshots,
    link: new LogWriterThread(threads, directory),
    files,
    directory,
    hasData: () => keyspace.databases.some(({ count }) => count > 0),
    notice: onNotice,
    news: (line) => void news.push(line),
  });
  const told = toldOf(keeper);
  if (log !== undefined) await keeper.start(log);
  const end = async (): Promise<void> => {
    clearInterval(alive);
    await threads.stop(1000);
    runner.verify();
  };
  t.after(end);
  return {
    runner,
    keeper,
    path,
    notices,
    news,
    told,
    failAppend,
    failSnapshots,
    run: async (...words) => {
      const reply = runner.run(...words);
      await turn();
      return reply;
    },
    files: () => readdirSync(path).sort(),
    end,
  };
}

/** What a fresh start finds. */
export async function reopened(t: TestContext, scene: Scene): Promise<Scene> {
  await scene.keeper.close();
  await scene.end();
  return await open(t, {}, join(scene.path, ".."));
}
