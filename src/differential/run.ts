/**
 * Runs episodes of the families against a pair of servers and gathers what differs.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { startRedis, startStillwater } from "../testing/servers.ts";
import { bitmaps } from "./bitmaps.ts";
import { connection } from "./connection.ts";
import { databases } from "./databases.ts";
import { dump } from "./dump.ts";
import { drawEpisode, type Episode, hasEnded, type Mismatch, play, shorten } from "./episode.ts";
import { geo } from "./geo.ts";
import { hashes } from "./hashes.ts";
import { hyperloglog } from "./hyperloglog.ts";
import { intendedDifferences } from "./intended-differences.ts";
import { keys } from "./keys.ts";
import { lists, smallChunks } from "./lists.ts";
import { commandName } from "./replies.ts";
import { describeMismatch, lastWords } from "./report.ts";
import { server } from "./server.ts";
import type { Pair, Protocol } from "./session.ts";
import { sets } from "./sets.ts";
import type { Family } from "./shape.ts";
import { sort } from "./sort.ts";
import { largeSortedSets, sortedSets } from "./sorted-sets.ts";
import { strings } from "./strings.ts";

export const families: readonly Family[] = [
  strings,
  bitmaps,
  dump,
  geo,
  hashes,
  hyperloglog,
  sets,
  sort,
  sortedSets,
  largeSortedSets,
  lists,
  smallChunks,
  keys,
  databases,
  connection,
  server,
];
export const EPISODE_LENGTH = 500;

export interface Plan {
  readonly family: Family;
  readonly protocol: Protocol;
  readonly seed: number;
  /** How many commands in all, in episodes of `length`. */
  readonly commands: number;
  readonly length?: number;
  /** Only this episode. */
  readonly episode?: number;
  /** After so many different commands that disagree, the run ends. */
  readonly mismatchesMax?: number;
}

/** What a run found; each mismatch is described once per command. */
export interface Outcome {
  readonly commandCount: number;
  readonly mismatches: readonly string[];
}

/** Our server beside redis-server, or with `selfCheck` two redis-servers, which must agree. */
export async function startPair(selfCheck = false): Promise<Pair & { stop(): Promise<void> }> {
  const reference = await startRedis();
  const subject = await (selfCheck ? startRedis() : startStillwater()).catch(async (error: unknown) => {
    await reference.stop();
    throw error;
  });
  return {
    subject,
    reference,
    differences: selfCheck ? [] : intendedDifferences,
    async stop() {
      await Promise.all([subject.stop(), reference.stop()]);
    },
  };
}

/** Plays a plan's episodes; stops early when a server has ended or too much differs. */
export async function run(pair: Pair, plan: Plan): Promise<Outcome> {
  const { family, protocol, seed, commands, length = EPISODE_LENGTH, episode, mismatchesMax = 1 } = plan;
  const mismatches = new Map<string, string>();
  let commandCount = 0;
  const last = episode ?? Math.ceil(commands / length) - 1;
  for (let number = episode ?? 0; number <= last && mismatches.size < mismatchesMax; number += 1) {
    const one: Episode = { family, protocol, seed, number, commandCount: length };
    const words = drawEpisode(one);
    const mismatch = await play(pair, family, protocol, words);
    commandCount += mismatch?.commands.length ?? words.length;
    if (mismatch === undefined) continue;
    const name = `${mismatch.where} ${commandName(mismatch.exchange.command)}`;
    if (!mismatches.has(name)) {
      // A server that just failed may take a moment to end; then there is nobody to play a shorter sequence to.
      if (isReplyMissing(mismatch)) await sleep(200);
      const shortest = hasEnded(pair) ? mismatch : await shorten(pair, family, protocol, mismatch);
      mismatches.set(name, describeMismatch(pair, one, mismatch, shortest) + lastWords(pair));
    }
    if (hasEnded(pair)) break;
  }
  return { commandCount, mismatches: [...mismatches.values()] };
}

function isReplyMissing({ exchange: { subject, reference } }: Mismatch): boolean {
  return [subject, reference].some((reply) => reply.toString("latin1").startsWith("(no reply"));
}
