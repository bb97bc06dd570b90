/** The same keyspace notifications as redis-server, of random commands of every family; and the same beside itself. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { seedOfRun } from "../testing/random.ts";
import { describeDiscord, listen, notifyingFamilies } from "./notifications.ts";
import { startPair } from "./run.ts";
import type { Pair } from "./session.ts";

const EPISODES = 6;
const COMMANDS = 500;
const seed = seedOfRun();

for (const selfCheck of [true, false]) {
  const episodes = selfCheck ? 1 : EPISODES;
  describe(`notifications, redis-server beside ${selfCheck ? "itself" : "ours"}, seed ${seed}`, () => {
    let pair: Pair & { stop(): Promise<void> };
    before(async () => {
      pair = await startPair(selfCheck);
    });
    after(() => pair?.stop());

    for (const family of notifyingFamilies) {
      test(family.name, async () => {
        let heard = 0;
        for (let number = 0; number < episodes; number++) {
          const { discord, before, messages } = await listen(pair, family, seed, number, COMMANDS);
          if (discord !== undefined) assert.fail(`episode ${number}\n${describeDiscord(discord, before)}`);
          heard += messages;
        }
        assert.ok(heard > episodes * COMMANDS * 0.2, `only ${heard} messages were compared`);
      });
    }
  });
}
