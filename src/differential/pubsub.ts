/**
 * Publishing and subscribing compared: a dialogue of several connections, played to both servers.
 *
 * After each command every connection asks for an echo that both protocols give in every mode, PING with a number; what
 * came before it is what the command has caused there. Of one step, the order of what a connection received is left
 * open: that of several patterns, and of names that are given up all at once, is chance in redis-server, and since 7.2
 * a client's own message comes behind the reply to PUBLISH (pubsub.test.ts in commands/ and server/ fix ours).
 */

import type { Random } from "../testing/random.ts";
import { ReplyMissing, type RespClient } from "../testing/resp-client.ts";
import { type Argument, decode, printable } from "../testing/resp-frame.ts";
import type { TestServer } from "../testing/servers.ts";
import type { Command } from "./session.ts";

/** One command of a dialogue. */
export interface Step {
  /** Which connection: A speaks RESP2, B RESP3, C RESP2. */
  readonly who: Who;
  readonly command: Command;
}

type Who = "A" | "B" | "C";
const WHO: readonly Who[] = ["A", "B", "C"];

const CHANNELS: readonly Argument[] = [
  "a",
  "b",
  "news.art",
  "news.tech",
  "",
  Buffer.from([0, 13, 10, 255]),
  "h[ae]llo",
];
const PATTERNS: readonly Argument[] = ["*", "a", "news.*", "?", "[ab]", "h\\[ae]llo", "", "nothing*"];
const PAYLOADS: readonly Argument[] = ["m", "", "two words", Buffer.from([0, 13, 10, 128]), "x".repeat(3000)];

/** A random step; unusual ones included: wrong arity, commands that a subscriber may not use. */
export function drawStep(random: Random): Step {
  const who = random.pick(WHO);
  const some = (words: readonly Argument[], most: number) =>
    Array.from({ length: random.between(0, most) }, () => random.pick(words));
  const word = random.pick(["SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE", "UNSUBSCRIBE", "PUNSUBSCRIBE", "SUNSUBSCRIBE"]);
  const names = word.startsWith("P") ? PATTERNS : CHANNELS;
  const others: readonly Command[] = [
    ["PUBSUB", "CHANNELS"],
    ["PUBSUB", "CHANNELS", random.pick(PATTERNS)],
    ["PUBSUB", "SHARDCHANNELS", ...some(PATTERNS, 2)],
    ["PUBSUB", "NUMSUB", ...some(CHANNELS, 3)],
    ["PUBSUB", "SHARDNUMSUB", ...some(CHANNELS, 3)],
    ["PUBSUB", "NUMPAT", ...some(["x"], 1)],
    ["PUBSUB", ...some(["NOTHING", "NUMPAT"], 1)],
    ["PING", ...some(PAYLOADS, 2)],
    ["GET", "key"],
    ["CONFIG", "GET", "port"],
    ["NOTHING"],
    ["ECHO"],
    ["RESET"],
    ["HELLO", random.pick(["2", "3"])],
    ["PUBLISH", "a"],
  ];
  const choice = random.below(10);
  if (choice < 4) return { who, command: [word, ...some(names, 3)] };
  if (choice < 6) return { who: "C", command: ["PUBLISH", random.pick(CHANNELS), random.pick(PAYLOADS)] };
  if (choice < 7) {
    return { who, command: [random.pick(["PUBLISH", "SPUBLISH"]), random.pick(CHANNELS), random.pick(PAYLOADS)] };
  }
  return { who, command: random.pick(others) };
}

/** Plays a dialogue on fresh connections. @returns for each step what each connection received */
export async function playDialogue(server: TestServer, steps: readonly Step[]): Promise<string[]> {
  const clients = await Promise.all(WHO.map(() => server.client()));
  await clients[1]!.command("HELLO", "3");
  const heard: string[] = [];
  try {
    for (const [index, { who, command }] of steps.entries()) {
      const actor = WHO.indexOf(who);
      // Whoever acts first, so that what it causes is on its way to the others before they are asked.
      const received = [await exchange(clients[actor]!, command, index)];
      for (const [at, client] of clients.entries()) {
        if (at !== actor) received.push(await exchange(client, undefined, index));
      }
      heard.push(received.map((frames) => comparable(frames, command)).join(" / "));
    }
  } finally {
    await Promise.all(clients.map((client) => client.close()));
  }
  return heard;
}

async function exchange(client: RespClient, command: Command | undefined, index: number): Promise<Buffer[]> {
  const mark = `step-${index}`;
  const wanted = Buffer.from(mark);
  const frames: Buffer[] = [];
  const asked: Command[] = command === undefined ? [] : [command];
  try {
    const waiting = client.pipeline([...asked, ["PING", mark]]);
    frames.push(...(await waiting));
    while (!frames.at(-1)!.includes(wanted)) frames.push(...(await client.receive()));
  } catch (error) {
    if (!(error instanceof ReplyMissing)) throw error;
    frames.push(...error.received, Buffer.from(`(${error.message})`));
  }
  return frames;
}

/** Frames in a form that does not depend on what is chance; the echo stays, for it shows the mode. */
function comparable(frames: readonly Buffer[], command: Command): string {
  const name = String(command[0]);
  const isChance = command.length === 1 && /^[SP]?UNSUBSCRIBE$/.test(name);
  if (isChance) return givenUp(frames);
  const shown = frames.map((frame) => {
    const lists = name === "PUBSUB" && /CHANNELS$/.test(String(command[1])) && frame[0] === 0x2a;
    return lists ? JSON.stringify([...(decode(frame) as string[])].map(String).sort()) : printable(frame);
  });
  return shown.map(withoutIdentity).sort().join(" ");
}

/** Which names were given up, and how the count went down, each in its own order. */
function givenUp(frames: readonly Buffer[]): string {
  const names: string[] = [];
  const rest: string[] = [];
  for (const frame of frames) {
    const found = /^([*>]3\\r\\n\$\d+\\r\\n[sp]?unsubscribe\\r\\n)(.*)(:\d+\\r\\n)$/.exec(printable(frame));
    if (found === null) rest.push(printable(frame));
    else {
      names.push(found[2]!);
      rest.push(found[1]! + found[3]!);
    }
  }
  return [...names.sort(), ...rest].join(" ");
}

/** HELLO's answer holds the server's version and the connection's number; errors that 7.2 words differently. */
function withoutIdentity(shown: string): string {
  return shown
    .replace(/version\\r\\n\$\d+\\r\\n[\d.]+/, "version")
    .replace(/id\\r\\n:\d+/, "id")
    .replace(/\$4\\r\\nport\\r\\n\$\d+\\r\\n\d+/, "port");
}
