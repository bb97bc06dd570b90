/**
 * Shapes: how random commands are declared. A shape draws a part of a command's words.
 *
 *     command("SET", key, value, someOf(oneOf("NX", "XX"), "GET", expiry))
 *
 * A string stands for that word, now and then in mixed case.
 */
import type { Random } from "../testing/random.ts";
import type { Argument } from "../testing/resp-frame.ts";

export type Draw = (random: Random) => readonly Argument[];
export type Shape = Draw | string;

/** A command of a family, with how often it is drawn beside the others. */
export interface CommandShape {
  readonly draw: Draw;
  readonly weight: number;
  /** Never spoiled by a random change, which could make it sleep, stop the server or take all memory. */
  readonly asDeclared: boolean;
}

/** Commands that are tested together, on few keys so that they meet. */
export interface Family {
  readonly name: string;
  /** Sent before each sequence, replies not compared: puts the server's own state back. */
  readonly prologue: readonly (readonly Argument[])[];
  readonly commands: readonly CommandShape[];
}

/** A command that is drawn once where weight 1 stands, and changed at random now and then. */
export function command(name: string, ...shapes: Shape[]): CommandShape {
  return { draw: sequence(...name.split(" "), ...shapes), weight: 1, asDeclared: false };
}

/** The same command, drawn `weight` times as often. */
export function often(weight: number, shape: CommandShape): CommandShape {
  return { ...shape, weight };
}

/** The same command, never changed at random. */
export function asDeclared(shape: CommandShape): CommandShape {
  return { ...shape, asDeclared: true };
}

export function sequence(...shapes: Shape[]): Draw {
  const draws = shapes.map(drawOf);
  return (random) => {
    const words: Argument[] = [];
    for (const draw of draws) words.push(...draw(random));
    return words;
  };
}

export function oneOf(...shapes: Shape[]): Draw {
  const draws = shapes.map(drawOf);
  return (random) => random.pick(draws)(random);
}

export function optional(shape: Shape, probability = 0.5): Draw {
  const draw = drawOf(shape);
  return (random) => (random.chance(probability) ? draw(random) : []);
}

/** Each of the shapes with the given probability, in random order. */
export function someOf(...shapes: Shape[]): Draw {
  const draws = shapes.map(drawOf);
  return (random) => random.shuffled(draws).flatMap((draw) => (random.chance(0.3) ? draw(random) : []));
}

export function repeated(shape: Shape, least: number, most: number): Draw {
  const draw = drawOf(shape);
  return (random) => {
    const words: Argument[] = [];
    for (let left = random.between(least, most); left > 0; left -= 1) words.push(...draw(random));
    return words;
  };
}

/** Words that must arrive as they are written. */
export function exactly(...words: Argument[]): Draw {
  return () => words;
}

function drawOf(shape: Shape): Draw {
  return typeof shape === "string" ? (random) => [random.chance(0.05) ? mixedCase(random, shape) : shape] : shape;
}

function mixedCase(random: Random, word: string): string {
  return Array.from(word, (letter) => (random.chance(0.5) ? letter.toLowerCase() : letter.toUpperCase())).join("");
}

/** The commands of a family, each as often as its weight says. */
export function deckOf(family: Family): readonly CommandShape[] {
  return family.commands.flatMap((one) => new Array<CommandShape>(one.weight).fill(one));
}

/**
 * Draws one command from a deck, now and then spoiled: a word dropped, doubled, added or replaced, so that every
 * command also meets wrong arity, wrong options and numbers out of range.
 */
export function drawCommand(deck: readonly CommandShape[], random: Random): readonly Argument[] {
  const shape = random.pick(deck);
  const words = shape.draw(random);
  return !shape.asDeclared && random.chance(0.06) ? spoiled(words, random) : words;
}

/** No small positive number among them: as a time to live it would end within the test. */
const SPOILERS: readonly Argument[] = [
  "0",
  "-1",
  "",
  "abc",
  "1.5",
  " 1",
  "1 ",
  "+1",
  "01",
  "-0",
  "9223372036854775807",
  "9223372036854775808",
  "-9223372036854775808",
  "99999999999999999999",
  "NX",
  "XX",
  "GET",
  "KEEPTTL",
  "*",
  "\r\n",
  Buffer.from([0, 200]),
];

function spoiled(words: readonly Argument[], random: Random): readonly Argument[] {
  const at = random.between(1, words.length);
  switch (random.below(4)) {
    case 0:
      return words.toSpliced(Math.min(at, words.length - 1), words.length > 1 ? 1 : 0);
    case 1:
      return words.toSpliced(at, 0, words[Math.min(at, words.length - 1)]!);
    case 2:
      return words.toSpliced(at, 0, random.pick(SPOILERS));
    default:
      return words.length > 1 ? words.with(Math.min(at, words.length - 1), random.pick(SPOILERS)) : words;
  }
}
