/** Worker: finds the blocks of dead values for their owner; keyspace/release-finder.ts does it. */
import { workerData } from "node:worker_threads";
import { ReleaseFinder } from "../keyspace/release-finder.ts";
import type { ReleaseReply, ReleaseRequest } from "../keyspace/release-port.ts";
import type { LazyFreeData } from "./lazy-free.ts";
import { breathe, makeWay } from "./niceness.ts";
import { serve } from "./worker-side.ts";

makeWay();
const finder = new ReleaseFinder((workerData as LazyFreeData).words, undefined, breathe);

serve<ReleaseRequest, ReleaseReply>({
  free(request, post) {
    finder.find(request);
    post({ number: request.number });
  },
  forget({ shard }) {
    finder.forget(shard);
  },
  hold({ held, buffer }) {
    finder.hold(held, buffer);
  },
  letGo({ held }) {
    finder.letGo(held);
  },
});
