/** HyperLogLogs: the methods of a handle that count distinct elements approximately. */
import type { ArgumentValue } from "./argument-writer.ts";
import { BitmapMethods } from "./bitmap-methods.ts";
import { listOf, type Several } from "./caller.ts";
import type { ReplyValue } from "./value-reply.ts";

export abstract class HyperLogLogMethods extends BitmapMethods {
  /** Counts elements in. @returns 1 if the estimate may have changed, 0 if not */
  pfadd(key: ArgumentValue, ...elements: Several): number {
    return this.run("PFADD", [key, ...listOf(elements)]);
  }

  /** About how many distinct elements there are, in one key or in the union of several. */
  pfcount(...keys: Several): number {
    return this.run("PFCOUNT", listOf(keys));
  }

  /** For tests and diagnosis: GETREG, DECODE, ENCODING, TODENSE. */
  pfdebug(subcommand: string, key: ArgumentValue): ReplyValue {
    return this.run("PFDEBUG", [subcommand, key]);
  }

  /** Makes the destination the union of itself and the sources. */
  pfmerge(destination: ArgumentValue, ...sources: Several): "OK" {
    return this.run("PFMERGE", [destination, ...listOf(sources)]);
  }

  /** Checks the store's own counting; takes seconds. @throws CommandError if it is wrong */
  pfselftest(): "OK" {
    return this.run("PFSELFTEST", []);
  }
}
