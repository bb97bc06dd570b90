/** Runs the compiled command line as a user does. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { extname } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL(`../cli/main${extname(import.meta.url)}`, import.meta.url));
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
}

/** Starts `stillwater` with the arguments; at the end of the test it is killed if it still runs. */
export function runCommandLine(
  t: TestContext,
  args: readonly string[],
  options: CommandLineOptions = {},
): CommandLineRun {
  const { cwd = process.cwd(), input = "", nodeOptions = [] } = options;
  const child = spawn(process.execPath, [...nodeOptions, MAIN, ...args], { cwd });
  t.after(() => child.kill("SIGKILL"));
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
