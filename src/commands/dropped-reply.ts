/** Replies that nobody gets: where a log is replayed, and in tests that look at the data only. */
import type { Reply } from "./reply.ts";

const ignore = (): void => undefined;

/** @param fail gets the text of each error that is replied */
export function droppedReply(fail: (text: string) => void): Reply {
  return {
    version: 3,
    ok: ignore,
    simple: ignore,
    error: fail,
    integer: ignore,
    bulk: ignore,
    bulkText: ignore,
    null: ignore,
    nullArray: ignore,
    array: ignore,
    map: ignore,
    set: ignore,
    double: ignore,
    doubleAs: ignore,
    boolean: ignore,
    verbatim: ignore,
    push: ignore,
  };
}
