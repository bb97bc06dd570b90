/**
 * CollectionLimits: up to which size a collection keeps its small encoding. Plain data on the keyspace, read at every
 * write, so that the layers below the commands need not know the configuration; engine/store.ts keeps it up to date.
 */
export interface CollectionLimits {
  /** Fields of a hash stored as a listpack. */
  hashEntries: number;
  /** Bytes of a field or value there. */
  hashValue: number;
  /** Items of one chunk of a list, or if negative one of Redis's sizes: -1 is 4 KiB, -2 is 8 KiB … -5 is 64 KiB. */
  listSize: number;
  /** Members of a set stored as an intset. */
  setIntsetEntries: number;
  setListpackEntries: number;
  setListpackValue: number;
  sortedSetEntries: number;
  sortedSetValue: number;
  /** Bytes of a sparse HyperLogLog. */
  sparseHyperLogLogBytes: number;
}

/** Where the limits come from: the directive of each. */
export const LIMIT_DIRECTIVES = {
  hashEntries: "hash-max-listpack-entries",
  hashValue: "hash-max-listpack-value",
  listSize: "list-max-listpack-size",
  setIntsetEntries: "set-max-intset-entries",
  setListpackEntries: "set-max-listpack-entries",
  setListpackValue: "set-max-listpack-value",
  sortedSetEntries: "zset-max-listpack-entries",
  sortedSetValue: "zset-max-listpack-value",
  sparseHyperLogLogBytes: "hll-sparse-max-bytes",
} as const satisfies Record<keyof CollectionLimits, string>;

/** The defaults of Redis 7.2. */
export function defaultLimits(): CollectionLimits {
  return {
    hashEntries: 512,
    hashValue: 64,
    listSize: -2,
    setIntsetEntries: 512,
    setListpackEntries: 128,
    setListpackValue: 64,
    sortedSetEntries: 128,
    sortedSetValue: 64,
    sparseHyperLogLogBytes: 3000,
  };
}
