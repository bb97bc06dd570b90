/**
 * What has to be done before the process ends, whichever way it ends by itself: at the end of all work, by
 * process.exit, by an error that nobody caught. Not by a signal that kills it.
 *
 * One listener for all stores, so that a program with many of them is not warned of a leak; and none while there is
 * nothing to do. What is registered runs synchronously, because no turn of the event loop follows. In a worker thread
 * it runs when that thread ends by itself, but not when the process is ended by its main thread.
 */

const actions = new Set<() => void>();

function runAll(): void {
  for (const action of [...actions]) action();
}

/**
 * Runs `action` when the process ends; it must not throw.
 * @returns what takes it back
 */
export function beforeProcessExit(action: () => void): () => void {
  if (actions.size === 0) process.on("exit", runAll);
  actions.add(action);
  return () => {
    actions.delete(action);
    if (actions.size === 0) process.off("exit", runAll);
  };
}
