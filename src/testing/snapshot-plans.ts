/** What a snapshot is like in tests that do not care: the test names what it does care for. */
import type { SnapshotPlan } from "../durability/snapshot-writer.ts";

/** A plan in which these fields are as given, among them always where it is written. */
export function snapshotPlan(fields: Partial<SnapshotPlan> & Pick<SnapshotPlan, "path" | "temporary">): SnapshotPlan {
  return {
    form: "rdb",
    timestamp: undefined,
    compress: true,
    checksum: true,
    syncPortion: 1 << 20,
    access: "none",
    keyDelayMs: 0,
    aux: [["redis-ver", "7.2.4"]],
    functions: [],
    ...fields,
  };
}
