/** Runs the command line as a user does. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { RespClient } from "./resp-client.ts";
import { freePort } from "./servers.ts";
import { SHIPPED_MAIN } from "./shipped.ts";

const START_TIMEOUT_MS = 15_000;

/** A run of the command line. */
export interface CommandLineRun {
  readonly child: ChildProcessWithoutNullStreams;
  /** What it has printed so far. */
  output(): string;
  errors(): string;
  /** Resolves when it has said that it is ready. @throws Error when it ends instead, or takes too long */
  readonly ready: Promise<void>;
  /** Exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>;
}

/** How to run it, beside its arguments. */
export interface CommandLineOptions {
  readonly cwd?: string;
  readonly input?: string;
  /** Options of Node.js itself. */
  readonly nodeOptions?: readonly string[];
  /** Path of another file than the shipped one: modules that a test reaches into are not in that. */
  readonly main?: string;
}

/**
 * Starts `stillwater` with the arguments, in a directory of its own unless the options name one, because that is where
 * it puts its files; at the end of the test it is killed if it still runs.
 */
export function runCommandLine(
  t: TestContext,
  args: readonly string[],
  options: CommandLineOptions = {},
): CommandLineRun {
  const {
    cwd = mkdtempSync(join(tmpdir(), "stillwater-run-")),
    input = "",
    nodeOptions = [],
    main = SHIPPED_MAIN,
  } = options;
  const child = spawn(process.execPath, [...nodeOptions, main, ...args], { cwd });
  t.after(async () => {
    child.kill("SIGKILL");
    await ended;
    if (options.cwd === undefined) rmSync(cwd, { recursive: true, force: true });
  });
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  let output = "";
  let errors = "";
  const ended = new Promise<number | string>((resolve) => {
    child.once("close", (code, signal) => resolve(code ?? signal ?? "unknown"));
  });
  const ready = new Promise<void>((resolve, reject) => {
    const give = (reason: string) => reject(new Error(`${reason}\n${output}${errors}`));
    const timer = setTimeout(() => give("not ready in time"), START_TIMEOUT_MS);
    child.stdout.on("data", (text) => {
      output += text;
      if (output.includes("Ready.")) resolve();
    });
    child.stderr.on("data", (text) => (errors += text));
    void ended.then(() => {
      clearTimeout(timer);
      give("it ended instead of getting ready");
    });
  });
  // Most tests that expect an end do not wait for readiness.
  ready.catch(() => undefined);
  return { child, output: () => output, errors: () => errors, ready, ended };
}

/** Starts a server on a free port, with its files in the directory, and one client. @returns once it is ready */
export async function startServerIn(t: TestContext, directory: string, ...args: string[]) {
  const port = await freePort();
  const run = runCommandLine(t, ["--port", `${port}`, "--dir", directory, "--maxmemory", "50mb", ...args]);
  await run.ready;
  const client = await RespClient.connect({ port });
  const ask = async (line: string): Promise<string> => String(await client.command(...line.split(" ")));
  const stop = async (signal: NodeJS.Signals = "SIGTERM"): Promise<number | string> => {
    run.child.kill(signal);
    return await run.ended;
  };
  return { ...run, port, client, ask, stop };
}
