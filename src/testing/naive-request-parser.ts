/**
 * What a stream of requests means, said as plainly as possible: the twin that the real parser is compared with. It
 * takes the whole input at once, as a text of one character a byte, and cares for nothing else.
 */
export interface NaiveLimits {
  readonly bulkMax: number;
  readonly isAuthenticated: boolean;
}

export interface NaiveResult {
  /** Every complete request, as its arguments. */
  readonly requests: readonly (readonly string[])[];
  /** The text of the protocol error that ends the stream, if one does. */
  readonly error: string | undefined;
  /** Characters of the unfinished request at the end. */
  readonly rest: number;
}

const LINE_MAX = 65536;

class Refused extends Error {}

/** Thrown where a request is not complete. */
class Unfinished extends Error {}

/** Reads `text` to its end, or to the first error. */
export function parseNaively(text: string, limits: NaiveLimits): NaiveResult {
  const requests: string[][] = [];
  let at = 0;
  try {
    while (at < text.length) {
      const [request, end] = text[at] === "*" ? multibulk(text, at, limits) : inline(text, at);
      if (request.length > 0) requests.push(request);
      at = end;
    }
  } catch (error) {
    if (error instanceof Refused) return { requests, error: `Protocol error: ${error.message}`, rest: 0 };
    if (!(error instanceof Unfinished)) throw error;
  }
  return { requests, error: undefined, rest: text.length - at };
}

function multibulk(text: string, begin: number, limits: NaiveLimits): [request: string[], end: number] {
  const header = line(text, begin, "\r", "too big mbulk count string");
  const count = integer(header.slice(1));
  if (count === undefined || count > 2n ** 31n - 1n) throw new Refused("invalid multibulk length");
  if (count > 10n && !limits.isAuthenticated) throw new Refused("unauthenticated multibulk length");
  const request: string[] = [];
  let at = begin + header.length + 2;
  while (request.length < Number(count)) {
    const start = line(text, at, "\r", "too big bulk count string");
    if (text[at] !== "$") throw new Refused(`expected '$', got '${text[at]}'`);
    const length = integer(start.slice(1));
    const isValid = length !== undefined && length >= 0n && length <= BigInt(limits.bulkMax);
    if (!isValid) throw new Refused("invalid bulk length");
    if (length > 16384n && !limits.isAuthenticated) throw new Refused("unauthenticated bulk length");
    at += start.length + 2;
    const end = at + Number(length);
    if (end + 2 > text.length) throw new Unfinished();
    request.push(text.slice(at, end));
    at = end + 2;
  }
  return [request, at];
}

function inline(text: string, begin: number): [request: string[], end: number] {
  const whole = line(text, begin, "\n", "too big inline request");
  const word = /[ \t\n\v\f\r]*([^ \t\n\r"']*)(?:"((?:\\[\s\S]|[^"\\])*)"|'((?:\\'|[^'\\]|\\(?!'))*)')?/y;
  const request: string[] = [];
  const content = whole.replace(/\r$/, "");
  while (!/^[ \t\n\v\f\r]*$/.test(content.slice(word.lastIndex))) {
    const [, plain, double, single] = word.exec(content)!;
    const next = content[word.lastIndex] ?? " ";
    const isQuoted = double !== undefined || single !== undefined;
    if (next === '"' || next === "'" || (isQuoted && !/[ \t\n\v\f\r]/.test(next))) {
      throw new Refused("unbalanced quotes in request");
    }
    request.push(plain! + unescaped(double ?? "") + (single ?? "").replaceAll("\\'", "'"));
  }
  return [request, begin + whole.length + 1];
}

function unescaped(text: string): string {
  return text.replace(/\\(x[0-9a-fA-F]{2}|[\s\S])/g, (_, escaped: string) => {
    if (escaped.length === 3) return String.fromCharCode(Number.parseInt(escaped.slice(1), 16));
    return { n: "\n", r: "\r", t: "\t", b: "\b", a: "\x07" }[escaped] ?? escaped;
  });
}

/** What stands before `end`; the line must be there in full, for "\r" with one byte more. */
function line(text: string, at: number, end: "\r" | "\n", tooLong: string): string {
  const found = text.slice(at, at + LINE_MAX + 1).indexOf(end);
  if (found === -1 && text.length - at > LINE_MAX) throw new Refused(tooLong);
  if (found === -1 || (end === "\r" && at + found + 2 > text.length)) throw new Unfinished();
  return text.slice(at, at + found);
}

function integer(text: string): bigint | undefined {
  if (!/^(0|-?[1-9][0-9]{0,18})$/.test(text)) return undefined;
  const value = BigInt(text);
  return value === BigInt.asIntN(64, value) ? value : undefined;
}
