/**
 * An episode: both servers emptied, a random sequence of one family's commands played to both on fresh connections,
 * then everything they hold compared. Episodes do not depend on each other, so that one can be played again alone,
 * and shortened to the few commands that make the difference.
 */
import { Random } from "../testing/random.ts";
import { compareContents } from "./contents.ts";
import { commandName, type Exchange, questionBefore } from "./replies.ts";
import { type Command, type Pair, type Protocol, Session } from "./session.ts";
import { deckOf, drawCommand, type Family } from "./shape.ts";

/** What is played: all that is needed to play it again. */
export interface Episode {
  readonly family: Family;
  readonly protocol: Protocol;
  readonly seed: number;
  readonly number: number;
  readonly commandCount: number;
}

/** A disagreement; `commands` are those played, the last one being that of the exchange unless contents differ. */
export interface Mismatch {
  readonly where: "reply" | "contents";
  readonly exchange: Exchange;
  readonly commands: readonly Command[];
}

const BATCH = 100;

/** The commands of an episode, the same each time. */
export function drawEpisode({ family, seed, number, commandCount }: Episode): Command[] {
  const random = new Random(seed, number);
  const deck = deckOf(family);
  const commands: Command[] = [];
  while (commands.length < commandCount) {
    const command = drawCommand(deck, random);
    // Which of their elements some commands return is not determined; that they exist is checked against all of them.
    const asked: Command[] = [command];
    for (let next = questionBefore(command); next !== undefined; next = questionBefore(next)) asked.unshift(next);
    commands.push(...asked);
  }
  return commands;
}

/** Families set limits of their own: what the one before has left behind would be another one's surprise. */
const USUAL_LIMITS = [
  ...["CONFIG", "SET"],
  ...["hash-max-listpack-entries", "512", "hash-max-listpack-value", "64", "list-max-listpack-size", "-2"],
  ...["set-max-intset-entries", "512", "zset-max-listpack-entries", "128", "zset-max-listpack-value", "64"],
  ...["hll-sparse-max-bytes", "3000"],
];

/** Plays commands to both servers from empty, and returns the first disagreement. */
export async function play(
  pair: Pair,
  family: Family,
  protocol: Protocol,
  commands: readonly Command[],
): Promise<Mismatch | undefined> {
  const session = await Session.open(pair, protocol);
  try {
    await session.send([["FLUSHALL"], USUAL_LIMITS, ...family.prologue]);
    let before: Exchange | undefined;
    for (let start = 0; start < commands.length; start += BATCH) {
      const exchanges = await session.send(commands.slice(start, start + BATCH), before);
      const different = exchanges.findIndex((exchange) => !session.agree(exchange));
      if (different >= 0) {
        const played = commands.slice(0, start + different + 1);
        return { where: "reply", exchange: exchanges[different]!, commands: played };
      }
      before = exchanges.at(-1);
    }
  } finally {
    await session.close();
  }
  const exchange = await compareContents(pair);
  return exchange === undefined ? undefined : { where: "contents", exchange, commands };
}

/**
 * Leaves out what a mismatch does not need: ever smaller pieces of the sequence, as long as what is left still ends in
 * a disagreement about the same command, and for at most `timeMs` milliseconds.
 */
export async function shorten(
  pair: Pair,
  family: Family,
  protocol: Protocol,
  mismatch: Mismatch,
  timeMs = 10_000,
): Promise<Mismatch> {
  let shortest = mismatch;
  const deadline = Date.now() + timeMs;
  let piece = shortest.commands.length;
  while (piece > 1) {
    piece = Math.ceil(piece / 2);
    for (let end = shortest.commands.length; end > 0 && Date.now() < deadline; end -= piece) {
      const start = Math.max(0, end - piece);
      const again = await play(pair, family, protocol, shortest.commands.toSpliced(start, end - start));
      if (hasEnded(pair)) return shortest;
      if (again !== undefined && isSame(again, mismatch)) shortest = again;
    }
  }
  return shortest;
}

/** Whether a server of the pair no longer runs. */
export function hasEnded(pair: Pair): boolean {
  return pair.subject.ended() !== undefined || pair.reference.ended() !== undefined;
}

function isSame(one: Mismatch, other: Mismatch): boolean {
  return one.where === other.where && commandName(one.exchange.command) === commandName(other.exchange.command);
}
