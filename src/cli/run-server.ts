/**
 * Runs a server in the foreground until a signal, or SHUTDOWN, ends it.
 *
 *     lock the directory ─▶ listen ─▶ load (clients wait, then hear LOADING) ─▶ serve ─▶ save if wanted ─▶ close
 *
 * It listens before it loads, as Redis does: a port in use is told at once, and who connects early is told how it
 * stands instead of refused. Not in the first moment, though: Redis looks at its sockets only now and then while it
 * loads, so that with little data nobody hears of it, and there are clients that fail when they do.
 */
import { rmSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { setFlagsFromString } from "node:v8";
import type { Configuration } from "../config/configuration.ts";
import { systemErrorText } from "../config/system-error.ts";
import { Store } from "../engine/store.ts";
import { Server } from "../server/server.ts";
import { claimDirectory } from "./claim.ts";
import { reportCrashes } from "./crash-report.ts";
import { endOnRequest } from "./ending.ts";
import { announceReadiness, greet } from "./greeting.ts";
import { chooseAddresses, listenWhereConfigured } from "./listen.ts";
import { load } from "./load.ts";
import { type Log, openLog } from "./log.ts";
import { greatestNumberOfOpenFiles } from "./open-files.ts";
import { StartError } from "./start-error.ts";
import { refuseUnsafeSettings } from "./unsafe-settings.ts";

/** Milliseconds of loading in which clients wait, instead of being told LOADING. */
const LOADING_PATIENCE_MS = 200;

/** @returns once it serves, or is ended before that. @throws StartError when it cannot */
export async function runServer(configuration: Configuration): Promise<void> {
  refuseUnsafeSettings(configuration);
  chooseAddresses(configuration);
  // V8 would make the small heaps of background threads smaller some seconds after they have had something to do: twice
  // 4 ms of a processor, and beside a busy server, where they have a lower priority, 30 and more.
  setFlagsFromString("--no-memory-reducer");
  // The way of a command is a dozen small functions. V8 makes one of them only with a larger budget than its own: 4 to
  // 12 % of the processor time of a request at pipeline depths 16 and 100.
  setFlagsFromString("--max-inlined-bytecode-size=1000");
  setFlagsFromString("--max-inlined-bytecode-size-cumulative=3000");
  const store = openStore(configuration);
  const log = openLog(configuration);
  tellOfForeground(configuration);
  reportCrashes(configuration.get("logfile") === "" ? undefined : log);
  // Whoever read our output, or started us, may go away before us.
  process.stdout.on("error", () => undefined);
  process.on("SIGHUP", () => undefined);
  store.threads.onFailure(({ name, error, retryMs }) => {
    log(`Background thread ${name} failed: ${error}. It is started again in ${retryMs} ms`);
  });
  store.onNotice = log;
  store.onNews = log;
  await claimDirectory(store, log);
  const server = new Server(store);
  const serveWaiting = server.holdBack();
  endOnRequest(log, store, server);
  // Asked for before there are sockets: the report would look up the names of all of them.
  const openFilesMax = greatestNumberOfOpenFiles();
  const addresses = await listenWhereConfigured(server, configuration);
  keepProcessIdFile(configuration, log);
  greet(log, store, addresses, openFilesMax);
  const patience = setTimeout(serveWaiting, LOADING_PATIENCE_MS);
  const isLoaded = await load(store, log).finally(() => clearTimeout(patience));
  if (!isLoaded) return;
  store.startThreads();
  serveWaiting();
  announceReadiness(log, store, addresses);
}

function openStore(configuration: Configuration): Store {
  try {
    return new Store(configuration);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    throw new StartError(`Could not use the directory ${configuration.get("dir")}: ${systemErrorText(error)}`);
  }
}

/** With a log file there is nothing on the terminal, and a terminal that is not given back looks like a fault. */
function tellOfForeground(configuration: Configuration): void {
  const file = configuration.get("logfile");
  if (file === "" || !configuration.get("daemonize")) return;
  const path = resolve(configuration.get("dir"), file);
  process.stderr.write(`It stays in the foreground, daemonize has no effect here; its log is ${path}\n`);
}

function keepProcessIdFile(configuration: Configuration, log: Log): void {
  const file = configuration.get("pidfile");
  if (file === "") return;
  const path = resolve(configuration.get("dir"), file);
  try {
    writeFileSync(path, `${process.pid}\n`);
  } catch (error) {
    log(`Going on without the pid file ${path}: ${systemErrorText(error)}`);
    return;
  }
  process.on("exit", () => rmSync(path, { force: true }));
}
