/** Which arguments of a command are keys: COMMAND GETKEYS, and the first three numbers of COMMAND INFO. */
import type { Arguments } from "../base/arguments.ts";
import type { Command, KeySpec } from "./command.ts";

/** A key among a command's arguments, and what happens to it. */
export interface KeyReference {
  readonly index: number;
  readonly flags: readonly string[];
}

/**
 * Finds the keys of a whole command that stands among `args`.
 * @param name index of the command's name
 * @returns undefined where the arguments make no sense
 */
export function findKeys(command: Command, args: Arguments, name: number): readonly KeyReference[] | undefined {
  const found: KeyReference[] = [];
  for (const spec of command.keys ?? []) {
    if (spec.flags.includes("not_key")) continue;
    const first = beginningOf(spec, args, name);
    if (first === undefined) continue;
    const range = rangeOf(spec, args, first);
    if (range === undefined || range.last >= args.count || range.last < range.first) return undefined;
    const flags = spec.flagsOf?.(args, name) ?? spec.flags;
    for (let index = range.first; index <= range.last; index += range.step) found.push({ index, flags });
  }
  return found;
}

/** Index of the first key, or undefined where the word that announces it is missing. */
function beginningOf({ begin }: KeySpec, args: Arguments, name: number): number | undefined {
  if ("index" in begin) return name + begin.index;
  if ("locate" in begin) return begin.locate(args, name);
  const isForward = begin.from > 0;
  const step = isForward ? 1 : -1;
  const start = isForward ? name + begin.from : args.count + begin.from;
  for (let index = start; index > name && index < args.count; index += step) {
    if (args.is(index, begin.keyword)) return index + 1;
  }
  return undefined;
}

interface KeyRange {
  readonly first: number;
  readonly last: number;
  readonly step: number;
}

function rangeOf({ find }: KeySpec, args: Arguments, first: number): KeyRange | undefined {
  if ("keyCountAt" in find) {
    const at = first + find.keyCountAt;
    const count = at < args.count ? args.int64(at) : undefined;
    if (typeof count !== "number" || count < 0) return undefined;
    return { first: first + find.first, last: first + find.first + count - 1, step: find.step };
  }
  const { last, step, limit } = find;
  if (last >= 0) return { first, last: first + last, step };
  if (limit === 0) return { first, last: args.count + last, step };
  return { first, last: first + Math.trunc((args.count - first) / limit) + last, step };
}

/** Where keys are, in the terms of Redis before 7: enough for most commands. All zero where there is no such range. */
export interface LegacyRange extends KeyRange {
  /** Whether the range does not tell all keys. */
  readonly isPartial: boolean;
}

/** The range that the key specifications come to, as far as they do. */
export function legacyRange(specs: readonly KeySpec[]): LegacyRange {
  const ranges = specs.map((spec) => plainRange(spec));
  let isPartial = specs.some(({ flags }) => flags.includes("incomplete"));
  if (ranges.length === 1 && ranges[0] !== undefined) return { ...ranges[0], isPartial };
  let first = 0;
  let last = 0;
  for (const range of ranges) {
    const continues = last === 0 || last === (range?.first ?? 0) - 1;
    if (range === undefined || range.step !== 1 || !continues) {
      isPartial = true;
      continue;
    }
    if (first === 0) first = range.first;
    // As unsigned numbers: what is counted from the end is behind all that is counted from the beginning.
    last = range.last >>> 0 > last >>> 0 ? range.last : last;
  }
  if (first === 0) return { first: 0, last: 0, step: 0, isPartial: specs.length > 0 };
  return { first, last, step: 1, isPartial };
}

function plainRange({ begin, find }: KeySpec): KeyRange | undefined {
  if (!("index" in begin) || "keyCountAt" in find) return undefined;
  return { first: begin.index, last: find.last < 0 ? find.last : begin.index + find.last, step: find.step };
}
