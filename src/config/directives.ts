/**
 * The table of all directives: everything redis.conf 7.2 knows, and what is our own.
 *
 * It is put together from three tables, one for each `Meaning`; adding a directive is adding a line to one of them.
 */
import type { Directive, Meaning } from "./directive.ts";
import { directivesHere } from "./directives-here.ts";
import { directivesLater } from "./directives-later.ts";
import { directivesWithoutMeaning } from "./directives-without-meaning.ts";

export const directives = { ...directivesHere, ...directivesLater, ...directivesWithoutMeaning };

/** The name of a directive, as configuration files give it; no aliases. */
export type DirectiveName = keyof typeof directives;

/** The type of a directive's value. */
export type DirectiveValue<Name extends DirectiveName> =
  (typeof directives)[Name] extends Directive<infer Value> ? Value : never;

/** The lines of a configuration file that set no value, and what they do here. */
export const statements: ReadonlyMap<string, Meaning> = new Map<string, Meaning>([
  ["include", "here"],
  ["rename-command", "here"],
  ["user", "later"],
  ["loadmodule", "none"],
  ["sentinel", "none"],
]);

/** A directive as it is found by one of its names. */
export interface NamedDirective {
  /** The name it was found by, in lower case: its own or its alias. */
  readonly shownName: string;
  readonly name: DirectiveName;
  readonly directive: Directive<unknown>;
}

const byName = new Map<string, NamedDirective>();
for (const [key, directive] of Object.entries(directives)) {
  const name = key as DirectiveName;
  byName.set(name, { shownName: name, name, directive });
  const { alias } = directive.rules;
  if (alias !== undefined) byName.set(alias, { shownName: alias, name, directive });
}

/** The directive of that name or alias, in any case of letters. */
export function findDirective(name: string): NamedDirective | undefined {
  return byName.get(name.toLowerCase());
}

/** Every directive under each of its names. */
export function allDirectives(): Iterable<NamedDirective> {
  return byName.values();
}
