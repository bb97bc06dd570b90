#!/usr/bin/env node
/** The command line: redis-server's, for Stillwater. */
import { setFlagsFromString } from "node:v8";
import { parseArguments } from "../config/arguments.ts";
import type { Configuration } from "../config/configuration.ts";
import { ConfigurationFileError, loadConfiguration } from "../config/file.ts";
import { STILLWATER_VERSION } from "../commands/version.ts";
import { HELP } from "./help.ts";
import { runServer } from "./run-server.ts";

// The way of a command is a dozen small functions. V8 inlines them into one only with a larger budget than its default:
// a fifth of the server's time per request at pipeline depth 100. Only the server's own process is tuned so.
setFlagsFromString("--max-inlined-bytecode-size=1000");
setFlagsFromString("--max-inlined-bytecode-size-cumulative=3000");

function fail(text: string): never {
  process.stderr.write(`${text}\n`);
  process.exit(1);
}

function load(run: Parameters<typeof loadConfiguration>[0]): Configuration {
  try {
    return loadConfiguration(run);
  } catch (error) {
    if (error instanceof ConfigurationFileError) fail(error.describe(`Stillwater ${STILLWATER_VERSION}`));
    throw error;
  }
}

const invocation = parseArguments(process.argv.slice(2));
switch (invocation.kind) {
  case "version":
    process.stdout.write(`Stillwater server v=${STILLWATER_VERSION} bits=64 node=${process.version}\n`);
    break;
  case "help":
    process.stdout.write(HELP);
    break;
  case "run":
    await runServer(load(invocation)).catch((error: unknown) => fail(error instanceof Error ? error.message : String(error)));
    break;
  case "refused":
    fail(invocation.reason);
}
