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
