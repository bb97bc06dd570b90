/** Runs a Node program in the foreground as if it had been started by hand: same terminal, signals and exit code. */

import { spawn } from "node:child_process";

const PARENT = process.ppid;
const PARENT_CHECK_MS = 500;

/**
 * Runs Node with `args` and ends this process as that one ended.
 *
 * @param {string[]} args options of Node, the program's path, its own arguments
 */
export function runInForeground(args) {
  const child = spawn(process.execPath, ["--enable-source-maps", ...args], { stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => {
      if (signal === "SIGINT" && hasTerminal()) return;
      child.kill(signal);
    });
  }
  endWithParent(child);
  child.on("error", (error) => {
    console.error(`stillwater: ${error.message}`);
    process.exit(1);
  });
  child.on("exit", (code, signal) => {
    if (signal === null) process.exit(code);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

/** npm runs scripts through a shell, and a signal to npm may end only the shell: then nobody is left to stop us. */
function endWithParent(child) {
  setInterval(() => {
    if (process.ppid !== PARENT) child.kill("SIGTERM");
  }, PARENT_CHECK_MS).unref();
}

/** A terminal gives Ctrl-C to every process in it: the program has had its own, and a second would mean "at once". */
function hasTerminal() {
  return Boolean(process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY);
}
