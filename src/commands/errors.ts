/**
 * Command errors: replies, not failures of the program. All texts that more than one family uses, as Redis words them,
 * because clients match on them.
 */

/** Thrown by parsers and handlers; the engine makes it the command's reply. Carries Redis's code, such as WRONGTYPE. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  /** The first word of Redis's error line. */
  readonly code: string;

  /** @param text Redis's error line without the "-": code, space, message */
  constructor(text: string) {
    super(text);
    const space = text.indexOf(" ");
    this.code = space === -1 ? text : text.slice(0, space);
  }
}

export const WRONG_TYPE = "WRONGTYPE Operation against a key holding the wrong kind of value";
export const SYNTAX_ERROR = "ERR syntax error";
export const NO_SUCH_KEY = "ERR no such key";
export const NOT_AN_INTEGER = "ERR value is not an integer or out of range";
export const NOT_A_32_BIT_INTEGER = "ERR value is out of range, value must between -2147483648 and 2147483647";
export const NOT_A_FLOAT = "ERR value is not a valid float";
export const OFFSET_OUT_OF_RANGE = "ERR offset is out of range";
export const INDEX_OUT_OF_RANGE = "ERR index out of range";
export const STRING_TOO_LONG = "ERR string exceeds maximum allowed size (proto-max-bulk-len)";
export const OUT_OF_MEMORY = "OOM command not allowed when used memory > 'maxmemory'.";
export const NO_AUTH = "NOAUTH Authentication required.";
export const LOADING = "LOADING Redis is loading the dataset in memory";
export const DB_INDEX_OUT_OF_RANGE = "ERR DB index is out of range";
export const INVALID_DB_INDEX = "ERR invalid DB index";
export const SAME_OBJECT = "ERR source and destination objects are the same";

/** The text for an unknown first word, with the beginning of the arguments, as Redis prints it. */
export function unknownCommand(name: string, argumentsStart: string): string {
  return `ERR unknown command '${name}', with args beginning with: ${argumentsStart}`;
}

export function unknownSubcommand(name: string, command: string): string {
  return `ERR unknown subcommand '${name}'. Try ${command.toUpperCase()} HELP.`;
}

/** The text for a subcommand's arguments that are too many or make no sense. @param given the subcommand's name */
/** What a client that speaks RESP2 may not do once it has subscribed to something. */
export function onlyForSubscribers(fullName: string): string {
  const allowed = "(P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET";
  return `ERR Can't execute '${fullName}': only ${allowed} are allowed in this context`;
}

export function misusedSubcommand(given: string, command: string): string {
  return `ERR unknown subcommand or wrong number of arguments for '${given.slice(0, 128)}'. Try ${command} HELP.`;
}

/** @param fullName such as "get" or "config|set" */
export function wrongArity(fullName: string): string {
  return `ERR wrong number of arguments for '${fullName}' command`;
}

export function invalidExpire(name: string): string {
  return `ERR invalid expire time in '${name}' command`;
}
