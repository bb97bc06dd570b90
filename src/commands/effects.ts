/**
 * Effects: what a command did, in the words of commands that do it again, wherever and whenever they are executed.
 *
 *     SET k v EX 10     at 1,000,000 ms     ──▶   SET k v PXAT 1010000
 *     SPOP s            drew "b"            ──▶   SREM s b
 *     INCR n                                ──▶   INCR n                    as it came
 *
 * One command executed here is one unit: all of its effects are kept, or none. Whoever keeps them (the append-only log,
 * later a replica) executes them over the same data, but with another seed of the hash, another clock, and later. So an
 * effect must not depend on these: deadlines are absolute, random choices are made, sums of floating-point numbers are
 * written out. A command's declaration states which of two kinds it is (`replay`), and none that writes can be declared
 * without: one that is replayed `as-is` is logged by the engine whenever it has changed something; of one that is
 * `rewritten` nothing is logged but what its handler says here.
 *
 * A handler says it once nothing can fail any more: a command that replies with an error has no effects.
 */
import type { Arguments } from "../base/arguments.ts";
import type { Int64 } from "../base/int64.ts";
import type { Cause } from "../keyspace/cause.ts";
import type { Releaser } from "../keyspace/release.ts";

/** Bytes somewhere: a Slice is one. They are copied at once. */
export interface EffectBytes {
  readonly bytes: Buffer;
  readonly start: number;
  readonly length: number;
}

/** A word of a command; text is Latin-1. */
export type EffectWord = string | Int64 | EffectBytes;

/** What a handler says its effects to. */
export interface Effects {
  /** Whether anybody keeps them: otherwise nobody need make any. */
  readonly areKept: boolean;
  /** A command that does it again; several calls log several commands, as one unit. */
  add(...words: readonly EffectWord[]): void;
  /** As `add`, of a command of so many words: they follow one by one, by `word`. */
  begin(count: number): void;
  /** The next word of the command that `begin` began. */
  word(word: EffectWord): void;
  /** The present command as it came, but for a name that is not its own (rename-command). @param args the command's */
  keep(args: Arguments): void;
}

/** The engine's side of it. */
export interface EffectRecorder extends Effects {
  /** Set by whoever keeps the log. */
  areKept: boolean;
  /** What `keep` calls the present command, where clients call it otherwise than logs do. */
  keptName: string | undefined;
  /** Before a command; all that is told until `endUnit` belongs together. @param database that is selected */
  beginUnit(database: number): void;
  endUnit(): void;
}

/** Elements that one logged command names at the most, of the many that a command has removed or stored. */
export const ELEMENTS_MAX = 1024;

/**
 * Tells that a command has removed a key which it was not asked to delete. Redis says UNLINK where the setting for such
 * removals allows freeing in the background, so that whoever executes it again is not stopped by a large value either.
 * @param cause which the key was removed for
 */
export function tellRemoved(context: RemovingContext, cause: Cause, name: EffectWord): void {
  const { effects, keyspace } = context;
  if (effects.areKept) effects.add(keyspace.releaser.isLazy[cause]! ? "UNLINK" : "DEL", name);
}

/** What of a command's context says how its removals are told. */
interface RemovingContext {
  readonly effects: Effects;
  readonly keyspace: { readonly releaser: Pick<Releaser, "isLazy"> };
}

/** Effects that nobody keeps: where a log is replayed. */
export const NO_EFFECTS: EffectRecorder = {
  areKept: false,
  keptName: undefined,
  add: () => undefined,
  begin: () => undefined,
  word: () => undefined,
  keep: () => undefined,
  beginUnit: () => undefined,
  endUnit: () => undefined,
};
