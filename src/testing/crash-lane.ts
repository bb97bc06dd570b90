/**
 * CrashLane: what one connection asks of a server that may be killed at any moment, and what must be left of it.
 *
 *     operations   1   2   3   4   5   6   7   8   9      in the order in which they were sent
 *                  └── sure ──┘   └ answered ┘ └ sent ┘
 *                             ▲ what is found after a crash is the state after any one of these ▲
 *
 * A connection's commands are executed and logged in their order. So whatever the moment of the crash, what is found in
 * the lane's keys must be the state after the first n operations, for one n that is at least the number of `sure` ones:
 * fewer is a lost promise, a state that fits no n is an operation applied twice, half, or in another order. Nearly all
 * operations count, or put a number of their own somewhere, so that the states after different n look different.
 *
 * Answered operations are sure, unless the log was switched off meanwhile: then all since the switch are in doubt.
 * What an unanswered SPOP took is not known: any member that was there may be missing.
 */
import assert from "node:assert/strict";
import { CRASH_KINDS, type CrashKind, OPERATIONS, type Operation } from "./crash-operations.ts";
import { CrashState, KEYS_OF_A_KIND, type Observation, readersOf } from "./crash-state.ts";
import type { Random } from "./random.ts";
import { decode, printableCommand } from "./resp-frame.ts";

const ITEMS_MAX = 40;
const TEXT_MAX = 400;
const SHOWN_MAX = 30;

export class CrashLane {
  readonly #name: string;
  readonly #random: Random;
  #number = 0;
  /** After all answered operations: what answers are compared with. */
  #live = new CrashState();
  /** After all sure operations. */
  readonly #sure = new CrashState();
  /** Those after the sure ones, in their order. */
  #pending: Operation[] = [];
  #isPromised = true;
  /** How many operations of each kind were promised, and then found after a crash. */
  readonly found = new Map<CrashKind, number>();
  /** Promised since the last crash. */
  #promised: CrashKind[] = [];

  /** @param name begins all of its keys */
  constructor(name: string, random: Random) {
    this.#name = name;
    this.#random = random;
  }

  /** Makes the next `count` operations. @returns their commands, to be sent at once */
  next(count: number): readonly (readonly string[])[] {
    const sentAt = Date.now();
    const operations = Array.from({ length: count }, () => this.#draw(sentAt));
    this.#pending.push(...operations);
    return operations.map(({ words }) => words);
  }

  /** The answers to the first of those operations that have none yet. @throws AssertionError if one is wrong */
  answered(replies: readonly Buffer[]): void {
    const first = this.#pending.findIndex(({ answer }) => answer === undefined);
    const answeredAt = Date.now();
    for (const [index, bytes] of replies.entries()) {
      const operation = this.#pending[first + index]!;
      const shown = `${printableCommand(operation.words)} => ${String(bytes)}`;
      assert(!bytes.toString("latin1").startsWith("-"), `refused: ${shown}`);
      const reply = decode(bytes);
      const { answer, apply } = OPERATIONS[operation.kind];
      if (answer !== undefined) assert.deepEqual(reply, answer(this.#live, operation), shown);
      operation.answer = reply;
      operation.answeredAt = answeredAt;
      apply(this.#live, operation);
    }
    if (this.#isPromised) this.#makeSure();
  }

  /** From here on, answers promise nothing. */
  suspendPromises(): void {
    this.#isPromised = false;
  }

  /** Everything that has been answered is promised from here on, and so will be all answers. */
  resumePromises(): void {
    this.#isPromised = true;
    this.#makeSure();
  }

  /** The commands by which all of the lane is read. */
  get readers(): readonly (readonly string[])[] {
    return readersOf((suffix) => this.#keyName(suffix));
  }

  /**
   * After a crash: what the server holds must be the state after some of the operations.
   * @throws Error that says what is missing, or there twice or in part
   */
  settle(observation: Observation): void {
    const state = this.#sure;
    let difference = state.differenceFrom(observation);
    const first = difference;
    for (const operation of this.#pending) {
      if (difference === undefined) break;
      if (operation.answer === undefined) operation.answeredAt = observation.begunAt;
      OPERATIONS[operation.kind].apply(state, operation);
      difference = state.differenceFrom(observation);
    }
    if (difference !== undefined) throw new Error(this.#report(first!, difference));
    for (const kind of this.#promised) this.found.set(kind, (this.found.get(kind) ?? 0) + 1);
    this.#promised = [];
    this.#pending = [];
    this.#isPromised = true;
    state.adopt(observation);
    this.#live = state.copy();
  }

  #report(first: string, last: string): string {
    const pending = this.#pending;
    const answered = pending.filter(({ answer }) => answer !== undefined).length;
    return [
      `lane ${this.#name}: what was found is the state after no number of operations`,
      `after those that were promised: ${first}`,
      `after the other ${pending.length} as well, of which ${answered} were answered: ${last}`,
      ...pending.slice(0, SHOWN_MAX).map(({ words }) => `  ${printableCommand(words)}`),
    ].join("\n");
  }

  #draw(sentAt: number): Operation {
    const kind = this.#drawKind();
    this.#number += 1;
    const number = this.#number;
    const index = this.#random.below(KEYS_OF_A_KIND);
    const { words, lifetime } = OPERATIONS[kind];
    const lifetimeMs = lifetime?.(this.#random) ?? 0;
    return {
      kind,
      words: words((suffix) => this.#keyName(suffix), number, index, lifetimeMs),
      number,
      index,
      lifetimeMs,
      sentAt,
      answeredAt: Number.NaN,
      answer: undefined,
    };
  }

  /** Any, but collections stay small. */
  #drawKind(): CrashKind {
    const { items, moved, members, text } = this.#live;
    const kind = this.#random.pick(CRASH_KINDS);
    if (items.length > ITEMS_MAX && kind === "RPUSH") return "LMOVE";
    if (moved.length > ITEMS_MAX && kind === "LMOVE") return "LPOP";
    if (members.length > ITEMS_MAX && kind === "SADD") return "SPOP";
    if (text.length > TEXT_MAX && kind === "APPEND") return "DEL";
    return kind === "DEL" && this.#random.chance(0.8) ? "APPEND" : kind;
  }

  #keyName(suffix: string): string {
    return `${this.#name}:${suffix}`;
  }

  #makeSure(): void {
    let count = 0;
    for (const operation of this.#pending) {
      if (operation.answer === undefined) break;
      OPERATIONS[operation.kind].apply(this.#sure, operation);
      this.#promised.push(operation.kind);
      count += 1;
    }
    this.#pending.splice(0, count);
  }
}
