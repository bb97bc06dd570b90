/** Append-only logs, made in a test byte by byte: by the writer's format, but by none of its code. */

import { crc32 } from "node:zlib";

/** A command in RESP. */
export function resp(...words: readonly (string | Buffer)[]): Buffer {
  const parts: Buffer[] = [Buffer.from(`*${words.length}\r\n`)];
  for (const word of words) {
    const bytes = typeof word === "string" ? Buffer.from(word, "latin1") : word;
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from("\r\n"));
  }
  return Buffer.concat(parts);
}

/** A batch of commands, its line before it. */
export function batch(sequence: number, ...commands: readonly Buffer[]): Buffer {
  const body = Buffer.concat(commands);
  const crc = crc32(body).toString(16).padStart(8, "0");
  return Buffer.concat([Buffer.from(`#stillwater:${sequence} ${body.length} ${crc}\r\n`), body]);
}

/** Commands that belong together. */
export type Unit = readonly (readonly (string | Buffer)[])[];

/** What was appended to a log under `always`, which is padded at its end; batches end with "\r\n". */
export function withoutPadding(log: string): string {
  return log.replace(/(?:#+\n)+$/, "");
}

/** A log that is put together piece by piece, and that knows where a crash would have left it in order. */
export class LogBuilder {
  /** Where something ends that is complete, and how many commands stand before it, in order. */
  readonly boundaries: { end: number; commands: number }[] = [{ end: 0, commands: 0 }];
  /** All commands, in RESP, as a reader gives them out: MULTI and EXEC too. */
  readonly commands: Buffer[] = [];
  sequence = 0;
  readonly #pieces: Buffer[] = [];
  #length = 0;

  get bytes(): Buffer {
    return Buffer.concat(this.#pieces);
  }

  batch(...units: readonly Unit[]): this {
    this.sequence += 1;
    return this.#add(batch(this.sequence, ...units.flatMap((unit) => this.#take(unit))));
  }

  /** As Redis writes it. */
  foreign(unit: Unit): this {
    return this.#add(Buffer.concat(this.#take(unit)));
  }

  line(text: string): this {
    return this.#add(Buffer.from(`${text}\r\n`, "latin1"));
  }

  /** The last boundary that a file of so many bytes has reached. */
  boundaryAt(length: number): { end: number; commands: number } {
    return this.boundaries.findLast(({ end }) => end <= length)!;
  }

  #take(unit: Unit): Buffer[] {
    const commands = unit.map((words) => resp(...words));
    const taken = unit.length === 1 ? commands : [resp("MULTI"), ...commands, resp("EXEC")];
    this.commands.push(...taken);
    return taken;
  }

  #add(piece: Buffer): this {
    this.#pieces.push(piece);
    this.#length += piece.length;
    this.boundaries.push({ end: this.#length, commands: this.commands.length });
    return this;
  }
}
