/** Worker: writes snapshots; durability/snapshot-writer.ts does it. */
import { systemErrorText } from "../config/system-error.ts";
import { realFiles } from "../durability/files.ts";
import { assertInPlace, guardedFiles } from "../durability/guarded-files.ts";
import { writeSnapshot } from "../durability/snapshot-writer.ts";
import { FrozenKeyspace } from "../keyspace/frozen-keyspace.ts";
import { giveReasonToCollect } from "../memory/discarded.ts";
import { breathe, makeWay } from "./niceness.ts";
import type { SnapshotReply, SnapshotRequest } from "./snapshot.ts";
import { serve } from "./worker-side.ts";

makeWay();

serve<SnapshotRequest, SnapshotReply>({
  save({ number, regions, databases, moment, plan, words, lock }, post) {
    try {
      const view = new FrozenKeyspace(regions, databases);
      const files = guardedFiles(realFiles, () => assertInPlace(lock));
      post({ number, figures: writeSnapshot(files, view, moment, plan, words, breathe) });
    } catch (error) {
      post({ number, error: systemErrorText(error) });
    }
    giveReasonToCollect();
  },
});
