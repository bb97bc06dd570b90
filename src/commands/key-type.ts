import type { Key } from "../keyspace/key.ts";
import { CommandError, WRONG_TYPE } from "./errors.ts";

/** The key, which may be absent. @throws CommandError if it holds something other than `type` */
export function ofType(key: Key, type: number): Key {
  if (key.found && key.type !== type) throw new CommandError(WRONG_TYPE);
  return key;
}
