#!/usr/bin/env node
/** The command line: redis-server's, for Stillwater. */
import { STILLWATER_VERSION } from "../commands/version.ts";
import { parseArguments } from "../config/arguments.ts";
import { ConfigurationFileError, loadConfiguration } from "../config/file.ts";
import { HELP } from "./help.ts";
import { runServer } from "./run-server.ts";
import { StartError } from "./start-error.ts";

function fail(text: string): never {
  process.stderr.write(`${text}\n`);
  process.exit(1);
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
    try {
      await runServer(loadConfiguration(invocation));
    } catch (error) {
      if (error instanceof ConfigurationFileError) fail(error.describe(`Stillwater ${STILLWATER_VERSION}`));
      if (error instanceof StartError) fail(error.message);
      throw error;
    }
    break;
  case "refused":
    fail(invocation.reason);
}
