/** The naive twin of databases whose keys, and fields of hashes, have deadlines: Maps, and a clock. */
import type { CommandRunner } from "./commands.ts";

export const DATABASES = 2;
/** Where the clock begins, in milliseconds since 1970. */
export const START = Date.UTC(2025, 0, 1);

export interface Field {
  readonly value: string;
  readonly deadline: number | undefined;
}
export type Hash = Map<string, Field>;
export interface Entry {
  readonly value: string | Hash;
  readonly deadline: number | undefined;
}
export type TwinDatabase = Map<string, Entry>;

export class Twin {
  databases: TwinDatabase[] = Array.from({ length: DATABASES }, () => new Map());
  selected = 0;
  now = START;
  /** Keys whose last fields have expired, of any database. */
  readonly emptied = new Set<string>();

  get current(): TwinDatabase {
    return this.databases[this.selected]!;
  }

  hash(key: string): Hash | undefined {
    const value = this.current.get(key)?.value;
    return typeof value === "object" ? value : undefined;
  }

  isOver(deadline: number | undefined): boolean {
    return deadline !== undefined && deadline <= this.now;
  }

  /** Time is what it is now: whatever is over is gone. */
  settle(): void {
    for (const database of this.databases) {
      for (const [name, { value, deadline }] of database) {
        if (typeof value === "object") {
          for (const [field, { deadline }] of value) if (this.isOver(deadline)) value.delete(field);
        }
        if (!this.isOver(deadline) && (typeof value === "string" || value.size > 0)) continue;
        database.delete(name);
        if (typeof value === "object") this.emptied.add(name);
      }
    }
  }

  /** Removes a hash without fields; the store may have some left that have expired. */
  removeIfEmpty(key: string): void {
    if (this.hash(key)?.size !== 0) return;
    this.current.delete(key);
    this.emptied.add(key);
  }

  /** Looks at the hashes whose fields have all expired. */
  lookAtEmptied(runner: CommandRunner): void {
    for (let index = 0; index < DATABASES && this.emptied.size > 0; index++) {
      runner.run("SELECT", index);
      for (const key of this.emptied) runner.run("HGETALL", key);
    }
    runner.run("SELECT", this.selected);
    this.emptied.clear();
  }
}

/** Does one thing on both sides; replies that matter are compared here. */
export type Step = (twin: Twin, runner: CommandRunner) => void;

export function cloned({ value, deadline }: Entry): Entry {
  return { value: typeof value === "string" ? value : new Map(value), deadline };
}
