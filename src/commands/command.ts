/**
 * A command: everything that is known of it, in one place. The same declaration parses, executes, documents, says how
 * the command is logged and, later, decides who may run it.
 */
import type { Arguments } from "../base/arguments.ts";
import { type Argument, ArgumentCursor, type ArgumentSchema, type Parsed } from "./argument.ts";
import type { Context } from "./context.ts";
import { CommandError, SYNTAX_ERROR } from "./errors.ts";

/** Flags as COMMAND INFO shows them. */
export type CommandFlag =
  | "write"
  | "readonly"
  | "denyoom"
  | "admin"
  | "pubsub"
  | "noscript"
  | "blocking"
  | "loading"
  | "stale"
  | "skip_monitor"
  | "skip_slowlog"
  | "fast"
  | "no_auth"
  | "no_async_loading"
  | "no_multi"
  | "movablekeys"
  | "allow_busy"
  | "may_replicate";

export type CommandGroup =
  | "generic"
  | "string"
  | "list"
  | "set"
  | "sorted-set"
  | "hash"
  | "pubsub"
  | "transactions"
  | "connection"
  | "server"
  | "scripting"
  | "hyperloglog"
  | "geo"
  | "stream"
  | "bitmap"
  | "cluster";

/** Where a command's keys are and what it does to them; as Redis's key specifications. */
export interface KeySpec {
  /** What the flags alone do not say. */
  readonly notes?: string;
  /** Flags such as RW, access, update; as COMMAND INFO shows them. */
  readonly flags: readonly string[];
  /**
   * Index of the first key among the arguments, or the word it follows; or what only the command itself can tell, which
   * COMMAND INFO calls unknown. @param name index of the command's name
   */
  readonly begin:
    | { readonly index: number }
    | { readonly keyword: string; readonly from: number }
    | { readonly locate: (args: Arguments, name: number) => number | undefined };
  /** The last key: relative to the first, or negative from the end; or a count that stands before the keys. */
  readonly find:
    | { readonly last: number; readonly step: number; readonly limit: number }
    | { readonly keyCountAt: number; readonly first: number; readonly step: number };
  /**
   * The flags of one call, where they depend on its arguments (`variable_flags`).
   * @param name index of the command's name
   */
  readonly flagsOf?: (args: Arguments, name: number) => readonly string[];
}

/**
 * How a command that changes data is logged: as it came, where that does the same in another process, later; or
 * rewritten by its handler (effects.ts).
 */
export type Replay = "as-is" | "rewritten";

/** Those that may change data have to say how they are replayed. */
type ReplayDeclaration<F extends readonly CommandFlag[]> = "write" extends F[number]
  ? { readonly replay: Replay }
  : { readonly replay?: "as-is" };

export interface CommandDeclaration<
  S extends ArgumentSchema,
  F extends readonly CommandFlag[] = readonly CommandFlag[],
> {
  /** Upper case; a subcommand's own name. */
  readonly name: string;
  readonly summary: string;
  readonly complexity: string;
  readonly since: string;
  readonly group: CommandGroup;
  /** Arguments with the name; negative: at least that many. */
  readonly arity: number;
  readonly flags: F;
  readonly replay?: Replay;
  /** ACL categories beside those that follow from flags and group, such as "dangerous". */
  readonly categories?: readonly string[];
  readonly keys?: readonly KeySpec[];
  readonly tips?: readonly string[];
  /** What changed since, version and sentence. */
  readonly history?: readonly (readonly [version: string, change: string])[];
  readonly replacedBy?: string;
  readonly deprecatedSince?: string;
  /** A command for the system's own use, as COMMAND DOCS tells. */
  readonly isSystemCommand?: boolean;
  /**
   * Time only a sample of its calls, as is done for fast commands: for those that Redis does not flag fast, and whose
   * work is bounded all the same by the bytes they are given.
   */
  readonly isSampled?: boolean;
  /** Whether a client that speaks RESP2, and has subscribed to something, may use it. */
  readonly isForSubscribers?: boolean;
  readonly args: S;
  readonly subcommands?: readonly Command[];
  /** Indices of arguments that no log and no monitor may show, such as passwords. */
  secrets?(args: Arguments): readonly number[];
  /** Executes the command: everything synchronous, replying exactly once. @throws CommandError to reply with it */
  run(context: Context, parsed: Parsed<S>, args: Arguments): void;
}

