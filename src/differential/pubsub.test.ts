/** The same messages as from redis-server, in dialogues of three connections in both protocols. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Random, seedOfRun } from "../testing/random.ts";
import { printableCommand } from "../testing/resp-frame.ts";
import { drawStep, playDialogue, type Step } from "./pubsub.ts";
import { startPair } from "./run.ts";
import type { Pair } from "./session.ts";

const DIALOGUES = 12;
const STEPS = 150;
const seed = seedOfRun();

for (const selfCheck of [true, false]) {
  describe(`messages, redis-server beside ${selfCheck ? "itself" : "ours"}, seed ${seed}`, () => {
    let pair: Pair & { stop(): Promise<void> };
    before(async () => {
      pair = await startPair(selfCheck);
    });
    after(() => pair?.stop());

    test("random dialogues", async () => {
      for (let number = 0; number < (selfCheck ? 2 : DIALOGUES); number++) {
        const random = new Random(seed, number);
        const steps: Step[] = Array.from({ length: STEPS }, () => drawStep(random));
        const [ours, theirs] = await Promise.all([
          playDialogue(pair.subject, steps),
          playDialogue(pair.reference, steps),
        ]);
        const different = ours.findIndex((heard, index) => heard !== theirs[index]);
        if (different === -1) continue;
        const told = steps.slice(Math.max(0, different - 20), different + 1);
        const lines = told.map(({ who, command }) => `  ${who}: ${printableCommand(command)}`);
        assert.fail(
          `dialogue ${number}\n${lines.join("\n")}\n  ours:   ${ours[different]}\n  theirs: ${theirs[different]}`,
        );
      }
    });
  });
}
