/**
 * CrashState: what a lane of crash-lane.ts holds after some number of its operations, and how it differs from what a
 * server holds in the lane's keys. Kept by plain fields and lists, apart from anything the server is made of.
 */
import { isDeepStrictEqual } from "node:util";
import type { Reply } from "./resp-frame.ts";

/** A key with a deadline, which lies between two moments, in milliseconds since 1970. */
export interface Volatile {
  readonly value: number;
  readonly earliest: number;
  readonly latest: number;
}

/** What the server holds in a lane's keys, and when that was read. */
export interface Observation {
  readonly replies: readonly Reply[];
  readonly begunAt: number;
  readonly endedAt: number;
  /** Whether keys with deadlines may have been evicted since they were read last; by default not. */
  readonly mayEvict?: boolean;
}

export const KEYS_OF_A_KIND = 4;
/** How far the server's clock, which stands still within a turn, may be from ours. */
const CLOCK_SLACK_MS = 20;

type Name = (suffix: string) => string;
const INDICES = Array.from({ length: KEYS_OF_A_KIND }, (_, index) => index);
const MEMBERS_AT = 8;
const SCORE_AT = 9;
const DEADLINES_AT = 10;

/** The commands by which a lane is read, in the order in which `CrashState` expects the replies. */
export function readersOf(name: Name): readonly (readonly string[])[] {
  return [
    ["GET", name("counter")],
    ["GET", name("float")],
    ["LRANGE", name("items"), "0", "-1"],
    ["LRANGE", name("moved"), "0", "-1"],
    ["GET", name("text")],
    ["HMGET", name("pair"), "left", "right"],
    ["MGET", name("twin:a"), name("twin:b")],
    ["MGET", ...INDICES.map((index) => name(`value:${index}`))],
    ["SMEMBERS", name("members")],
    ["ZSCORE", name("scores"), "member"],
    ...["lasting", "short"].flatMap((kind) =>
      INDICES.flatMap((index) => [
        ["GET", name(`${kind}:${index}`)],
        ["PEXPIRETIME", name(`${kind}:${index}`)],
      ]),
    ),
  ];
}

export class CrashState {
  counter = 0;
  /** Of INCRBYFLOAT: quarters are exact in binary, whatever computes them. */
  quarters = 0;
  score = 0;
  pair = 0;
  twins = 0;
  text = "";
  items: number[] = [];
  moved: number[] = [];
  /** Ascending, which is the order in which they were added. */
  members: number[] = [];
  /** For every SPOP of which it is not known what it took: the last member there was. Ascending as well. */
  unknownPops: number[] = [];
  values: (number | undefined)[] = INDICES.map(() => undefined);
  lasting: (Volatile | undefined)[] = INDICES.map(() => undefined);
  short: (Volatile | undefined)[] = INDICES.map(() => undefined);

  copy(): CrashState {
    return Object.assign(new CrashState(), structuredClone({ ...this }));
  }

  /** The first thing in which the server's keys are not this state, in words, or undefined. */
  differenceFrom(observation: Observation): string | undefined {
    const { replies } = observation;
    for (const [index, [what, wanted]] of this.#plain().entries()) {
      if (!isDeepStrictEqual(replies[index], wanted)) return shown(what, wanted, replies[index]);
    }
    const members = this.#memberDifference(replies[MEMBERS_AT] as readonly string[]);
    if (members !== undefined) return members;
    const score = this.score === 0 ? null : String(this.score);
    if (replies[SCORE_AT] !== score) return shown("score", score, replies[SCORE_AT]);
    for (const [index, entry] of [...this.lasting, ...this.short].entries()) {
      const [found, deadline] = replies.slice(DEADLINES_AT + 2 * index);
      const difference = volatileDifference(entry, found, Number(deadline), observation);
      if (difference !== undefined) return `key ${index} with a deadline: ${difference}`;
    }
    return undefined;
  }

  /** Now that it has been seen: which members are left, and what the deadlines are, which no restart may change. */
  adopt({ replies, mayEvict = false }: Observation): void {
    const present = new Set((replies[MEMBERS_AT] as readonly string[]).map(Number));
    this.members = this.members.filter((member) => present.has(member));
    this.unknownPops = [];
    for (const [list, from] of [[this.lasting, 0] as const, [this.short, KEYS_OF_A_KIND] as const]) {
      for (const [index, entry] of list.entries()) {
        const at = DEADLINES_AT + 2 * (from + index);
        const deadline = Number(replies[at + 1]);
        // What has been evicted must not come back.
        if (mayEvict && replies[at] === null) list[index] = undefined;
        else if (entry !== undefined && deadline > 0) list[index] = { ...entry, earliest: deadline, latest: deadline };
      }
    }
  }

  #plain(): readonly [what: string, wanted: Reply][] {
    return [
      ["counter", this.counter === 0 ? null : String(this.counter)],
      ["float", this.quarters === 0 ? null : String(this.quarters / 4)],
      ["items", this.items.map(String)],
      ["moved", this.moved.map(String)],
      ["text", this.text === "" ? null : this.text],
      ["pair", twice(this.pair)],
      ["twins", twice(this.twins)],
      ["values", this.values.map((value) => (value === undefined ? null : String(value)))],
    ];
  }

  /** Members may be missing only where an SPOP that was not answered may have taken them. */
  #memberDifference(found: readonly string[]): string | undefined {
    const present = new Set(found.map(Number));
    const missing = this.members.filter((member) => !present.has(member));
    if (present.size !== this.members.length - missing.length) {
      return `members: ${found.filter((member) => !this.members.includes(Number(member)))} should not be there`;
    }
    const isTaken = missing.length === this.unknownPops.length;
    // Both ascend: the earliest pop, which had the fewest to take from, took the earliest member of all missing ones.
    if (isTaken && missing.every((member, index) => member <= this.unknownPops[index]!)) return undefined;
    return `members: ${missing} missing, of which ${this.unknownPops.length} may be`;
  }
}

function twice(value: number): Reply {
  return value === 0 ? [null, null] : [String(value), String(value)];
}

function shown(what: string, wanted: Reply, found: Reply | undefined): string {
  return `${what}: ${JSON.stringify(found)} instead of ${JSON.stringify(wanted)}`;
}

function volatileDifference(
  entry: Volatile | undefined,
  found: Reply | undefined,
  deadline: number,
  { begunAt, endedAt, mayEvict = false }: Observation,
): string | undefined {
  if (entry === undefined) return found === null ? undefined : `${String(found)} instead of nothing`;
  const { value, earliest, latest } = entry;
  if (found === null) {
    return mayEvict || endedAt + CLOCK_SLACK_MS >= earliest
      ? undefined
      : `${value} is missing, ${earliest - endedAt} ms too early`;
  }
  if (found !== String(value)) return `${String(found)} instead of ${value}`;
  if (begunAt > latest + CLOCK_SLACK_MS) return `${value} is still there, ${begunAt - latest} ms too late`;
  if (deadline === -2) return undefined; // it expired between the two questions
  const slack = earliest === latest ? 0 : CLOCK_SLACK_MS;
  if (deadline >= earliest - slack && deadline <= latest + slack) return undefined;
  return `${value} has the deadline ${deadline}, not one from ${earliest} to ${latest}`;
}
