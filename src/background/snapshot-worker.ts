/** Worker: writes snapshots; durability/snapshot-writer.ts does it. */
import { realFiles } from "../durability/files.ts";
import { writeSnapshot } from "../durability/snapshot-writer.ts";
import { FrozenKeyspace } from "../keyspace/frozen-keyspace.ts";
import { giveReasonToCollect } from "../memory/discarded.ts";
import { makeWay } from "./niceness.ts";
import type { SnapshotReply, SnapshotRequest } from "./snapshot.ts";
import { serve } from "./worker-side.ts";

makeWay();

serve<SnapshotRequest, SnapshotReply>({
  save({ number, regions, databases, moment, plan, words }, post) {
    try {
      const view = new FrozenKeyspace(regions, databases);
      post({ number, figures: writeSnapshot(realFiles, view, moment, plan, words) });
    } catch (error) {
      post({ number, error: error instanceof Error ? error.message : String(error) });
    }
    giveReasonToCollect();
  },
});
