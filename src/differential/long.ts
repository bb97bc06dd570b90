/**
 * The differential tests for as long as one likes.
 *
 *     node dist/differential/long.js [--commands N] [--seed S] [--family NAME] [--protocol 2|3]
 *                                    [--episode E] [--length L] [--mismatches M] [--self-check]
 *
 * --commands counts per family and protocol. --self-check compares redis-server with a second redis-server: a mismatch
 * then is a mistake of the rules in replies.ts.
 */
import { parseArgs } from "node:util";
import { seedOfRun } from "../testing/random.ts";
import { EPISODE_LENGTH, families, run, startPair } from "./run.ts";
import type { Protocol } from "./session.ts";

const { values } = parseArgs({
  options: {
    commands: { type: "string", default: "200000" },
    seed: { type: "string" },
    family: { type: "string" },
    protocol: { type: "string" },
    episode: { type: "string" },
    length: { type: "string", default: `${EPISODE_LENGTH}` },
    mismatches: { type: "string", default: "10" },
    "self-check": { type: "boolean", default: false },
  },
});

function wholeNumber(name: string, text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 0) throw new Error(`--${name} must be a whole number, not ${text}`);
  return number;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function main(): Promise<number> {
  const seed = values.seed === undefined ? seedOfRun() : wholeNumber("seed", values.seed);
  const chosen = families.filter(({ name }) => values.family === undefined || values.family === name);
  const protocols = ([2, 3] as const).filter(
    (protocol) => values.protocol === undefined || values.protocol === `${protocol}`,
  );
  if (chosen.length === 0 || protocols.length === 0) throw new Error("no such family or protocol");
  print(`seed ${seed}`);
  const pair = await startPair(values["self-check"]);
  let differing = 0;
  try {
    for (const family of chosen) {
      for (const protocol of protocols) differing += await runOne(family, protocol, seed, pair);
    }
  } finally {
    await pair.stop();
  }
  return differing === 0 ? 0 : 1;
}

async function runOne(
  family: (typeof families)[number],
  protocol: Protocol,
  seed: number,
  pair: Awaited<ReturnType<typeof startPair>>,
): Promise<number> {
  const started = performance.now();
  const { commandCount, mismatches } = await run(pair, {
    family,
    protocol,
    seed,
    commands: wholeNumber("commands", values.commands),
    length: wholeNumber("length", values.length),
    mismatchesMax: wholeNumber("mismatches", values.mismatches),
    ...(values.episode === undefined ? {} : { episode: wholeNumber("episode", values.episode) }),
  });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  for (const mismatch of mismatches) print(`\n${mismatch}\n`);
  print(
    `${family.name}, RESP${protocol}: ${commandCount} commands in ${seconds} s, ${mismatches.length} commands differ`,
  );
  return mismatches.length;
}

process.exitCode = await main();
