/**
 * How a server ends: by SHUTDOWN or by a signal, saved first where the configuration or the client wants it.
 *
 * Saving comes before anybody is disconnected: if it fails, the server goes on, and the data is still there to be saved
 * elsewhere. It is done by the serving thread, as in Redis, so that nothing is answered that would not be in it.
 *
 * Once it is ending, only SIGINT ends it at once: by that, somebody at a terminal insists. A second SIGTERM is none: a
 * supervisor that signals a whole group, and a parent that hands its signals on, let a server hear it twice.
 */
import { CommandError } from "../commands/errors.ts";
import type { Configuration } from "../config/configuration.ts";
import type { ShutdownRequest, Store } from "../engine/store.ts";
import type { Server } from "../server/server.ts";
import type { Log } from "./log.ts";

const SIGNALS = { SIGTERM: "shutdown-on-sigterm", SIGINT: "shutdown-on-sigint" } as const;

export function endOnRequest(log: Log, store: Store, server: Server): void {
  let isEnding = false;
  const end = async (): Promise<void> => {
    isEnding = true;
    log("Closing all connections");
    await server.close();
    const fault = await store.close({ saves: false }).then(
      () => undefined,
      (error: Error) => error.message,
    );
    if (fault !== undefined) log(`Not everything is on disk: ${fault}`);
    log("Bye.");
    process.exit(fault === undefined ? 0 : 1);
  };
  store.onShutdown = (request) => {
    log("SHUTDOWN: ending");
    store.prepareToEnd(request);
    isEnding = true;
    // Whoever asks in this turn is not answered any more: it would not be in what has been saved.
    store.clients.pause(Number.POSITIVE_INFINITY, "ALL");
    setImmediate(end);
  };
  const onSignal = (signal: keyof typeof SIGNALS): void => {
    if (isEnding) {
      if (signal === "SIGTERM") return;
      log(`${signal} again: ending at once`);
      process.exit(1);
    }
    isEnding = true;
    log(`${signal}: ending`);
    try {
      store.prepareToEnd(requestOf(store.configuration, SIGNALS[signal]));
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      log(`${signal}: not ending, because the data could not be saved; SHUTDOWN NOSAVE ends without`);
      afterSignalsSoFar(() => (isEnding = false));
      return;
    }
    void end();
  };
  for (const signal of Object.keys(SIGNALS) as (keyof typeof SIGNALS)[]) process.on(signal, () => onSignal(signal));
}

/** Calls back once those signals have been heard that came while this turn kept the event loop waiting. */
function afterSignalsSoFar(callback: () => void): void {
  // They are heard in the next round of the loop, or in this one; an immediate comes behind a round's signals.
  setImmediate(() => setImmediate(callback));
}

/** What a signal stands for: the words behind the directive are those of SHUTDOWN. */
function requestOf(configuration: Configuration, directive: (typeof SIGNALS)[keyof typeof SIGNALS]): ShutdownRequest {
  const words = configuration.get(directive);
  const save = words.has("save") ? true : words.has("nosave") ? false : undefined;
  return { save, now: words.has("now"), force: words.has("force") };
}
