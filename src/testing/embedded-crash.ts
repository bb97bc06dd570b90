/** Kills a program with an embedded store, again and again, and looks at what the next one finds in its directory. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type StepState, stepsOf } from "./embedded-steps.ts";
import type { Random } from "./random.ts";
import { until } from "./sockets.ts";

const PROGRAM = fileURLToPath(new URL(`./embedded-crash-process${extname(import.meta.url)}`, import.meta.url));
const RUN_MS_MIN = 20;
const RUN_MS_MAX = 250;
const OPEN_MS_MAX = 20_000;
/** More steps than a run can take beyond those of which it has said that they are durable. */
const BEYOND = 10_000;

/**
 * Opens the same directory so often, and kills the program each time.
 * @param fsync option of the store
 * @returns how many steps were promised to be durable
 * @throws AssertionError if any of these is missing, or there twice, or in part
 */
export async function killAgainAndAgain(fsync: string, restarts: number, random: Random): Promise<number> {
  const dir = mkdtempSync(join(tmpdir(), "stillwater-embedded-crash-"));
  try {
    let promised = 0;
    for (let restart = 0; restart < restarts; restart += 1)
      promised = await runUntilKilled(dir, fsync, random, promised);
    return promised;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Starts the program, has it go on where it says that it is, and kills it. @returns steps that are promised by now */
async function runUntilKilled(dir: string, fsync: string, random: Random, promised: number): Promise<number> {
  const args = [PROGRAM, dir, fsync, `${random.below(1e9)}`];
  const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "pipe"] });
  const kill = (): boolean => child.kill("SIGKILL");
  process.once("exit", kill);
  let [output, errors] = ["", ""];
  const ended = once(child, "close");
  child.stdin.on("error", () => undefined);
  child.stdout.on("data", (text) => {
    output += text;
  });
  child.stderr.on("data", (text) => {
    errors += text;
  });
  try {
    await until("it has opened the store", () => /^state .*\n/.test(output) || child.exitCode !== null, OPEN_MS_MAX);
    assert.equal(child.exitCode, null, `it ended:\n${output}${errors}`);
    const state = JSON.parse(/^state (.*)\n/.exec(output)![1]!) as StepState;
    const found = stepsOf(state, promised, promised + BEYOND);
    assert(found !== undefined, `${promised} steps were promised, found: ${JSON.stringify(state)}`);
    child.stdin.write(`${found}\n`);
    await sleep(random.between(RUN_MS_MIN, RUN_MS_MAX));
    assert.equal(child.exitCode, null, `it ended:\n${output}${errors}`);
    kill();
    await ended;
    return Number([...output.matchAll(/^durable (\d+)\n/gm)].at(-1)?.[1] ?? found);
  } finally {
    process.removeListener("exit", kill);
    kill();
  }
}
