/** Deadlines from what commands are given: relative or absolute, in seconds or milliseconds. */
import type { Arguments } from "../base/arguments.ts";
import { addInt64, type Int64, multiplyInt64 } from "../base/int64.ts";
import { NO_DEADLINE } from "../keyspace/entry.ts";
import type { Choice } from "./argument.ts";
import type { Context } from "./context.ts";
import type { EffectBytes, Effects } from "./effects.ts";
import { CommandError, invalidExpire, NOT_AN_INTEGER } from "./errors.ts";

/**
 * The deadline that an option such as EX or PXAT asks for, in milliseconds since 1970.
 * @param command its name in lower case, for the error's text
 * @throws CommandError unless it is a positive integer that 64 bits hold in milliseconds
 */
export function deadlineFrom(context: Context, args: Arguments, option: Choice<string>, command: string): Int64 {
  if (option.word === "KEEPTTL" || option.word === "PERSIST") return NO_DEADLINE;
  const given = args.int64(option.index);
  if (given === undefined) throw new CommandError(NOT_AN_INTEGER);
  if (given <= 0) throw new CommandError(invalidExpire(command));
  const isAbsolute = option.word === "EXAT" || option.word === "PXAT";
  const isSeconds = option.word === "EX" || option.word === "EXAT";
  return deadlineAfter(isAbsolute ? 0 : context.keyspace.clock.now(), given, isSeconds ? 1000 : 1, command);
}

/** Tells, as an effect, that a key has been given this deadline, or none. */
export function tellDeadline(effects: Effects, key: EffectBytes, deadline: Int64): void {
  if (deadline === NO_DEADLINE) effects.add("PERSIST", key);
  else effects.add("PEXPIREAT", key, deadline);
}

/**
 * The deadline `count` units after `from`, in milliseconds since 1970; before 1970 if `count` is negative enough.
 * @param unit in milliseconds
 * @throws CommandError where 64 bits do not hold it
 */
export function deadlineAfter(from: number, count: Int64, unit: number, command: string): Int64 {
  const milliseconds = multiplyInt64(count, unit);
  const deadline = milliseconds === undefined ? undefined : addInt64(milliseconds, from);
  if (deadline === undefined) throw new CommandError(invalidExpire(command));
  return deadline;
}
