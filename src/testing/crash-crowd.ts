/**
 * CrashCrowd: keys that come in crowds and go by themselves, in a server that may be killed at any moment: they are
 * evicted, or their time is up. Beside the lanes of crash-lane.ts, which hold what must not go.
 *
 *     one batch   MGET of some that were there │ SET of new ones, with deadlines
 *                 └ missing: gone ─────────────┘ └ acknowledged: what stood in front of it in the log is promised, too
 *
 * A key's name is a number that is used once. So what was found missing, and was followed by a write of the same
 * connection that was acknowledged, must never be there again: its removal is in the log before that write. What was
 * acknowledged must be there, unless its time is up, or it may have been evicted since.
 */
import assert from "node:assert/strict";
import type { Random } from "./random.ts";
import { decode, type Reply } from "./resp-frame.ts";

/** How keys are made to go. */
export type Pressure = "eviction" | "expiry";

interface Member {
  readonly number: number;
  readonly length: number;
  readonly lifetimeMs: number;
  /** Its deadline lies between these, in milliseconds since 1970. */
  readonly earliest: number;
  latest: number;
  isAnswered: boolean;
  /** Whether it was promised. */
  isSure: boolean;
}

interface Batch {
  readonly looked: readonly Member[];
  readonly written: readonly Member[];
}

/** What the server holds of the crowd, and when that was read. */
export interface CrowdObservation {
  readonly names: readonly string[];
  /** Of each name, or null if it has expired since. */
  readonly values: readonly Reply[];
  readonly begunAt: number;
  readonly endedAt: number;
  /** Whether keys may have been evicted since it was looked at last. */
  readonly mayEvict: boolean;
}

const LOOKS_MAX = 30;
const LASTING_MS = 3_600_000;
const SHORT_MS_MAX = 300;
/** Of the keys that expire, a part that does not yet. */
const LASTING_CHANCE = 0.03;
const MANNERS = {
  eviction: { length: 16_000, writesMax: 8 },
  expiry: { length: 40, writesMax: 30 },
} as const;
/** How far the server's clock, which stands still within a turn, may be from ours. */
const CLOCK_SLACK_MS = 20;

export class CrashCrowd {
  /** Keys that had been promised and were found after a crash; and those known to be evicted, or expired, and gone. */
  kept = 0;
  evicted = 0;
  expired = 0;
  readonly #random: Random;
  #number = 0;
  #members = new Map<number, Member>();
  /** Those of which it is known for sure that they are gone, and whether eviction took them. */
  readonly #gone = new Map<number, "evicted" | "expired">();
  /** Found missing while nothing was promised. */
  #missing: Member[] = [];
  #isPromised = true;
  #batch: Batch = { looked: [], written: [] };

  constructor(random: Random) {
    this.#random = random;
  }

