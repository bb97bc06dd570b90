/**
 * How arguments are written on one line of a configuration file, read and written.
 *
 *     plain        ends at a space, a tab or the end of the line
 *     "double"     \n \r \t \b \a \xHH, and a backslash before any other character gives that character
 *     'single'     as it stands, except for \'
 *
 * All text of a configuration is a byte string here: one character for each byte, as latin1 decodes. So any value
 * survives a round trip, also a password that is no UTF-8, and an escape \xHH needs no context.
 */
const BLANK = /[ \t\n\v\f\r]/;
const ENDS_PLAIN = /[ \t\n\r"']/;
const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", b: "\b", a: "\x07" };
const ESCAPED: ReadonlyMap<string, string> = new Map([
  ...Object.entries(ESCAPES).map(([letter, character]): [string, string] => [character, `\\${letter}`]),
  ['"', '\\"'],
  ["\\", "\\\\"],
]);

/** The byte string of a text: its UTF-8 bytes. */
export function bytesOfText(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

/** The text whose UTF-8 bytes a byte string holds. */
export function textOfBytes(bytes: string): string {
  return Buffer.from(bytes, "latin1").toString("utf8");
}

/** The arguments on a line, or undefined when a quote is not closed, or is closed in the middle of an argument. */
export function splitArguments(line: string): string[] | undefined {
  const words: string[] = [];
  for (let at = pastBlanks(line, 0); at < line.length; at = pastBlanks(line, at)) {
    const word = readWord(line, at);
    if (word === undefined) return undefined;
    words.push(word.text);
    at = word.end;
  }
  return words;
}

/** `value` in double quotes, so that `splitArguments` reads exactly it. */
export function quoted(value: string): string {
  let text = "";
  for (const character of value) {
    const plain = character >= " " && character <= "~";
    const code = `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
    text += ESCAPED.get(character) ?? (plain ? character : code);
  }
  return `"${text}"`;
}

function pastBlanks(line: string, at: number): number {
  while (at < line.length && BLANK.test(line[at]!)) at += 1;
  return at;
}

interface Word {
  readonly text: string;
  readonly end: number;
}

function readWord(line: string, start: number): Word | undefined {
  let end = start;
  while (end < line.length && !ENDS_PLAIN.test(line[end]!)) end += 1;
  const plain = line.slice(start, end);
  if (line[end] !== '"' && line[end] !== "'") return { text: plain, end };
  const rest = line[end] === '"' ? readDoubleQuoted(line, end + 1) : readSingleQuoted(line, end + 1);
  if (rest === undefined || (rest.end < line.length && !BLANK.test(line[rest.end]!))) return undefined;
  return { text: plain + rest.text, end: rest.end };
}

function readDoubleQuoted(line: string, at: number): Word | undefined {
  let text = "";
  while (at < line.length) {
    const character = line[at]!;
    if (character === '"') return { text, end: at + 1 };
    const byte = /^\\x([0-9a-fA-F]{2})/.exec(line.slice(at, at + 4));
    if (byte !== null) {
      text += String.fromCharCode(Number.parseInt(byte[1]!, 16));
      at += 4;
    } else if (character === "\\" && at + 1 < line.length) {
      text += ESCAPES[line[at + 1]!] ?? line[at + 1]!;
      at += 2;
    } else {
      text += character;
      at += 1;
    }
  }
  return undefined;
}

function readSingleQuoted(line: string, at: number): Word | undefined {
  let text = "";
  while (at < line.length) {
    if (line[at] === "'") return { text, end: at + 1 };
    if (line.startsWith("\\'", at)) at += 1;
    text += line[at]!;
    at += 1;
  }
  return undefined;
}
