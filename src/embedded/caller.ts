/** Caller: a handle's way to run commands, of any name; the families of typed methods stand on it. */
import type { ClientContext } from "../engine/client-context.ts";
import { type ArgumentValue, describe } from "./argument-writer.ts";
import { type Core, refuseImpossible } from "./core.ts";
import { FastCalls } from "./fast-calls.ts";
import { FastCollections } from "./fast-collections.ts";
import { FastPath } from "./fast-path.ts";
import type { ReplyValue } from "./value-reply.ts";

/** Several arguments, one by one or as one array. */
export type Several = readonly ArgumentValue[] | readonly [readonly ArgumentValue[]];

/** Pairs of names and values: an object, a Map, an array of pairs, or one after the other. */
export type Pairs =
  | readonly [Readonly<Record<string, ArgumentValue>>]
  | readonly [ReadonlyMap<ArgumentValue, ArgumentValue>]
  | readonly [readonly (readonly [ArgumentValue, ArgumentValue])[]]
  | readonly ArgumentValue[];

/**
 * What a method accepts as options: for each name whether it is a word alone, or what stands behind it: a number, any
 * value, several values; or "each", which repeats the name before each of several values.
 */
export type OptionKinds = Readonly<Record<string, "word" | "number" | "value" | "values" | "each">>;

export abstract class Caller {
  readonly #core: Core;
  readonly #context: ClientContext;
  protected readonly fastPath: FastPath;
  protected readonly fastCollections: FastCollections;

  constructor(core: Core, databaseIndex: number) {
    this.#core = core;
    this.#context = core.newContext(databaseIndex);
    const calls = new FastCalls(core, this.#context);
    this.fastPath = new FastPath(calls);
    this.fastCollections = new FastCollections(calls);
  }

  /**
   * Runs any command: `db.call("BITCOUNT", "key")`.
   * @returns strings as text; maps as Map, sets and arrays as Array, integers as number, beyond 2^53 as bigint
   * @throws CommandError with Redis's code
   */
  call(name: string, ...args: readonly ArgumentValue[]): ReplyValue {
    return this.run(checkedName(name, args), args);
  }

  /** As `call`, with Buffers in the place of strings; statuses such as OK stay text. */
  callBuffer(name: string, ...args: readonly ArgumentValue[]): ReplyValue<Buffer> {
    return this.runBuffer(checkedName(name, args), args);
  }

  /** As `call`, also for the few commands whose reply comes later, such as CONFIG REWRITE. */
  async callAsync(name: string, ...args: readonly ArgumentValue[]): Promise<ReplyValue> {
    return (await this.#core.executeAsync(this.#context, checkedName(name, args), args)) as ReplyValue;
  }

  /** Runs a command whose reply is known to be a `T`. */
  protected run<T = ReplyValue>(name: string, args: readonly ArgumentValue[]): T {
    return this.#core.execute(this.#context, name, args, false) as T;
  }

  protected runBuffer<T = ReplyValue<Buffer>>(name: string, args: readonly ArgumentValue[]): T {
    return this.#core.execute(this.#context, name, args, true) as T;
  }
}

function checkedName(name: string, args: readonly ArgumentValue[]): string {
  if (typeof name !== "string") throw new TypeError(`call: the command's name is ${describe(name)}, not a string`);
  refuseImpossible(name, args);
  return name;
}

/** The arguments of a method that takes them one by one or as one array. */
export function listOf(several: Several): readonly ArgumentValue[] {
  const [first] = several;
  return Array.isArray(first) ? first : (several as readonly ArgumentValue[]);
}

/** Names and values in turn. @throws TypeError if it is no form of Pairs */
export function pairsOf(method: string, pairs: Pairs): readonly ArgumentValue[] {
  const [first] = pairs;
  if (pairs.length !== 1 || typeof first !== "object" || first === null || first instanceof Uint8Array) {
    return pairs as readonly ArgumentValue[];
  }
  if (first instanceof Map) return [...first].flat();
  if (!Array.isArray(first)) return Object.entries(first as Readonly<Record<string, ArgumentValue>>).flat();
  return first.flatMap((pair, index) => {
    if (!Array.isArray(pair) || pair.length !== 2) throw new TypeError(`${method}: element ${index + 1} is no pair`);
    return pair as ArgumentValue[];
  });
}

/**
 * An options object as a command's words.
 * @throws TypeError that names the option that is unknown or of the wrong type
 */
export function optionWords(method: string, options: object, kinds: OptionKinds): ArgumentValue[] {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`${method}: the options are ${describe(options)}, not an object`);
  }
  const words: ArgumentValue[] = [];
  for (const [name, value] of Object.entries(options)) {
    const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
    if (kind === undefined) {
      throw new TypeError(`${method}: no option is called ${name}; there are ${Object.keys(kinds).join(", ")}`);
    }
    if (value === undefined) continue;
    if (kind === "word") {
      if (typeof value !== "boolean") throw wrongOption(method, name, value, "true or false");
      if (value) words.push(name);
      continue;
    }
    if (kind === "number" && typeof value !== "number" && typeof value !== "bigint") {
      throw wrongOption(method, name, value, "a number");
    }
    if (kind === "values" || kind === "each") {
      if (!Array.isArray(value)) throw wrongOption(method, name, value, "an array");
      words.push(...(kind === "values" ? [name, ...value] : value.flatMap((one) => [name, one])));
      continue;
    }
    words.push(name, value as ArgumentValue);
  }
  return words;
}

/**
 * Groups of several arguments each as one list of arguments, such as a score and a member.
 * @throws TypeError that names the group that is of another size
 */
export function flattened(
  method: string,
  groups: readonly (readonly ArgumentValue[])[],
  size: number,
): readonly ArgumentValue[] {
  for (const [index, group] of groups.entries()) {
    if (Array.isArray(group) && group.length === size) continue;
    throw new TypeError(`${method}: element ${index + 1} is not an array of ${size}`);
  }
  return groups.flat();
}

/** What stands in a list in twos, as pairs. */
export function paired<T>(list: readonly T[]): [T, T][] {
  return Array.from({ length: list.length >>> 1 }, (_, index) => [list[index * 2]!, list[index * 2 + 1]!]);
}

/** A walk from its first cursor to its last, element by element. */
export function* walk<K>(step: (cursor: ArgumentValue) => [ArgumentValue, K[]]): Generator<K, void, undefined> {
  let cursor: ArgumentValue = "0";
  do {
    const [next, elements]: [ArgumentValue, K[]] = step(cursor);
    yield* elements;
    cursor = next;
  } while (String(cursor) !== "0");
}

function wrongOption(method: string, name: string, value: unknown, wanted: string): TypeError {
  return new TypeError(`${method}: option ${name} is ${describe(value)}, not ${wanted}`);
}