  /** Makes the next batch. @returns its commands, to be sent at once */
  next(pressure: Pressure): readonly (readonly string[])[] {
    const random = this.#random;
    const { length, writesMax } = MANNERS[pressure];
    const there = [...this.#members.values()].filter(({ isAnswered }) => isAnswered);
    const looked = there.length === 0 ? [] : Array.from({ length: LOOKS_MAX }, () => random.pick(there));
    const written = Array.from({ length: random.between(1, writesMax) }, () => {
      const isLasting = pressure === "eviction" || random.chance(LASTING_CHANCE);
      return this.#add(length, isLasting ? LASTING_MS : random.between(1, SHORT_MS_MAX));
    });
    this.#batch = { looked: [...new Set(looked)], written };
    return [
      ["MGET", "crowd:0", ...this.#batch.looked.map(nameOf)],
      ...written.map((member) => ["SET", nameOf(member), contentOf(member), "PX", `${member.lifetimeMs}`]),
    ];
  }

  /**
   * The answers to the first commands of the batch.
   * @param mayEvict whether keys may be evicted meanwhile
   * @throws AssertionError if one is wrong
   */
  answered(replies: readonly Buffer[], mayEvict: boolean): void {
    const [values, ...acknowledgements] = replies;
    if (values === undefined) return;
    const { looked, written } = this.#batch;
    const answeredAt = Date.now();
    const found = (decode(values) as readonly Reply[]).slice(1);
    const missing = looked.filter((member, index) => {
      if (found[index] !== null) assert.equal(found[index], contentOf(member), nameOf(member));
      else assert.ok(mayEvict || isOver(member, answeredAt), `${nameOf(member)} is missing while the server runs`);
      return found[index] === null;
    });
    for (const [index, reply] of acknowledgements.entries()) {
      assert.equal(reply.toString(), "+OK\r\n");
      const member = written[index]!;
      member.isAnswered = true;
      member.isSure = this.#isPromised;
      member.latest = answeredAt + member.lifetimeMs;
    }
    if (acknowledgements.length === 0) return;
    this.#missing.push(...missing);
    if (this.#isPromised) this.#makeSure(answeredAt);
  }

  /** From here on, answers promise nothing. */
  suspendPromises(): void {
    this.#isPromised = false;
  }

  /** Everything that has been answered is promised from here on, and so will be all answers. */
  resumePromises(): void {
    this.#isPromised = true;
    for (const member of this.#members.values()) member.isSure = member.isAnswered;
    this.#makeSure(Date.now());
  }

  /** After a crash. @throws Error that says what is missing, or back, or never was */
  settle({ names, values, begunAt, endedAt, mayEvict }: CrowdObservation): void {
    const present = new Map<number, Member>();
    for (const [index, name] of names.entries()) {
      const number = Number(name.slice("crowd:".length));
      const member = this.#members.get(number);
      if (this.#gone.has(number)) throw new Error(`crowd: ${name}, which was ${this.#gone.get(number)}, is back`);
      if (member === undefined) throw new Error(`crowd: ${name} was never written, or had gone before the last crash`);
      const latest = Math.min(member.latest, begunAt + member.lifetimeMs);
      if (latest + CLOCK_SLACK_MS < begunAt) throw new Error(`crowd: ${name} is there ${begunAt - latest} ms too late`);
      if (values[index] === null && !isOver(member, endedAt)) throw new Error(`crowd: ${name} has no value`);
      if (values[index] !== null) assert.equal(values[index], contentOf(member), name);
      present.set(number, { ...member, latest, isAnswered: true, isSure: true });
      if (member.isSure) this.kept += 1;
    }
    for (const member of this.#members.values()) {
      if (present.has(member.number) || !member.isSure) continue;
      if (isOver(member, endedAt)) this.expired += 1;
      else if (!mayEvict) throw new Error(`crowd: ${nameOf(member)}, which was acknowledged, is missing`);
    }
    for (const how of this.#gone.values()) this[how] += 1;
    this.#gone.clear();
    this.#members = present;
    this.#missing = [];
    this.#isPromised = true;
  }

  #add(length: number, lifetimeMs: number): Member {
    this.#number += 1;
    const member: Member = {
      number: this.#number,
      length,
      lifetimeMs,
      earliest: Date.now() + lifetimeMs,
      latest: Number.POSITIVE_INFINITY,
      isAnswered: false,
      isSure: false,
    };
    this.#members.set(member.number, member);
    return member;
  }

  /** What was missing is gone for good. */
  #makeSure(now: number): void {
    for (const member of this.#missing) {
      this.#members.delete(member.number);
      this.#gone.set(member.number, isOver(member, now) ? "expired" : "evicted");
    }
    this.#missing = [];
  }
}

function nameOf({ number }: Member): string {
  return `crowd:${number}`;
}

function contentOf({ number, length }: Member): string {
  return `${number}:`.padEnd(length, "crowd ");
}

/** Whether its time may be up. */
function isOver({ earliest }: Member, now: number): boolean {
  return now + CLOCK_SLACK_MS >= earliest;
}
