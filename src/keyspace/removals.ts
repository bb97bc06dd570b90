/**
 * Removals: what the keyspace takes away without having been told to: keys and fields that expire, keys that are
 * evicted. Whoever keeps a log of the changes has to write these down himself, for no command says them.
 */

/** Told of each removal, whenever it happens: within a command as well. Names are good during the call only. */
export interface RemovalListener {
  /** A key has been removed. @param isLazy whether its value may be freed in the background */
  keyRemoved(database: number, bytes: Buffer, start: number, length: number, isLazy: boolean): void;
  /** So many fields are about to be removed from the hash that this key holds; their names follow by `fieldRemoved`. */
  fieldsRemoved(database: number, bytes: Buffer, start: number, length: number, count: number): void;
  fieldRemoved(bytes: Buffer, start: number, length: number): void;
}
