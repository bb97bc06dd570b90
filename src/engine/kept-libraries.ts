/**
 * Libraries of functions that files hold. There is nothing here that runs them; they are kept, and handed on with the
 * next file, so that nothing is lost on the way through a store. Owner thread only.
 */
import type { Arguments } from "../base/arguments.ts";
import { Slice } from "../base/bytes.ts";

/** The first line of a library's code, which names it: `#!lua name=mylib`. */
const NAME = /^#![^\n]*?[ \t]name=([^ \t\r\n]+)/i;

export class KeptLibraries {
  readonly #codes: Buffer[] = [];

  /** Their sources, in the order in which they came. */
  get codes(): readonly Uint8Array[] {
    return this.#codes;
  }

  /** @param code stays as it is */
  add(code: Buffer): void {
    this.#codes.push(code);
  }

  /**
   * Follows a command of a log: `FUNCTION LOAD [REPLACE] code`, `FUNCTION DELETE name`, `FUNCTION FLUSH [ASYNC|SYNC]`.
   * @returns whether it is one of these
   */
  takes(args: Arguments): boolean {
    const { count } = args;
    if (!args.is(0, "FUNCTION") || count < 2) return false;
    if (args.is(1, "LOAD") && (count === 3 || (count === 4 && args.is(2, "REPLACE")))) {
      this.#load(args.slice(count - 1, new Slice()).toBuffer());
    } else if (args.is(1, "DELETE") && count === 3) this.#remove(args.latin1(2));
    else if (args.is(1, "FLUSH") && count <= 3) this.#codes.length = 0;
    else return false;
    return true;
  }

  /** What was logged had succeeded: where a library of that name is there, it was replaced. */
  #load(code: Buffer): void {
    const name = nameOf(code);
    if (name !== undefined) this.#remove(name);
    this.add(code);
  }

  #remove(name: string): void {
    const index = this.#codes.findIndex((code) => nameOf(code) === name);
    if (index !== -1) this.#codes.splice(index, 1);
  }
}

function nameOf(code: Buffer): string | undefined {
  const end = code.indexOf("\n");
  return NAME.exec(code.latin1Slice(0, end === -1 ? code.length : end))?.[1];
}
