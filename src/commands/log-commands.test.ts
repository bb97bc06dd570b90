import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandRunner } from "../testing/commands.ts";
import type { Persistence } from "./context.ts";
import { CommandError } from "./errors.ts";
import { logCommands } from "./log-commands.ts";
import { NoPersistence } from "./no-persistence.ts";

/** Persistence whose log is durable when the test says so. */
class Logged extends NoPersistence {
  settle: (isDurable: boolean) => void = () => undefined;
  readonly #isOn: boolean;

  constructor(isLogOn: boolean) {
    super(0, () => 0);
    this.#isOn = isLogOn;
    Object.assign(this, { isLogOn });
  }

  override durable(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.settle = (isDurable) => (isDurable ? resolve() : reject(new Error("failed")));
    });
  }

  override rewriteLog(): string {
    if (!this.#isOn) throw new CommandError("ERR no");
    return "Background append only file rewriting started";
  }
}

function runnerOf(isLogOn: boolean): { runner: CommandRunner; logged: Logged } {
  const runner = new CommandRunner(logCommands);
  const logged = new Logged(isLogOn);
  (runner.services as { persistence: Persistence }).persistence = logged;
  return { runner, logged };
}

async function later(runner: CommandRunner, ...words: string[]): Promise<string> {
  assert.equal(runner.run(...words), "");
  const { pending } = runner.context;
  assert(pending !== undefined);
  const write = await pending;
  runner.context.pending = undefined;
  const parts: string[] = [];
  write({ array: (n: number) => parts.push(`*${n}`), integer: (n: number) => parts.push(`:${n}`) } as never);
  return parts.join(" ");
}

test("BGREWRITEAOF says what the log says", () => {
  assert.equal(runnerOf(true).runner.run("BGREWRITEAOF"), "+Background append only file rewriting started\r\n");
  assert.equal(runnerOf(false).runner.run("BGREWRITEAOF"), "-ERR no\r\n");
});

test("WAITAOF: arguments that it refuses, in Redis's order and words", () => {
  const { runner } = runnerOf(true);
  const cases: [string[], string][] = [
    [["x", "0", "0"], "ERR value is not an integer or out of range"],
    [["2", "x", "x"], "ERR value is out of range, value must between 0 and 1"],
    [["-1", "0", "0"], "ERR value is out of range, value must between 0 and 1"],
    [["1", "x", "x"], "ERR value is out of range, must be positive"],
    [["1", "-1", "x"], "ERR value is out of range, must be positive"],
    [["1", "0", "x"], "ERR timeout is not an integer or out of range"],
    [["1", "0", "-1"], "ERR timeout is negative"],
  ];
  for (const [words, error] of cases) assert.equal(runner.run("WAITAOF", ...words), `-${error}\r\n`);
  assert.equal(
    runnerOf(false).runner.run("WAITAOF", "1", "0", "0"),
    "-ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.\r\n",
  );
});

test("WAIT: no replicas, so it replies 0: at once if none is asked for, else when the time is over", async () => {
  const { runner } = runnerOf(true);
  const cases: [string[], string][] = [
    [["x", "x"], "-ERR value is not an integer or out of range"],
    [["99999999999999999999", "0"], "-ERR value is not an integer or out of range"],
    [["0", "x"], "-ERR timeout is not an integer or out of range"],
    [["1", "99999999999999999999"], "-ERR timeout is not an integer or out of range"],
    [["0", "-1"], "-ERR timeout is negative"],
    [["0", "0"], ":0"],
    [["-1", "0"], ":0"],
  ];
  for (const [words, reply] of cases) assert.equal(runner.run("WAIT", ...words), `${reply}\r\n`, words.join(" "));
  const alive = setInterval(() => undefined, 100);
  const begin = performance.now();
  assert.equal(await later(runner, "WAIT", "1", "30"), ":0");
  assert.ok(performance.now() - begin >= 29);
  assert.equal(runner.run("WAIT", "1", "0"), "");
  const { pending } = runner.context;
  runner.context.pending = undefined;
  assert.equal(await Promise.race([pending, new Promise((resolve) => setTimeout(resolve, 30, "waits"))]), "waits");
  clearInterval(alive);
});

test("WAITAOF replies when the log is durable, or the time is over", async () => {
  const { runner, logged } = runnerOf(true);
  const waiting = later(runner, "WAITAOF", "1", "0", "0");
  logged.settle(true);
  assert.equal(await waiting, "*2 :1 :0");
  const alive = setInterval(() => undefined, 100);
  assert.equal(await later(runner, "WAITAOF", "1", "0", "20"), "*2 :0 :0");
  const failing = later(runner, "WAITAOF", "1", "0", "20");
  logged.settle(false);
  assert.equal(await failing, "*2 :0 :0");
  const replicas = later(runner, "WAITAOF", "0", "1", "20");
  logged.settle(true);
  assert.equal(await replicas, "*2 :1 :0");
  clearInterval(alive);
  assert.equal(await later(runnerOf(false).runner, "WAITAOF", "0", "0", "0"), "*2 :0 :0");
});
