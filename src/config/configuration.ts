/**
 * The values of all directives: given at start-up, read by the rest of the program, changed by CONFIG SET, and written
 * back by CONFIG REWRITE.
 *
 * Each store has its own. Names and values that come from clients or files are byte strings, one character for each
 * byte (see quoting.ts), and so are those handed back for them; `get` returns typed values.
 *
 * Invariants: every directive has a value that its kind accepted; a failed `configSet` leaves all values, and all
 * listeners, as they were before it.
 */
import { matchesGlob } from "../base/glob.ts";
import { type Line, type Meaning, Refusal, type Setting } from "./directive.ts";
import {
  allDirectives,
  type DirectiveName,
  type DirectiveValue,
  directives,
  findDirective,
  type NamedDirective,
  statements,
} from "./directives.ts";
import { bytesOfText, splitArguments } from "./quoting.ts";
import { readOldFile, replaceFile, rewriteText } from "./rewrite.ts";
import { systemErrorText } from "./system-error.ts";

/** Why a CONFIG subcommand fails: `-code message` is the reply. */
export class ConfigurationError extends Error {
  readonly code: "ERR" | "LOADING";

  constructor(message: string, code: "ERR" | "LOADING" = "ERR") {
    super(message);
    this.name = "ConfigurationError";
    this.code = code;
  }
}

/**
 * Puts a new value into force, after all values of one CONFIG SET were set. To refuse it, the listener changes nothing
 * and returns the reason, which the client sees; then all of them are set back.
 */
export type ChangeListener<Value> = (value: Value, previous: Value) => string | undefined;

/** What decides whether a client may change a directive now. */
export interface Circumstances {
  /** A data file is being loaded. */
  readonly loading: boolean;
  /** The client's connection comes from this machine. */
  readonly local: boolean;
}

/** A line of a configuration file that is no directive with a value: `user`, `loadmodule`, `rename-command`. */
export interface Statement {
  readonly name: string;
  readonly args: readonly string[];
}

interface Change {
  readonly found: NamedDirective;
  readonly previous: Setting<unknown>;
  readonly next: Setting<unknown>;
}

export class Configuration {
  /** Absolute path of the file CONFIG REWRITE writes; undefined when there is none. */
  file: string | undefined;
  /** The statements of the configuration files, in their order. */
  readonly statements: Statement[] = [];
  readonly #settings = new Map<DirectiveName, Setting<unknown>>();
  readonly #listeners = new Map<DirectiveName, Set<ChangeListener<unknown>>>();
  readonly #given = new Set<DirectiveName>();
  /** What `assume` has set. */
  readonly #assumed = new Map<DirectiveName, string>();

  /** @param workingDirectory absolute path: the default of `dir`, and what relative paths are seen from */
  constructor(workingDirectory: string = process.cwd()) {
    for (const { name, directive } of allDirectives()) this.#settings.set(name, directive.kind.initial);
    this.#settings.set("dir", { value: workingDirectory, text: bytesOfText(workingDirectory) });
  }

  /** The value in force. */
  get<Name extends DirectiveName>(name: Name): DirectiveValue<Name> {
    return this.#settings.get(name)!.value as DirectiveValue<Name>;
  }

  /** Whether start-up gave the directive, be it with its default. */
  wasGiven(name: DirectiveName): boolean {
    return this.#given.has(name);
  }

  /**
   * Sets a directive at start-up, by its name or alias and the arguments behind it; listeners are not called.
   * @throws Refusal
   */
  initialize(name: string, args: readonly string[]): void {
    const found = findDirective(name);
    if (found === undefined) throw new Refusal("Bad directive or wrong number of arguments");
    const { kind } = found.directive;
    if (!kind.takesMany && args.length !== 1) throw new Refusal("wrong number of arguments");
    const words = kind.takesMany && args.length === 1 && args[0] !== "" ? splitArguments(args[0]!) : args;
    if (words === undefined) throw new Refusal("Unbalanced quotes in configuration line");
    const occasion = this.#given.has(found.name) ? "again" : "first";
    this.#settings.set(found.name, kind.parse(words, this.#settings.get(found.name)!, occasion));
    this.#given.add(found.name);
  }

