/**
 * RESP as a test sees it: where a reply's bytes end, what they mean, and how to print them.
 *
 *     + - : _ # , (      the rest of the line
 *     $ ! =              a length line, then that many bytes and CRLF (length -1: null)
 *     * ~ >              a count line, then that many replies        (count -1: null)
 *     %                  a count line, then twice that many replies
 *     |                  a count line, then twice that many replies, then the reply they describe
 *
 * Written apart from the server's own protocol layer on purpose: a mistake made there must not be made here too.
 */
export type Argument = string | number | bigint | Uint8Array;

/** A RESP error, as `decode` returns it. */
export interface ErrorReply {
  readonly error: string;
}

/** What `decode` makes of a reply; bulk strings that are not UTF-8 stay bytes. */
export type Reply =
  | string
  | number
  | bigint
  | boolean
  | null
  | Buffer
  | ErrorReply
  | { readonly push: readonly Reply[] }
  | { readonly attributes: ReadonlyMap<Reply, Reply>; readonly value: Reply }
  | readonly Reply[]
  | ReadonlyMap<Reply, Reply>
  | ReadonlySet<Reply>;

/** The bytes of a command as clients send it: an array of bulk strings. */
export function encodeCommand(command: readonly Argument[]): Buffer {
  const parts: Buffer[] = [];
  // Text up to the next argument that is bytes becomes bytes at once: millions of commands are encoded in a test run.
  let text = `*${command.length}\r\n`;
  for (const argument of command) {
    if (argument instanceof Uint8Array) {
      parts.push(Buffer.from(`${text}$${argument.byteLength}\r\n`), argumentBytes(argument));
      text = "\r\n";
    } else {
      const word = String(argument);
      text += `$${Buffer.byteLength(word)}\r\n${word}\r\n`;
    }
  }
  parts.push(Buffer.from(text));
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
}

/** An argument's bytes: text as UTF-8, numbers in decimal. */
export function argumentBytes(argument: Argument): Buffer {
  if (argument instanceof Uint8Array) return Buffer.from(argument.buffer, argument.byteOffset, argument.byteLength);
  return Buffer.from(String(argument));
}

/**
 * The index just behind the reply that starts at `at`; while bytes are missing, minus the least number of them.
 * Throws when the bytes are no reply at all.
 */
export function replyEnd(bytes: Buffer, at = 0): number {
  let next = at;
  for (let outstanding = 1; outstanding > 0; ) {
    const lineEnd = bytes.indexOf("\r\n", next);
    if (lineEnd < 0) return -1;
    const type = String.fromCharCode(bytes[next]!);
    const line = bytes.toString("latin1", next + 1, lineEnd);
    next = lineEnd + 2;
    outstanding -= 1;
    if ("+-:_#,(".includes(type)) continue;
    const size = declaredSize(type, line);
    if ("$!=".includes(type)) {
      if (size < 0) continue;
      if (next + size + 2 > bytes.length) return bytes.length - (next + size + 2);
      if (bytes.toString("latin1", next + size, next + size + 2) !== "\r\n")
        throw new Error(`no CRLF behind ${type}${line}`);
      next += size + 2;
    } else if ("*~>".includes(type)) outstanding += Math.max(size, 0);
    else if (type === "%") outstanding += 2 * size;
    else outstanding += 2 * size + 1;
  }
  return next;
}

function declaredSize(type: string, line: string): number {
  if (!"$!=*~>%|".includes(type)) throw new Error(`not a reply type: ${printable(Buffer.from(type + line, "latin1"))}`);
  if (!/^(-1|\d+)$/.test(line)) throw new Error(`not a length: ${printable(Buffer.from(type + line, "latin1"))}`);
  return Number(line);
}

/** One complete reply as JavaScript values, for asserts that read well. */
export function decode(bytes: Buffer): Reply {
  const decoder = new Decoder(bytes);
  const reply = decoder.next();
  if (decoder.at !== bytes.length) throw new Error(`${bytes.length - decoder.at} bytes behind the reply`);
  return reply;
}

class Decoder {
  readonly bytes: Buffer;
  at = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  next(): Reply {
    const type = String.fromCharCode(this.bytes[this.at]!);
    const line = this.#line();
    switch (type) {
      case "+":
        return line.toString();
      case "-":
        return { error: line.toString() };
      case ":":
        return integer(line.toString());
      case "_":
        return null;
      case "#":
        return line.toString() === "t";
      case ",":
        return double(line.toString());
      case "(":
        return BigInt(line.toString());
      case "$":
        return this.#bulk(declaredSize(type, line.toString()));
      case "!":
        return { error: String(this.#bulk(declaredSize(type, line.toString()))) };
      case "=":
        return String(this.#bulk(declaredSize(type, line.toString()))).slice(4);
      case "*":
        return Number(line) < 0 ? null : this.#list(declaredSize(type, line.toString()));
      case "~":
        return new Set(this.#list(declaredSize(type, line.toString())));
      case ">":
        return { push: this.#list(declaredSize(type, line.toString())) };
      case "%":
        return this.#map(declaredSize(type, line.toString()));
      case "|": {
        const attributes = this.#map(declaredSize(type, line.toString()));
        return { attributes, value: this.next() };
      }
      default:
        throw new Error(`not a reply type: ${printable(Buffer.from(type))}`);
    }
  }

  #line(): Buffer {
    const end = this.bytes.indexOf("\r\n", this.at);
    if (end < 0) throw new Error("the reply is incomplete");
    const line = this.bytes.subarray(this.at + 1, end);
    this.at = end + 2;
    return line;
  }

  #bulk(size: number): string | Buffer | null {
    if (size < 0) return null;
    const bytes = this.bytes.subarray(this.at, this.at + size);
    this.at += size + 2;
    const text = bytes.toString();
    return Buffer.from(text).equals(bytes) ? text : bytes;
  }

  #list(count: number): Reply[] {
    return Array.from({ length: count }, () => this.next());
  }

  #map(count: number): Map<Reply, Reply> {
    return new Map(Array.from({ length: count }, (): [Reply, Reply] => [this.next(), this.next()]));
  }
}

function integer(text: string): number | bigint {
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : BigInt(text);
}

function double(text: string): number {
  if (text === "inf") return Infinity;
  return text === "-inf" ? -Infinity : Number(text);
}

/** Bytes as one line of ASCII with C-like escapes, cut in the middle beyond `limit` bytes. */
export function printable(bytes: Uint8Array, limit = 400): string {
  if (bytes.length > limit) {
    const head = printable(bytes.subarray(0, limit / 2), limit);
    const tail = printable(bytes.subarray(bytes.length - limit / 4), limit);
    return `${head} … ${tail} (${bytes.length} bytes)`;
  }
  return Array.from(bytes, (byte) => {
    if (byte === 13) return "\\r";
    if (byte === 10) return "\\n";
    if (byte === 92) return "\\\\";
    return byte >= 32 && byte < 127 ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, "0")}`;
  }).join("");
}

/** A command as one would type it into redis-cli. */
export function printableCommand(command: readonly Argument[]): string {
  return command
    .map((argument) => {
      const text = printable(argumentBytes(argument), 200);
      return /^[\w:.*+#{}-]+$/.test(text) ? text : `"${text.replaceAll('"', '\\"')}"`;
    })
    .join(" ");
}