/** A declaration whose schema has done its work: typing its handler. */
type AnyDeclaration = CommandDeclaration<ArgumentSchema>;

let nextId = 0;
const cursor = new ArgumentCursor();

/** Declares a command. Its arguments stand behind its name. */
export function command<const S extends ArgumentSchema, const F extends readonly CommandFlag[]>(
  declaration: CommandDeclaration<S, F> & ReplayDeclaration<F>,
): Command {
  return new Command(declaration as unknown as AnyDeclaration, declaration.name.toLowerCase(), 1);
}

/** Declares a subcommand of `parent`, to be listed among its `subcommands`. */
export function subcommand<const S extends ArgumentSchema, const F extends readonly CommandFlag[]>(
  parent: string,
  declaration: CommandDeclaration<S, F> & ReplayDeclaration<F>,
): Command {
  const fullName = `${parent}|${declaration.name}`.toLowerCase();
  return new Command(declaration as unknown as AnyDeclaration, fullName, 2);
}

/**
 * A declared command, its parser composed. A class, so that all commands have one shape: the engine reads a few of
 * their fields for every command it executes, and objects of as many shapes as there are commands cost it a third.
 */
export class Command {
  /** Distinct for every command of the program: the index of its statistics. */
  readonly id: number;
  /** Name in lower case, a subcommand's behind its command's: "config|get". */
  readonly fullName: string;
  readonly name: string;
  readonly arity: number;
  readonly isWrite: boolean;
  /** Whether it is refused while writes are: these and, as in Redis, PING, by which others watch a server. */
  readonly stopsWithWrites: boolean;
  /** Whether it may change data, if only what is kept beside them. */
  readonly mayChange: boolean;
  /** Whether its handler tells its effects; otherwise it is logged as it came. */
  readonly isRewritten: boolean;
  readonly deniesOutOfMemory: boolean;
  readonly isFast: boolean;
  /** Whether its time is taken of a sample of its calls only (statistics.ts says why). */
  readonly isSampled: boolean;
  readonly needsAuthentication: boolean;
  /** Whether it may run while the store's files are being read. */
  readonly isForLoading: boolean;
  readonly isHiddenFromMonitor: boolean;
  readonly isHiddenFromSlowLog: boolean;
  readonly isForSubscribers: boolean;
  readonly subcommands: readonly Command[] | undefined;
  readonly flags: readonly CommandFlag[];
  readonly summary: string;
  readonly complexity: string;
  readonly since: string;
  readonly group: CommandGroup;
  readonly categories: readonly string[] | undefined;
  readonly keys: readonly KeySpec[] | undefined;
  readonly tips: readonly string[] | undefined;
  readonly history: readonly (readonly [version: string, change: string])[] | undefined;
  readonly replacedBy: string | undefined;
  readonly deprecatedSince: string | undefined;
  readonly isSystemCommand: boolean | undefined;
  readonly args: ArgumentSchema;
  readonly secrets: ((args: Arguments) => readonly number[]) | undefined;
  readonly #run: AnyDeclaration["run"];
  readonly #parser: Parser;

  /** @param first index of the first argument behind the name, or behind a subcommand's */
  constructor(declaration: AnyDeclaration, fullName: string, first: number) {
    const { flags } = declaration;
    this.id = nextId;
    nextId += 1;
    this.fullName = fullName;
    this.name = declaration.name;
    this.arity = declaration.arity;
    this.isWrite = flags.includes("write");
    this.stopsWithWrites = this.isWrite || fullName === "ping";
    this.mayChange = this.isWrite || flags.includes("may_replicate");
    this.isRewritten = declaration.replay === "rewritten";
    this.deniesOutOfMemory = flags.includes("denyoom");
    this.isFast = flags.includes("fast");
    this.isSampled = this.isFast || declaration.isSampled === true;
    this.needsAuthentication = !flags.includes("no_auth");
    this.isForLoading = flags.includes("loading");
    this.isHiddenFromMonitor = flags.includes("skip_monitor") || flags.includes("admin");
    this.isHiddenFromSlowLog = flags.includes("skip_slowlog");
    this.isForSubscribers = declaration.isForSubscribers === true;
    this.subcommands = declaration.subcommands;
    this.flags = flags;
    this.summary = declaration.summary;
    this.complexity = declaration.complexity;
    this.since = declaration.since;
    this.group = declaration.group;
    this.categories = declaration.categories;
    this.keys = declaration.keys;
    this.tips = declaration.tips;
    this.history = declaration.history;
    this.replacedBy = declaration.replacedBy;
    this.deprecatedSince = declaration.deprecatedSince;
    this.isSystemCommand = declaration.isSystemCommand;
    this.args = declaration.args;
    this.secrets = declaration.secrets?.bind(declaration);
    this.#run = declaration.run;
    this.#parser = new Parser(declaration.args, first);
  }

