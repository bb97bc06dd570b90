/** Runs a server in the foreground until a signal, or SHUTDOWN, ends it. */
import { rmSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Configuration } from "../config/configuration.ts";
import { systemErrorText } from "../config/system-error.ts";
import { Store } from "../engine/store.ts";
import { Server } from "../server/server.ts";
import { reportCrashes } from "./crash-report.ts";
import { greet } from "./greeting.ts";
import { chooseAddresses, listenWhereConfigured } from "./listen.ts";
import { type Log, openLog } from "./log.ts";
import { greatestNumberOfOpenFiles } from "./open-files.ts";
import { StartError } from "./start-error.ts";

/** @returns once it is listening. @throws StartError when it cannot */
export async function runServer(configuration: Configuration): Promise<void> {
  chooseAddresses(configuration);
  const store = openStore(configuration);
  const log = openLog(configuration);
  reportCrashes(configuration.get("logfile") === "" ? undefined : log);
  // Whoever read our output, or started us, may go away before us.
  process.stdout.on("error", () => undefined);
  process.on("SIGHUP", () => undefined);
  store.threads.onFailure(({ name, error, retryMs }) => {
    log(`Background thread ${name} failed: ${error}. It is started again in ${retryMs} ms`);
  });
  const server = new Server(store);
  endOnRequest(log, store, server);
  // Asked for before there are sockets: the report would look up the names of all of them.
  const openFilesMax = greatestNumberOfOpenFiles();
  const addresses = await listenWhereConfigured(server, configuration);
  store.threads.start();
  keepProcessIdFile(configuration, log);
  greet(log, store, addresses, openFilesMax);
}

function openStore(configuration: Configuration): Store {
  try {
    return new Store(configuration);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    throw new StartError(`Could not use the directory ${configuration.get("dir")}: ${systemErrorText(error)}`);
  }
}

function endOnRequest(log: Log, store: Store, server: Server): void {
  let isEnding = false;
  const end = async (reason: string): Promise<void> => {
    if (isEnding) {
      log(`${reason} again: ending at once`);
      process.exit(1);
    }
    isEnding = true;
    log(`${reason}: closing all connections`);
    await server.close();
    await store.close();
    log("Bye.");
    process.exit(0);
  };
  store.onShutdown = () => setImmediate(end, "SHUTDOWN");
  process.on("SIGTERM", () => void end("SIGTERM"));
  process.on("SIGINT", () => void end("SIGINT"));
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
