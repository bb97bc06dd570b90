/**
 * What a directive is: a kind of value, what the directive means here, and the rules for changing it.
 *
 * A kind knows how its values are read, shown and written; the table of directives only picks kinds. All texts are
 * byte strings (see quoting.ts).
 */

/** Why a value is not accepted, in the words a client or a person at the terminal sees. */
export class Refusal extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = "Refusal";
  }
}

/** A value in its two forms. */
export interface Setting<Value> {
  /** For the program. */
  readonly value: Value;
  /** As CONFIG GET shows it. Two settings of one directive are equal when their texts are. */
  readonly text: string;
}

/** One line of a configuration file, without the directive's name. */
export interface Line {
  readonly text: string;
  /** Whether the line is needed even where the file has none yet. */
  readonly needed: boolean;
}

/**
 * When a value is given: by the first line at start-up that names the directive, by a later line of the same start-up,
 * or to a running program.
 */
export type Occasion = "first" | "again" | "running";

/** A type of values, and how they are written. */
export interface Kind<Value> {
  /** The default. */
  readonly initial: Setting<Value>;
  /** Whether a line may give any number of arguments; otherwise it gives exactly one. */
  readonly takesMany: boolean;
  /**
   * Reads a value.
   * @param current what holds now, for values that are changed in part
   * @throws Refusal
   */
  parse(args: readonly string[], current: Setting<Value>, occasion: Occasion): Setting<Value>;
  /** The lines that give this setting; none where only the directive's absence does. */
  lines(setting: Setting<Value>): readonly Line[];
}

/**
 * What a directive does in Stillwater:
 * - `here`: it is in force.
 * - `later`: it is read, kept and shown; the part of the system it governs does not exist yet.
 * - `none`: it has no meaning in this design and is accepted for the sake of existing configuration files.
 */
export type Meaning = "here" | "later" | "none";

/** Rules beyond those of the kind. */
export interface Rules {
  /** Only a file or the command line can set it. */
  readonly immutable?: true;
  /** CONFIG SET can change it only as far as `enable-protected-configs` allows. */
  readonly protected?: true;
  /** Its value is a secret: no log, no MONITOR and no SLOWLOG may show it. */
  readonly sensitive?: true;
  /** CONFIG GET shows it only when asked for by its exact name. */
  readonly hidden?: true;
  /** CONFIG SET cannot change it while a data file is being loaded. */
  readonly fixedWhileLoading?: true;
  /** A second, older name. */
  readonly alias?: string;
}

/** A directive; its name is its key in the table. */
export interface Directive<Value> {
  readonly kind: Kind<Value>;
  readonly meaning: Meaning;
  readonly rules: Rules;
}

const NO_RULES: Rules = {};

/** A directive that is in force. */
export function here<Value>(kind: Kind<Value>, rules: Rules = NO_RULES): Directive<Value> {
  return { kind, meaning: "here", rules };
}

/** A directive of a part that does not exist yet. */
export function later<Value>(kind: Kind<Value>, rules: Rules = NO_RULES): Directive<Value> {
  return { kind, meaning: "later", rules };
}

/** A directive accepted without effect. */
export function none<Value>(kind: Kind<Value>, rules: Rules = NO_RULES): Directive<Value> {
  return { kind, meaning: "none", rules };
}
