/** The operations of crash-lane.ts: their commands, what they do to the lane's state, what must be answered. */
import assert from "node:assert/strict";
import type { CrashState, Volatile } from "./crash-state.ts";
import type { Random } from "./random.ts";
import type { Reply } from "./resp-frame.ts";

export const CRASH_KINDS = [
  "INCR",
  "INCRBYFLOAT",
  "RPUSH",
  "LMOVE",
  "LPOP",
  "APPEND",
  "HSET",
  "MSET",
  "SET",
  "SET PX",
  "SET PX, short",
  "SADD",
  "SPOP",
  "ZINCRBY",
  "DEL",
] as const;
export type CrashKind = (typeof CRASH_KINDS)[number];

/** One command, and what is known of it. */
export interface Operation {
  readonly kind: CrashKind;
  readonly words: readonly string[];
  /** Different for every operation of a lane, and ascending. */
  readonly number: number;
  /** Which of several keys of its kind. */
  readonly index: number;
  readonly lifetimeMs: number;
  readonly sentAt: number;
  /** When it must have been executed, if it ever was. */
  answeredAt: number;
  answer: Reply | undefined;
}

interface KindOfOperation {
  words(name: (suffix: string) => string, number: number, index: number, lifetimeMs: number): string[];
  apply(state: CrashState, operation: Operation): void;
  /** What the server must answer in the state before it; for those of which that is worth a look. */
  answer?(state: CrashState, operation: Operation): Reply;
  /** Milliseconds that what it writes may live. */
  lifetime?(random: Random): number;
}

const LASTING_MS = 3_600_000;
const SHORT_MS_MAX = 400;

function volatile({ number, lifetimeMs, sentAt, answeredAt }: Operation): Volatile {
  return { value: number, earliest: sentAt + lifetimeMs, latest: answeredAt + lifetimeMs };
}

function popMember({ members, unknownPops }: CrashState, { answer }: Operation): void {
  if (answer === undefined) {
    if (members.length > unknownPops.length) unknownPops.push(members.at(-1)!);
  } else if (answer === null) {
    assert.equal(members.length, 0, "SPOP found nothing where members must be");
  } else {
    const at = members.indexOf(Number(answer));
    assert(at >= 0, `SPOP returned ${String(answer)}, which is no member, or was taken before`);
    members.splice(at, 1);
  }
}

export const OPERATIONS: Readonly<Record<CrashKind, KindOfOperation>> = {
  INCR: {
    words: (name) => ["INCR", name("counter")],
    apply(state) {
      state.counter += 1;
    },
    answer: (state) => state.counter + 1,
  },
  INCRBYFLOAT: {
    words: (name) => ["INCRBYFLOAT", name("float"), "0.25"],
    apply(state) {
      state.quarters += 1;
    },
    answer: (state) => String((state.quarters + 1) / 4),
  },
  RPUSH: {
    words: (name, number) => ["RPUSH", name("items"), `${number}`],
    apply(state, { number }) {
      state.items.push(number);
    },
    answer: (state) => state.items.length + 1,
  },
  LMOVE: {
    words: (name) => ["LMOVE", name("items"), name("moved"), "LEFT", "RIGHT"],
    apply(state) {
      state.moved.push(...state.items.splice(0, 1));
    },
    answer: (state) => (state.items.length === 0 ? null : String(state.items[0])),
  },
  LPOP: {
    words: (name) => ["LPOP", name("moved"), "2"],
    apply(state) {
      state.moved.splice(0, 2);
    },
    answer: (state) => (state.moved.length === 0 ? null : state.moved.slice(0, 2).map(String)),
  },
  APPEND: {
    words: (name, number) => ["APPEND", name("text"), `${number},`],
    apply(state, { number }) {
      state.text += `${number},`;
    },
    answer: (state, { number }) => state.text.length + `${number},`.length,
  },
  HSET: {
    words: (name, number) => ["HSET", name("pair"), "left", `${number}`, "right", `${number}`],
    apply(state, { number }) {
      state.pair = number;
    },
  },
  MSET: {
    words: (name, number) => ["MSET", name("twin:a"), `${number}`, name("twin:b"), `${number}`],
    apply(state, { number }) {
      state.twins = number;
    },
  },
  SET: {
    words: (name, number, index) => ["SET", name(`value:${index}`), `${number}`],
    apply(state, { index, number }) {
      state.values[index] = number;
    },
  },
  "SET PX": {
    words: (name, number, index, lifetime) => ["SET", name(`lasting:${index}`), `${number}`, "PX", `${lifetime}`],
    apply(state, operation) {
      state.lasting[operation.index] = volatile(operation);
    },
    lifetime: () => LASTING_MS,
  },
  "SET PX, short": {
    words: (name, number, index, lifetime) => ["SET", name(`short:${index}`), `${number}`, "PX", `${lifetime}`],
    apply(state, operation) {
      state.short[operation.index] = volatile(operation);
    },
    lifetime: (random) => random.between(1, SHORT_MS_MAX),
  },
  SADD: {
    words: (name, number) => ["SADD", name("members"), `${number}`, `${number + 0.5}`],
    apply(state, { number }) {
      state.members.push(number, number + 0.5);
    },
    answer: () => 2,
  },
  SPOP: { words: (name) => ["SPOP", name("members")], apply: popMember },
  ZINCRBY: {
    words: (name) => ["ZINCRBY", name("scores"), "1", "member"],
    apply(state) {
      state.score += 1;
    },
    answer: (state) => String(state.score + 1),
  },
  DEL: {
    words: (name) => ["DEL", name("text"), name("moved")],
    apply(state) {
      state.text = "";
      state.moved = [];
    },
    answer: (state) => Number(state.text !== "") + Number(state.moved.length > 0),
  },
};
