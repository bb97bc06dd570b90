/** The key specifications that most commands share; COMMAND INFO and GETKEYS are served from them. */
import type { KeySpec } from "./command.ts";

const FIRST = { begin: { index: 1 }, find: { last: 0, step: 1, limit: 0 } } as const;

/** One key, read and given to the client. */
export const ACCESS_KEY: KeySpec = { flags: ["RO", "access"], ...FIRST };
/** One key, of which only that it is there, or its size, is told. */
export const METADATA_KEY: KeySpec = { flags: ["RO"], ...FIRST };
/** One key, overwritten whatever it was. */
export const OVERWRITE_KEY: KeySpec = { flags: ["OW", "update"], ...FIRST };
/** One key, changed depending on what it was, and told to the client. */
export const UPDATE_KEY: KeySpec = { flags: ["RW", "access", "update"], ...FIRST };
/** All arguments, read. */
export const EVERY_KEY: KeySpec = {
  flags: ["RO", "access"],
  begin: { index: 1 },
  find: { last: -1, step: 1, limit: 0 },
};
/** Every second argument, overwritten. */
export const EVERY_SECOND_KEY: KeySpec = {
  flags: ["OW", "update"],
  begin: { index: 1 },
  find: { last: -1, step: 2, limit: 0 },
};
/** All arguments, of which only that they are there is told. */
export const EVERY_METADATA_KEY: KeySpec = {
  flags: ["RO"],
  begin: { index: 1 },
  find: { last: -1, step: 1, limit: 0 },
};
/** All arguments, removed. */
export const EVERY_REMOVED_KEY: KeySpec = {
  flags: ["RM", "delete"],
  begin: { index: 1 },
  find: { last: -1, step: 1, limit: 0 },
};
/** One key, changed without its value being told or needed. */
export const CHANGED_KEY: KeySpec = { flags: ["RW", "update"], ...FIRST };
/** One key, whose value goes elsewhere: to another key or to the client. */
export const GIVEN_AWAY_KEY: KeySpec = { flags: ["RW", "access", "delete"], ...FIRST };
/** One key, of whose value parts are removed. */
export const REMOVED_FROM_KEY: KeySpec = { flags: ["RW", "delete"], ...FIRST };
/** The second argument, a key overwritten whatever it was. */
export const OVERWRITE_SECOND_KEY: KeySpec = { ...OVERWRITE_KEY, begin: { index: 2 } };
/** The second argument, a key that must not exist. */
export const INSERT_SECOND_KEY: KeySpec = { ...OVERWRITE_SECOND_KEY, flags: ["OW", "insert"] };
/** A subcommand's one key, of which only properties are told. */
export const SUBCOMMAND_METADATA_KEY: KeySpec = { ...METADATA_KEY, begin: { index: 2 } };
/** One key, changed where it exists and made where it does not. */
export const INSERT_OR_UPDATE_KEY: KeySpec = { flags: ["RW", "insert"], ...FIRST };
/** One key, made only if there is none. */
export const INSERT_KEY: KeySpec = { flags: ["OW", "insert"], ...FIRST };
/** Two keys, read. */
export const TWO_KEYS: KeySpec = { flags: ["RO", "access"], begin: { index: 1 }, find: { last: 1, step: 1, limit: 0 } };
/** Every second argument, a key that must not exist. */
export const EVERY_SECOND_INSERTED_KEY: KeySpec = { ...EVERY_SECOND_KEY, flags: ["OW", "insert"] };
/** All arguments from the third on, read. */
export const EVERY_KEY_FROM_THIRD: KeySpec = { ...EVERY_KEY, begin: { index: 3 } };
/** All arguments from the second on, read. */
export const EVERY_KEY_FROM_SECOND: KeySpec = { ...EVERY_KEY, begin: { index: 2 } };
/** The second argument, a key changed where it exists and made where it does not. */
export const INSERT_OR_UPDATE_SECOND_KEY: KeySpec = { ...INSERT_OR_UPDATE_KEY, begin: { index: 2 } };
/** Keys behind their number, which is the first argument, read. */
export const COUNTED_KEYS: KeySpec = {
  flags: ["RO", "access"],
  begin: { index: 1 },
  find: { keyCountAt: 0, first: 1, step: 1 },
};
/** Keys behind their number, which is the first argument, whose values go to the client. */
export const GIVEN_AWAY_COUNTED_KEYS: KeySpec = { ...COUNTED_KEYS, flags: GIVEN_AWAY_KEY.flags };
/** The second argument, a key read and given to the client or to another key. */
export const ACCESS_SECOND_KEY: KeySpec = { ...ACCESS_KEY, begin: { index: 2 } };
/** Keys behind their number, which is the second argument, read. */
export const COUNTED_KEYS_FROM_SECOND: KeySpec = { ...COUNTED_KEYS, begin: { index: 2 } };