  /** Parses and runs. @throws CommandError */
  execute(context: Context, args: Arguments): void {
    this.#run(context, this.#parser.parse(args) as Parsed<ArgumentSchema>, args);
  }
}

/** Parses one command's arguments into one record, which it reuses. */
class Parser {
  /** Leading arguments that are their own index, whatever the call. */
  readonly #plainEnd: number;
  /** Whether a call of these arguments alone is complete. */
  readonly #plainIsEnough: boolean;
  /** Whether only a tail follows them: the record is the same for every call then. */
  readonly #isConstant: boolean;
  readonly #positional: readonly (readonly [string, Argument<unknown>])[];
  readonly #options: readonly (readonly [string, Argument<unknown>])[];
  readonly #record: Record<string, unknown> = {};
  #isClean = true;

  constructor(schema: ArgumentSchema, first: number) {
    const entries = Object.entries(schema);
    let at = first;
    let index = 0;
    for (; index < entries.length && entries[index]![1].isPlain === true; index++) {
      this.#record[entries[index]![0]] = at;
      at += 1;
    }
    this.#plainEnd = at;
    const others = entries.slice(index);
    this.#options = others.filter(([, argument]) => argument.matches !== undefined);
    this.#positional = others.filter(([, argument]) => argument.matches === undefined);
    for (const [name, argument] of others) this.#record[name] = argument.absent;
    this.#plainIsEnough = this.#positional.every(([, argument]) => argument.isOptional === true);
    this.#isConstant = others.length === 1 && others[0]![1].isTail === true;
    if (this.#isConstant) this.#record[others[0]![0]] = at;
  }

  parse(args: Arguments): Record<string, unknown> {
    if (this.#isConstant || (this.#isClean && this.#plainIsEnough && args.count === this.#plainEnd))
      return this.#record;
    return this.#parseRest(args);
  }

  #parseRest(args: Arguments): Record<string, unknown> {
    const record = this.#record;
    for (const [name, argument] of this.#options) record[name] = argument.absent;
    this.#isClean = false;
    cursor.args = args;
    cursor.at = this.#plainEnd;
    for (const [name, argument] of this.#positional) {
      record[name] = cursor.isAtEnd && argument.isOptional ? argument.absent : argument.parse(cursor);
    }
    while (!cursor.isAtEnd) this.#parseOption(record);
    this.#isClean = args.count === this.#plainEnd;
    return record;
  }

  #parseOption(record: Record<string, unknown>): void {
    for (const [name, argument] of this.#options) {
      if (argument.matches!(cursor)) {
        const value = argument.parse(cursor);
        if (argument.isRepeatable !== true && contradicts(record[name], value)) break;
        record[name] = value;
        return;
      }
    }
    throw new CommandError(SYNTAX_ERROR);
  }
}

/** Redis lets an option be repeated unless it contradicts itself: `NX NX` is fine, `NX XX` and `EX 1 PX 1` are not. */
function contradicts(previous: unknown, value: unknown): boolean {
  return typeof value !== "boolean" && previous !== undefined && wordOf(previous) !== wordOf(value);
}

/** Of a choice its word: `EX 1 EX 2` is fine, the last one counts. */
function wordOf(value: unknown): unknown {
  return typeof value === "object" && value !== null && "word" in value ? value.word : value;
}
