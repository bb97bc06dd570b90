/**
 * Millions of commands that differ only by the number in them, made as fast as a server takes them: a piece of a
 * thousand is laid out once, and of each number only the upper nine digits are written anew for every piece.
 */
import { protocolCommands } from "./redis-tools.ts";

const PIECE = 1_000; // so that a number's last three digits are the same in every piece
const UPPER = "#########";

/** Twelve digits of a number in two parts: `upper` nine that stand for themselves later, and the `lower` three. */
export interface Digits {
  readonly upper: string;
  readonly lower: string;
}

export interface Numbered {
  /** The words before the elements. */
  readonly head: readonly string[];
  /** The words of one element: they contain `upper` whole, or not at all. Of one-byte characters, without `#`. */
  element(digits: Digits): readonly string[];
  /** Elements in one command: a divisor of 1,000. */
  readonly perCommand: number;
}

/** How many commands `numberedCommands` makes of so many elements. */
export function commandCount({ perCommand }: Numbered, elements: number): number {
  return elements / perCommand;
}

/**
 * Commands in protocol form for the elements 0 to `elements` - 1, in pieces of a thousand elements.
 * @throws RangeError unless `elements` is a multiple of 1,000, and 1,000 one of `perCommand`
 */
export function* numberedCommands({ head, element, perCommand }: Numbered, elements: number): Generator<Buffer> {
  if (elements % PIECE !== 0) throw new RangeError(`${elements} elements are no multiple of ${PIECE}`);
  if (PIECE % perCommand !== 0) throw new RangeError(`${PIECE} is no multiple of ${perCommand} elements`);
  const words = (command: number): string[] => {
    const text = [...head];
    for (let i = command * perCommand; i < (command + 1) * perCommand; i += 1) {
      text.push(...element({ upper: UPPER, lower: String(i).padStart(3, "0") }));
    }
    return text;
  };
  const layout = Buffer.from([...protocolCommands(PIECE / perCommand, words)].join(""), "latin1");
  const places: number[] = [];
  for (let at = layout.indexOf(UPPER); at >= 0; at = layout.indexOf(UPPER, at + UPPER.length)) places.push(at);
  for (let piece = 0; piece < elements / PIECE; piece += 1) {
    const digits = Buffer.from(String(piece).padStart(UPPER.length, "0"), "latin1");
    for (const at of places) digits.copy(layout, at);
    yield Buffer.from(layout);
  }
}
