/** Deadlines from what commands are given: relative or absolute, in seconds or milliseconds. */
import type { Arguments } from "../base/arguments.ts";
import { NO_DEADLINE } from "../keyspace/entry.ts";
import type { Choice } from "./argument.ts";
import type { Context } from "./context.ts";
import { CommandError, invalidExpire, NOT_AN_INTEGER } from "./errors.ts";

/** Largest deadline in milliseconds that 64 bits hold. */
const DEADLINE_MAX = 2 ** 63;

/**
 * The deadline that an option such as EX or PXAT asks for, in milliseconds since 1970.
 * @param command its name in lower case, for the error's text
 * @throws CommandError unless it is a positive integer that 64 bits hold in milliseconds
 */
export function deadlineFrom(context: Context, args: Arguments, option: Choice<string>, command: string): number {
  if (option.word === "KEEPTTL" || option.word === "PERSIST") return NO_DEADLINE;
  const given = args.int64(option.index);
  if (given === undefined) throw new CommandError(NOT_AN_INTEGER);
  const isSeconds = option.word === "EX" || option.word === "EXAT";
  const milliseconds = Number(given) * (isSeconds ? 1000 : 1);
  if (milliseconds <= 0 || milliseconds >= DEADLINE_MAX) throw new CommandError(invalidExpire(command));
  const isAbsolute = option.word === "EXAT" || option.word === "PXAT";
  const deadline = isAbsolute ? milliseconds : milliseconds + context.keyspace.clock.now();
  if (deadline >= DEADLINE_MAX) throw new CommandError(invalidExpire(command));
  return deadline;
}
