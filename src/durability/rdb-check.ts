/**
 * Checks an RDB file: reads it as the loader does, puts every value together, and keeps none. Tells what it meets, line
 * by line, in the words of redis-check-rdb.
 *
 * Why the same reading: a check that believes more than the loader, or less, is worth nothing. Only what the loader
 * refuses because it does not exist here (streams, modules) is walked over and told of, so that one run tells all.
 *
 * Owner thread only; for command lines, since it does not stop before the end of the file.
 */
import { quoted } from "../config/quoting.ts";
import { NO_DEADLINE } from "../keyspace/entry.ts";
import { Key } from "../keyspace/key.ts";
import { Keyspace } from "../keyspace/keyspace.ts";
import { RegionFullError } from "../memory/heap.ts";
import { REGION_SIZE_MAX } from "../memory/region.ts";
import { DamagedValueError, EmptyValueError, ForeignValueError } from "../rdb/format.ts";
import { ValueReader } from "../rdb/value.ts";
import type { Files } from "./files.ts";
import { skipForeignValue } from "./rdb-foreign-values.ts";
import { A_VALUE, RdbRecords } from "./rdb-records.ts";

export interface RdbCheckOptions {
  /** Offset of the file's header; 0 by default. */
  readonly start?: number;
  /** Milliseconds since 1970: what was over before has expired. */
  readonly now: number;
}

/** What has been found. */
export interface RdbCheckResult {
  /** Whether a store here would load all of it. */
  readonly isLoadable: boolean;
  readonly keys: number;
  /** Keys that have a deadline. */
  readonly volatileKeys: number;
  /** Those of them whose time was over. */
  readonly expiredKeys: number;
  /** Offset behind the last byte that has been read: of what follows, if the file is sound. */
  readonly end: number;
}

/**
 * Checks a file.
 * @param say is told each line
 * @throws the system's error if the file cannot be read
 */
export function checkRdbFile(
  files: Files,
  path: string,
  options: RdbCheckOptions,
  say: (line: string) => void,
): RdbCheckResult {
  return new RdbCheck(files, path, options, say).run();
}

class RdbCheck {
  readonly #say: (line: string) => void;
  readonly #now: number;
  readonly #path: string;
  readonly #records: RdbRecords;
  /** Where values are put together. Its region takes no memory before it is used. */
  readonly #keyspace = new Keyspace({ shards: 1, regionSize: REGION_SIZE_MAX, databases: 1 });
  readonly #key = new Key(this.#keyspace.databases[0]!);
  readonly #values = new ValueReader();
  /** The present key's name. */
  #name = "";
  #keys = 0;
  #volatileKeys = 0;
  #expiredKeys = 0;
  #emptyKeys = 0;
  /** What in the file does not exist here, and how often it was met. */
  readonly #foreign = new Map<string, number>();

  constructor(files: Files, path: string, { start = 0, now }: RdbCheckOptions, say: (line: string) => void) {
    this.#say = say;
    this.#now = now;
    this.#path = path;
    this.#records = new RdbRecords(
      files,
      path,
      { start, checksum: true },
      {
        onAux: (name, value, offset) => say(`[offset ${offset}] AUX FIELD ${shown(name)} = '${shown(value)}'`),
        onDatabase: (index, offset) => say(`[offset ${offset}] Selecting DB ID ${index}`),
        onFunction: (code, offset) => say(`[offset ${offset}] A library of functions, ${code.length} bytes`),
        onModule: (name) => this.#addForeign(`what the module ${name} kept beside keys`),
      },
    );
  }

  run(): RdbCheckResult {
    const records = this.#records;
    this.#say(`[offset ${records.start}] Checking RDB file ${this.#path}`);
    let isLoadable = false;
    try {
      while (records.next()) this.#checkKey();
      isLoadable = this.#tellOfEnd();
    } catch (error) {
      if (!(error instanceof DamagedValueError || error instanceof RegionFullError)) throw error;
      this.#tellOfDamage(error);
    } finally {
      records.close();
    }
    this.#tellOfKeys();
    return {
      isLoadable,
      keys: this.#keys,
      volatileKeys: this.#volatileKeys,
      expiredKeys: this.#expiredKeys,
      end: records.reader.offset,
    };
  }

  #checkKey(): void {
    const { key, type, reader, deadline } = this.#records;
    this.#name = key.toLatin1();
    this.#keys += 1;
    if (deadline !== NO_DEADLINE) this.#volatileKeys += 1;
    if (deadline !== NO_DEADLINE && deadline < this.#now) this.#expiredKeys += 1;
    try {
      this.#values.readAs(type, reader, this.#key);
    } catch (error) {
      if (error instanceof EmptyValueError) this.#emptyKeys += 1;
      else if (error instanceof ForeignValueError) this.#skip(type, error);
      else throw error;
      return;
    }
    this.#values.discard(this.#key);
  }

  #skip(type: number, error: ForeignValueError): void {
    const { reader, start } = this.#records;
    const what = skipForeignValue(reader, type);
    if (what === undefined) throw error;
    if (!this.#foreign.has(what)) {
      this.#say(`[offset ${start}] Key '${shown(this.#name)}' is ${what}, which does not exist here`);
    }
    this.#addForeign(what);
  }

  #addForeign(what: string): void {
    this.#foreign.set(what, (this.#foreign.get(what) ?? 0) + 1);
  }

  /** @returns whether all of the file can be loaded */
  #tellOfEnd(): boolean {
    const { isSumRight, reader } = this.#records;
    const at = `[offset ${reader.offset}]`;
    if (isSumRight === true) this.#say(`${at} Checksum OK`);
    else this.#say(`${at} RDB file was saved with checksum disabled: no check performed.`);
    if (this.#foreign.size === 0) {
      this.#say(`${at} \\o/ RDB looks OK! \\o/`);
      return true;
    }
    this.#say(`${at} The file is whole, but it cannot be loaded: some of it does not exist here.`);
    for (const [what, count] of this.#foreign) this.#say(`[info] ${what}: ${count}`);
    return false;
  }

  #tellOfDamage(error: Error): void {
    const { doing, type, reader, start, database } = this.#records;
    this.#say("--- RDB ERROR DETECTED ---");
    this.#say(`[offset ${reader.offset}] ${error.message}`);
    this.#say(`[additional info] While doing: reading ${doing}, from byte ${start} on`);
    if (doing !== A_VALUE) return;
    this.#say(`[additional info] Reading key '${shown(this.#name)}' in database ${database}`);
    this.#say(`[additional info] Reading type ${type}`);
  }

  #tellOfKeys(): void {
    this.#say(`[info] ${this.#keys} keys read`);
    this.#say(`[info] ${this.#volatileKeys} expires`);
    this.#say(`[info] ${this.#expiredKeys} already expired`);
    if (this.#emptyKeys > 0) this.#say(`[info] ${this.#emptyKeys} without elements, which are not loaded`);
  }
}

/** On one line, and not without end. */
function shown(text: string): string {
  return quoted(text.slice(0, SHOWN_MAX)).slice(1, -1);
}

const SHOWN_MAX = 200;
