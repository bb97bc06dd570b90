/** The other side of child.ts: receives one job, answers, and ends. */
import { once } from "node:events";
import type { Job } from "./child.ts";
import { measureCollectionCalls } from "./collection-calls-worker.ts";
import { measureCollectionGrowth } from "./collection-growth-worker.ts";
import { measureFreeze } from "./freeze-worker.ts";
import { measureFsync } from "./fsync-worker.ts";
import { measureGrowth } from "./growth-worker.ts";
import { measureHandover } from "./handover-worker.ts";
import { measureLazyFreeThreshold } from "./lazyfree-threshold-worker.ts";
import { measureOperations } from "./operations-worker.ts";

function run(job: Job): Promise<object> {
  switch (job.kind) {
    case "operations":
      return measureOperations(job);
    case "growth":
      return measureGrowth(job);
    case "freeze":
      return measureFreeze(job);
    case "collection-growth":
      return measureCollectionGrowth(job);
    case "collection-calls":
      return measureCollectionCalls(job);
    case "fsync":
      return measureFsync(job);
    case "handover":
      return measureHandover(job);
    case "lazyfree-threshold":
      return measureLazyFreeThreshold(job);
  }
}

const [job] = (await once(process, "message")) as [Job];
const figures = await run(job);
process.send?.(figures, () => process.disconnect());
