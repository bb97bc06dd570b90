/**
 * What a program does to its embedded store while it waits to be killed: step after step, each following from its
 * number alone. So after a crash, what is found must be the state after some number of steps, and the next run goes on
 * there.
 */
import { isDeepStrictEqual } from "node:util";
import type { Stillwater } from "../embedded/stillwater.ts";

/** What the steps leave in the store. */
export interface StepState {
  readonly counter: number;
  readonly float: number;
  readonly items: readonly number[];
  readonly moved: readonly number[];
  readonly pair: readonly number[];
  readonly value: number;
  readonly lasting: number;
}

const ROUND = 8;
const MOVED_MAX = 20;

/** Takes step number `step`, from 1 up. */
export function takeStep(db: Stillwater, step: number): void {
  switch (step % ROUND) {
    case 0:
      db.incr("counter");
      break;
    case 1:
      db.call("INCRBYFLOAT", "float", "0.25");
      break;
    case 2:
    case 3:
      db.rpush("items", String(step));
      break;
    case 4:
      db.lmove("items", "moved", "LEFT", "RIGHT");
      break;
    case 5:
      db.call("LTRIM", "moved", -MOVED_MAX, -1);
      db.call("LTRIM", "items", -MOVED_MAX, -1);
      break;
    case 6:
      db.hset("pair", { left: String(step), right: String(step) });
      break;
    default:
      db.set("value", String(step));
      db.set("lasting", String(step), { EX: 10_000 });
  }
}

/** What is there now. */
export function readSteps(db: Stillwater): StepState {
  const numbers = (words: readonly (string | null)[]): number[] => words.map(Number);
  return {
    counter: Number(db.get("counter")),
    float: Number(db.get("float")),
    items: numbers(db.lrange("items", 0, -1)),
    moved: numbers(db.lrange("moved", 0, -1)),
    pair: numbers(db.hmget("pair", "left", "right")),
    value: Number(db.get("value")),
    lasting: Number(db.get("lasting")),
  };
}

/**
 * How many steps the state comes from: the least number from `least` on.
 * @returns undefined if it is the state after no number of steps up to `most`
 */
export function stepsOf(found: StepState, least: number, most: number): number | undefined {
  const state = {
    counter: 0,
    float: 0,
    items: [] as number[],
    moved: [] as number[],
    pair: [0, 0],
    value: 0,
    lasting: 0,
  };
  for (let step = 0; step <= most; step += 1) {
    if (step > 0) imitate(state, step);
    if (step >= least && isDeepStrictEqual(found, state)) return step;
  }
  return undefined;
}

type Mutable = { -readonly [Name in keyof StepState]: StepState[Name] extends number ? number : number[] };

function imitate(state: Mutable, step: number): void {
  const kind = step % ROUND;
  if (kind === 0) state.counter += 1;
  else if (kind === 1) state.float += 0.25;
  else if (kind <= 3) state.items.push(step);
  else if (kind === 4) state.moved.push(...state.items.splice(0, 1));
  else if (kind === 5) {
    state.moved = state.moved.slice(-MOVED_MAX);
    state.items = state.items.slice(-MOVED_MAX);
  } else if (kind === 6) state.pair = [step, step];
  else [state.value, state.lasting] = [step, step];
}
