/**
 * Notifications compared: what a subscriber hears of random commands, from our server and from redis-server.
 *
 * Every command is followed by the PUBLISH of a marker on a channel that the subscriber's pattern fits too, so what is
 * heard between two markers is what the command in between has caused, and nothing has to be waited for. Replies are
 * not compared: the families' own runs do that.
 */
import { type Argument, decode, printableCommand } from "../testing/resp-frame.ts";
import type { TestServer } from "../testing/servers.ts";
import { connection } from "./connection.ts";
import { drawEpisode } from "./episode.ts";
import { smallChunks } from "./lists.ts";
import { commandName } from "./replies.ts";
import { families } from "./run.ts";
import { server } from "./server.ts";
import type { Command, Pair } from "./session.ts";
import type { Family } from "./shape.ts";
import { largeSortedSets } from "./sorted-sets.ts";

/** Those whose commands change no key, and the forms of others that change them in the same way. */
const SILENT: readonly Family[] = [connection, server, largeSortedSets, smallChunks];

/** The families whose commands change keys. */
export const notifyingFamilies: readonly Family[] = families.filter((family) => !SILENT.includes(family));

/** Commands that remove what has expired among the keys that they meet: which these are, the seed of a hash decides. */
const MEETS_BY_CHANCE = ["SCAN", "RANDOMKEY"];

const BATCH = 50;
const EVERY_CLASS = "KEAnm";
const PATTERN = "__key*@*__:*";
const MARKER = "__key-marker@0__:";

/** What one command has caused: a line for each message. */
type Heard = readonly string[];

/** One server with its two connections: who commands, and who listens. */
class Listener {
  readonly #server: TestServer;
  #commander: Awaited<ReturnType<TestServer["client"]>> | undefined;
  #subscriber: Awaited<ReturnType<TestServer["client"]>> | undefined;

  constructor(server: TestServer) {
    this.#server = server;
  }

  async open(prologue: readonly Command[]): Promise<void> {
    this.#commander = await this.#server.client();
    await this.#commander.pipeline([
      ["FLUSHALL"],
      // What has expired and is not touched goes at different times.
      ["DEBUG", "SET-ACTIVE-EXPIRE", "0"],
      ["CONFIG", "SET", "notify-keyspace-events", EVERY_CLASS],
      ...prologue,
    ]);
    this.#subscriber = await this.#server.client();
    await this.#subscriber.command("PSUBSCRIBE", PATTERN);
  }

  /** Runs commands. @returns what each of them has caused */
  async play(commands: readonly Command[]): Promise<Heard[]> {
    const marked = commands.flatMap((command, index): Command[] => [command, ["PUBLISH", MARKER, index]]);
    await this.#commander!.pipeline(marked);
    const heard: Heard[] = [];
    for (let lines: string[] = []; heard.length < commands.length; ) {
      const [, , channel, payload] = decode((await this.#subscriber!.receive())[0]!) as readonly unknown[];
      if (channel === MARKER) {
        heard.push(lines);
        lines = [];
      } else {
        lines.push(`${shown(channel)} ${shown(payload)}`);
      }
    }
    return heard;
  }

  async close(): Promise<void> {
    await this.#commander?.pipeline([
      ["DEBUG", "SET-ACTIVE-EXPIRE", "1"],
      ["CONFIG", "SET", "notify-keyspace-events", ""],
    ]);
    await Promise.all([this.#commander?.close(), this.#subscriber?.close()]);
  }
}

function shown(value: unknown): string {
  return value instanceof Buffer ? value.toString("latin1") : JSON.stringify(value);
}

/** A command after which the subscribers of both servers had not heard the same. */
export interface Discord {
  readonly command: Command;
  readonly subject: Heard;
  readonly reference: Heard;
}

/**
 * What was heard, as far as its order is determined: SORT looks keys up in the order of the elements, and that of a
 * table's differs from one redis-server to the next.
 */
function comparable(command: Command, heard: Heard): string {
  if (!commandName(command).startsWith("SORT")) return heard.join("\n");
  const isMiss = (line: string) => line.includes("keymiss");
  return [...heard.filter(isMiss).sort(), ...heard.filter((line) => !isMiss(line))].join("\n");
}

/** What Redis 7.2 does not do as the reference does: ZRANK WITHSCORE is known only there, one rank of LPOS refused. */
function isNewIn72({ command, subject, reference }: Discord): boolean {
  const name = commandName(command);
  if (name === "LPOS") return subject.length === 0 && command.some((word) => text(word) === REFUSED_RANK);
  return /^Z(REV)?RANK$/.test(name) && command.length > 3 && reference.length === 0;
}

/**
 * A key that has expired, and is the destination of an empty result: Redis deletes it without looking whether it has,
 * where it had not been found expired before; here it has expired.
 */
function isExpiredDestination({ command, subject, reference }: Discord): boolean {
  if (!/STORE$|^BITOP$|^SORT$|^GEORADIUS/.test(commandName(command))) return false;
  return subject.join("\n").replaceAll("expired", "del") === reference.join("\n");
}

/** A rank of LPOS that 7.2 refuses before it looks at the key. */
const REFUSED_RANK = "-9223372036854775808";

/**
 * Plays one episode of a family to both servers.
 * @returns the first disagreement, and how many messages were compared
 */
export async function listen(
  pair: Pair,
  family: Family,
  seed: number,
  number: number,
  commandCount: number,
): Promise<{ discord: Discord | undefined; before: readonly Command[]; messages: number }> {
  const drawn = drawEpisode({ family, protocol: 2, seed, number, commandCount });
  const commands = drawn.filter((command) => !MEETS_BY_CHANCE.includes(commandName(command)));
  const [subject, reference] = [new Listener(pair.subject), new Listener(pair.reference)];
  let messages = 0;
  try {
    await Promise.all([subject.open(family.prologue), reference.open(family.prologue)]);
    for (let start = 0; start < commands.length; start += BATCH) {
      const batch = commands.slice(start, start + BATCH);
      const [ours, theirs] = await Promise.all([subject.play(batch), reference.play(batch)]);
      for (const [index, command] of batch.entries()) {
        const discord = { command, subject: ours[index]!, reference: theirs[index]! };
        messages += discord.reference.length;
        const isSame = comparable(command, discord.subject) === comparable(command, discord.reference);
        if (isSame || isNewIn72(discord) || isExpiredDestination(discord)) continue;
        return { discord, before: commands.slice(Math.max(0, start + index - 30), start + index), messages };
      }
    }
  } finally {
    await Promise.all([subject.close(), reference.close()]);
  }
  return { discord: undefined, before: [], messages };
}

/** A disagreement for a person. @param before commands that came before, of which those on the same keys are shown */
export function describeDiscord({ command, subject, reference }: Discord, before: readonly Command[]): string {
  const named = new Set(command.slice(1).map(text));
  const related = before.filter((one) => one.slice(1).some((word) => named.has(text(word))));
  return [
    ...related.slice(-10).map((one) => `  ${printableCommand(one)}`),
    `> ${printableCommand(command)}`,
    `  ours:   ${subject.join(" | ")}`,
    `  theirs: ${reference.join(" | ")}`,
  ].join("\n");
}

function text(word: Argument): string {
  return String(word);
}
