/** Worker: writes the log for its owner; durability/log-writer-tasks.ts does it. */
import { workerData } from "node:worker_threads";
import { realFiles } from "../durability/files.ts";
import { assertInPlace, guardedFiles, guardedRemove } from "../durability/guarded-files.ts";
import { type LogReport, LogWriterTasks } from "../durability/log-writer-tasks.ts";
import type { LogWriterData, LogWriterRequest } from "./log-writer.ts";
import { type PostReply, serve } from "./worker-side.ts";

let post: PostReply<LogReport> = () => undefined;
let timer: NodeJS.Timeout | undefined;
let retiring: NodeJS.Timeout | undefined;
/** Milliseconds between two looks at files that are still to be deleted. */
const RETIRE_MS = 250;
const directory = workerData as LogWriterData;
const assertHeld = (): void => assertInPlace(directory.lock);
const files = guardedFiles(realFiles, assertHeld);
const tasks = new LogWriterTasks(files, directory, (report) => post(report), guardedRemove(assertHeld));

/** Works until there is nothing to do but at a later time, if at all. */
function work(): void {
  clearTimeout(timer);
  const dueMs = tasks.work();
  // It must not keep the worker from ending when it is told to stop.
  if (dueMs !== Number.POSITIVE_INFINITY) timer = setTimeout(work, dueMs).unref();
}

function retire(): void {
  clearTimeout(retiring);
  if (tasks.retire()) retiring = setTimeout(retire, RETIRE_MS).unref();
}

serve<LogWriterRequest, LogReport>({
  wake(_request, reply) {
    post = reply;
    work();
  },
  do({ task }, reply) {
    post = reply;
    tasks.do(task);
    if (task.kind === "retire") retire();
    work();
  },
});
