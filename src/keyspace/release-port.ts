/**
 * What a keyspace asks of the thread that finds its dead blocks, and how it reaches that thread. Above this layer it is
 * known how: background/lazy-free.ts.
 */

/** A region that the finder is to open, or to open anew. */
export interface OpenedRegion {
  readonly shard: number;
  readonly buffer: SharedArrayBuffer;
  /** Where it marks what is dead: memory/dead-blocks.ts. */
  readonly area: SharedArrayBuffer;
}

export type ReleaseRequest =
  | {
      readonly kind: "free";
      readonly number: number;
      /** Those of which it has not been told before. */
      readonly regions: readonly OpenedRegion[];
      /** Rows of dead-values.ts. */
      readonly values: Int32Array;
    }
  /** This region is of no use any more: whoever has a view of it keeps its memory from the operating system. */
  | { readonly kind: "forget"; readonly shard: number }
  /** Refer to this buffer, until the next request says otherwise: memory/discarded.ts. */
  | { readonly kind: "hold"; readonly held: number; readonly buffer: SharedArrayBuffer }
  | { readonly kind: "letGo"; readonly held: number };

/** The batch is done with, one way or the other: the words say which (release-words.ts). */
export interface ReleaseReply {
  readonly number: number;
}

export interface ReleasePort {
  /** Asks for a call of `Releaser.turn` when this turn of the event loop ends; as often as one likes. */
  arm(): void;
  /** @returns false if nothing was posted: there is no thread, or it has enough to do */
  post(request: ReleaseRequest): boolean;
}
