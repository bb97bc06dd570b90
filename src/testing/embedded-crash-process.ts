/**
 * A program with an embedded store, to be killed: it opens the directory, says what is in it, is told from which step
 * to go on, and says after every step or some which of them `durable()` has promised.
 *
 *     node embedded-crash-process.js <dir> <fsync> <seed>
 *     out  state {"counter":...}     in   12 (steps that were found)     out  durable 17, durable 30, ...
 */
import { once } from "node:events";
import { writeSync } from "node:fs";
import { open } from "../embedded/index.ts";
import { readSteps, takeStep } from "./embedded-steps.ts";
import { Random } from "./random.ts";

const STEPS_MAX = 20;
const STDOUT = 1;

const [dir, fsync, seed] = process.argv.slice(2) as [string, "always" | "everysec" | "no", string];
const random = new Random(Number(seed));
const db = await open({ dir, fsync, regionSize: "8mb" });
writeSync(STDOUT, `state ${JSON.stringify(readSteps(db))}\n`);
const [line] = (await once(process.stdin, "data")) as [Buffer];
let step = Number(line);
for (;;) {
  for (let steps = random.between(1, STEPS_MAX); steps > 0; steps -= 1) {
    step += 1;
    takeStep(db, step);
  }
  if (random.chance(0.02)) db.rewrite().catch(() => undefined);
  if (random.chance(0.02)) db.bgsave().catch(() => undefined);
  await db.durable();
  writeSync(STDOUT, `durable ${step}\n`);
}