  /**
   * Sets what a directive is where nobody has given it; CONFIG REWRITE adds no line for that.
   * @throws Refusal
   */
  assume(name: DirectiveName, args: readonly string[]): void {
    this.initialize(name, args);
    this.#given.delete(name);
    this.#assumed.set(name, this.#settings.get(name)!.text);
  }

  /**
   * Calls `listener` when CONFIG SET changes the directive.
   * @returns a function that ends this
   */
  onChange<Name extends DirectiveName>(name: Name, listener: ChangeListener<DirectiveValue<Name>>): () => void {
    const listeners = this.#listeners.get(name) ?? new Set();
    const added: ChangeListener<unknown> = (value, previous) =>
      listener(value as DirectiveValue<Name>, previous as DirectiveValue<Name>);
    this.#listeners.set(name, listeners.add(added));
    return () => listeners.delete(added);
  }

  /**
   * CONFIG GET: names and values of the directives that match any of the patterns, each once. A name asked for without
   * wildcards is handed back as it was written.
   */
  configGet(patterns: readonly string[]): Array<[name: string, value: string]> {
    const shown = new Map<string, [name: string, value: string]>();
    const show = ({ shownName, name }: NamedDirective, as: string) => {
      if (!shown.has(shownName)) shown.set(shownName, [as, this.#settings.get(name)!.text]);
    };
    for (const pattern of patterns) {
      if (!/[[*?]/.test(pattern)) {
        const found = findDirective(pattern);
        if (found !== undefined) show(found, pattern);
        continue;
      }
      const bytes = Buffer.from(pattern, "latin1");
      for (const found of allDirectives()) {
        if (found.directive.rules.hidden) continue;
        const subject = Buffer.from(found.shownName, "latin1");
        if (matchesGlob(bytes, subject, 0, subject.length, true)) show(found, found.shownName);
      }
    }
    return [...shown.values()];
  }

  /**
   * CONFIG SET: sets all of the pairs, or none.
   * @throws ConfigurationError
   */
  configSet(
    pairs: ReadonlyArray<readonly [name: string, value: string]>,
    circumstances: Circumstances = { loading: false, local: false },
  ): void {
    const found = this.#settable(pairs, circumstances);
    const changes: Change[] = [];
    for (const [index, each] of found.entries()) {
      const { kind } = each.directive;
      const text = pairs[index]![1];
      const args = kind.takesMany ? (text === "" ? [] : text.split(" ")) : [text];
      const previous = this.#settings.get(each.name)!;
      try {
        const next = kind.parse(args, previous, "running");
        this.#settings.set(each.name, next);
        changes.push({ found: each, previous, next });
      } catch (error) {
        this.#restore(changes);
        if (error instanceof Refusal) throw setFailure(each.shownName, error.message);
        throw error;
      }
    }
    this.#putIntoForce(changes.filter(({ previous, next }) => previous.text !== next.text));
  }

  /**
   * CONFIG REWRITE: brings the file up to date, durably, with its comments and its order kept.
   * @throws ConfigurationError
   */
  async rewrite(path: string | undefined = this.file): Promise<void> {
    if (path === undefined) throw new ConfigurationError("The server is running without a config file");
    try {
      await replaceFile(path, rewriteText(await readOldFile(path), this.#lines()));
    } catch (error) {
      throw new ConfigurationError(`Rewriting config file: ${systemErrorText(error)}`);
    }
  }

  /** What `rename-command` says, in the order of its lines: names of commands, and their new ones, or empty ones. */
  get renamings(): (readonly [name: string, newName: string])[] {
    return this.statements.filter(({ name }) => name === "rename-command").map(({ args }) => [args[0]!, args[1]!]);
  }

  /** Lines for the log at start-up: what was asked for beyond the defaults, and has no effect. */
  notices(): string[] {
    const changed = [...this.#given].filter(
      (name) => this.#settings.get(name)!.text !== directives[name].kind.initial.text,
    );
    const meanings = new Map([
      ...changed.map((name): [string, Meaning] => [name, directives[name].meaning]),
      ...this.statements.map(({ name }): [string, Meaning] => [name, statements.get(name)!]),
    ]);
    const notice = (text: string, wanted: Meaning): string[] => {
      const names = [...meanings].filter(([, meaning]) => meaning === wanted).map(([name]) => name);
      return names.length === 0 ? [] : [`${text}: ${names.join(", ")}`];
    };
    return [
      ...notice("Accepted without effect, since they have no meaning here", "none"),
      ...notice("Accepted, but not in force in this version", "later"),
    ];
  }

  /** What CONFIG SET is asked to set, if it may be. */
  #settable(pairs: ReadonlyArray<readonly [string, string]>, { loading, local }: Circumstances): NamedDirective[] {
    const settable: NamedDirective[] = [];
    for (const [name] of pairs) {
      const found = findDirective(name);
      if (found === undefined) {
        throw new ConfigurationError(`Unknown option or number of arguments for CONFIG SET - '${name}'`);
      }
      const { rules } = found.directive;
      if (rules.immutable) throw setFailure(name, "can't set immutable config");
      if (rules.protected && !this.#allowsProtected(local)) throw setFailure(name, "can't set protected config");
      if (rules.fixedWhileLoading && loading) {
        throw new ConfigurationError("Redis is loading the dataset in memory", "LOADING");
      }
      if (settable.includes(found)) throw setFailure(name, "duplicate parameter");
      settable.push(found);
    }
    return settable;
  }

  #allowsProtected(local: boolean): boolean {
    const allowed = this.get("enable-protected-configs");
    return allowed === "yes" || (allowed === "local" && local);
  }

  #putIntoForce(changes: readonly Change[]): void {
    const accepted: Array<() => string | undefined> = [];
    for (const { found, previous, next } of changes) {
      for (const listener of this.#listeners.get(found.name) ?? []) {
        let reason: string | undefined;
        try {
          reason = listener(next.value, previous.value);
        } catch (error) {
          this.#takeBack(changes, accepted);
          throw error;
        }
        if (reason !== undefined) {
          throw setFailure(found.shownName, [reason, ...this.#takeBack(changes, accepted)].join(". "));
        }
        accepted.push(() => listener(previous.value, next.value));
      }
    }
  }

  /** Undoes changes, the last first; returns why listeners refused to go back. */
  #takeBack(changes: readonly Change[], accepted: ReadonlyArray<() => string | undefined>): string[] {
    this.#restore(changes);
    const reasons = accepted.toReversed().map((undo) => undo());
    return reasons.filter((reason) => reason !== undefined).map((reason) => `Restoring failed: ${reason}`);
  }

  #restore(changes: readonly Change[]): void {
    for (const { found, previous } of changes.toReversed()) this.#settings.set(found.name, previous);
  }

  *#lines(): Iterable<readonly [name: DirectiveName, lines: readonly Line[]]> {
    for (const { name, shownName, directive } of allDirectives()) {
      if (name !== shownName) continue;
      const setting = this.#settings.get(name)!;
      const isAssumed = this.#assumed.get(name) === setting.text;
      const lines = directive.kind.lines(setting);
      yield [name, isAssumed ? lines.map(({ text }) => ({ text, needed: false })) : lines];
    }
  }
}

function setFailure(name: string, reason: string): ConfigurationError {
  return new ConfigurationError(`CONFIG SET failed (possibly related to argument '${name}') - ${reason}`);
}
