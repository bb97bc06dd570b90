import { type Argument, argumentBytes, decode, printable, printableCommand } from "../testing/resp-frame.ts";
import type { Episode, Mismatch } from "./episode.ts";
import { commandName, type Exchange, infoLines } from "./replies.ts";
import type { Command, Pair } from "./session.ts";
import { KEYS } from "./words.ts";

const SHOWN_BEFORE = 12;
const keyNames = new Set(KEYS.map(text));

/** A mismatch for a person: what differs, how it came, and how to see it again. */
export function describeMismatch(pair: Pair, episode: Episode, mismatch: Mismatch, shortest: Mismatch): string {
  const { family, protocol, seed, number, commandCount } = episode;
  const step = mismatch.where === "reply" ? `command ${mismatch.commands.length}` : "the contents at the end";
  const what = `--seed ${seed} --family ${family.name} --protocol ${protocol}`;
  return [
    `${family.name}, RESP${protocol}: ${step} of episode ${number} differs, seed ${seed}`,
    ...replyLines(pair, mismatch),
    `  again         node dist/differential/long.js ${what} --episode ${number} --length ${commandCount}`,
    `  shortest sequence that still differs (${shortest.commands.length} commands):`,
    ...shortest.commands.slice(-SHOWN_BEFORE * 2).map((command) => `    ${printableCommand(command)}`),
    ...replyLines(pair, shortest).slice(1),
    "  before it, on the same keys:",
    ...touching(mismatch)
      .slice(-SHOWN_BEFORE)
      .map((command) => `    ${printableCommand(command)}`),
  ].join("\n");
}

function replyLines(pair: Pair, { exchange }: Mismatch): string[] {
  const { subject, reference } = exchange;
  const at = subject.findIndex((byte, index) => byte !== reference[index]);
  const around = (reply: Buffer) => (at > 100 ? `… ${printable(reply.subarray(at - 40, at + 80))}` : printable(reply));
  return [
    `  command       ${printableCommand(exchange.command)}`,
    `  ${pair.subject.name.padEnd(12)}  ${around(subject)}`,
    `  ${pair.reference.name.padEnd(12)}  ${around(reference)}`,
    ...(commandName(exchange.command) === "INFO" ? infoDifference(exchange) : []),
  ];
}

/** What a server printed last, for a mismatch after which one no longer runs. */
export function lastWords(pair: Pair): string {
  return [pair.subject, pair.reference]
    .filter((server) => server.ended() !== undefined)
    .map((server) => `\n  ${server.name} has ended: ${server.ended()}\n${server.output().slice(-2000)}`)
    .join("");
}

/** Which lines each of two INFO texts has alone. */
function infoDifference({ subject, reference }: Exchange): string[] {
  const [left, right] = [subject, reference].map((reply) => (reply[0] === 36 || reply[0] === 61 ? decode(reply) : ""));
  const lines = [left, right].map((text) => infoLines(text ?? ""));
  const alone = (one: number) => lines[one]!.filter((line) => !lines[1 - one]!.includes(line)).join(", ");
  return [`  missing       ${alone(1)}`, `  additional    ${alone(0)}`];
}

/** The commands before the mismatch that share a key with it, or name no key and may concern all. */
function touching({ exchange, commands, where }: Mismatch): Command[] {
  const concerned = new Set(exchange.command.map(text).filter((word) => keyNames.has(word)));
  return commands.slice(0, where === "reply" ? -1 : undefined).filter((command) => {
    const named = command
      .slice(1)
      .map(text)
      .filter((word) => keyNames.has(word));
    return concerned.size === 0 || named.length === 0 || named.some((word) => concerned.has(word));
  });
}

function text(word: Argument): string {
  return argumentBytes(word).toString("latin1");
}
