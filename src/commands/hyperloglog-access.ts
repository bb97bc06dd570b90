/** What all commands on HyperLogLogs share: the check that a key holds one, and their errors. */
import { STRING } from "../keyspace/entry.ts";
import { holdsHyperLogLog } from "../keyspace/hyperloglogs.ts";
import type { Key } from "../keyspace/key.ts";
import { CommandError, WRONG_TYPE } from "./errors.ts";

const NOT_A_HYPERLOGLOG = "WRONGTYPE Key is not a valid HyperLogLog string value.";

/** A value whose registers do not add up. */
export const DAMAGED_VALUE = "INVALIDOBJ Corrupted HLL object detected";

/** The same key, if it does not exist or holds a HyperLogLog. @throws CommandError if it holds something else */
export function checkHyperLogLog(key: Key): Key {
  if (!key.found || holdsHyperLogLog(key)) return key;
  throw new CommandError(key.type === STRING ? NOT_A_HYPERLOGLOG : WRONG_TYPE);
}
