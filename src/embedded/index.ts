/**
 * `stillwater`: a store inside your program.
 *
 *     import { open } from "stillwater";
 *     const db = await open({ maxMemory: "1gb", dir: "/var/lib/my-program" });
 *     db.set("session:42", "ann", { EX: 3600 });
 *     db.get("session:42");
 *     await db.close();
 */
import type { OpenOptions } from "./options.ts";
import { Stillwater } from "./stillwater.ts";

export type { Int64 } from "../base/int64.ts";
export type { ThreadFigures } from "../commands/context.ts";
export { CommandError } from "../commands/errors.ts";
export { DamagedFileError } from "../durability/damaged-file-error.ts";
export { DirectoryLockedError } from "../durability/directory-lock.ts";
export { UnloadableFileError } from "../durability/unloadable-file-error.ts";
export type { LogStats } from "../engine/log-figures.ts";
export { OpeningError, type OpenProgress } from "../engine/persistence.ts";
export type { PersistenceStats } from "../engine/persistence-stats.ts";
export type { OpenReport } from "../engine/recovery.ts";
export type { SnapshotStats } from "../engine/snapshot-figures.ts";
export type { FrozenStore } from "../keyspace/keyspace.ts";
export type { FreezeOutcome, FrozenRegion } from "../memory/region.ts";
export type {
  EvictionMetric,
  ExpiryMetric,
  LazyFreeMetric,
  LogMetric,
  Metric,
  RewriteMetric,
  SnapshotMetric,
  SyncMetric,
  WorkerMetric,
} from "../monitoring/metrics.ts";
export type { Address } from "../server/listeners.ts";
export type { ArgumentValue } from "./argument-writer.ts";
export type { RangeUnit } from "./bitmap-methods.ts";
export type { Pairs, Several } from "./caller.ts";
export type { Connector, ConnectorClass } from "./connector.ts";
export { StoreClosedError } from "./core.ts";
export { PersistenceError, type StoreEvents, ThreadError } from "./events.ts";
export type {
  Coordinates,
  GeoaddOptions,
  GeoDetails,
  GeoMatch,
  GeoSelection,
  GeoStore,
  GeosearchOptions,
  GeosearchstoreOptions,
  GeoUnit,
} from "./geo-methods.ts";
export type { FieldExpireCondition, MemberScanOptions } from "./hash-methods.ts";
export type { CopyOptions, ExpireCondition, RestoreOptions, ScanOptions, SortOptions } from "./key-methods.ts";
export type { ListEnd, LmpopOptions, LposOptions } from "./list-methods.ts";
export type { ExpiryPolicy, OpenOptions } from "./options.ts";
export type { MessageBufferListener, MessageListener, SubscribeOptions, Unsubscribe } from "./pubsub-methods.ts";
export type { IntercardOptions } from "./set-methods.ts";
export type { Score, Scored, ZaddOptions, ZmpopOptions } from "./sorted-set-methods.ts";
export type { Bound, CombinationOptions, Limit, LimitOptions, ZrangeOptions } from "./sorted-set-range-methods.ts";
export type { StoreStats } from "./stats.ts";
export type { ListenOptions, Stillwater } from "./stillwater.ts";
export type { ExpiryOptions, GetexOptions, LcsMatches, LcsOptions, LcsRange, SetOptions } from "./string-methods.ts";
export type { ReplyValue } from "./value-reply.ts";

/**
 * Opens a store of its own, with what its directory holds; empty if it has none. Several may be open in one process;
 * none of them keeps it alive.
 * @throws TypeError that names the option that is wrong; DirectoryLockedError if another store has the directory;
 *   DamagedFileError if a file is not as it was written; or the system's error
 */
export function open(options?: OpenOptions): Promise<Stillwater> {
  return Stillwater.open(options);
}
