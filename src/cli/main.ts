#!/usr/bin/env node
/** The command line: redis-server's, for Stillwater, and tools for its files. */
import { STILLWATER_VERSION } from "../commands/version.ts";
import { parseArguments } from "../config/arguments.ts";
import { ConfigurationFileError, loadConfiguration } from "../config/file.ts";
import { checkAof } from "./check-aof.ts";
import { checkRdb } from "./check-rdb.ts";
import { HELP } from "./help.ts";
import { runServer } from "./run-server.ts";
import { StartError } from "./start-error.ts";
import { statementJudge } from "./statement-judge.ts";

/** What looks at files instead of serving, by its name: told its arguments, it says its exit code. */
const TOOLS: ReadonlyMap<string, (args: readonly string[], say: (line: string) => void) => number> = new Map([
  ["check-rdb", checkRdb],
  ["check-aof", checkAof],
]);

function fail(text: string): never {
  process.stderr.write(`${text}\n`);
  process.exit(1);
}

async function serve(args: string[]): Promise<void> {
  const invocation = parseArguments(args);
  switch (invocation.kind) {
    case "version":
      process.stdout.write(`Stillwater server v=${STILLWATER_VERSION} bits=64 node=${process.version}\n`);
      break;
    case "help":
      process.stdout.write(HELP);
      break;
    case "run":
      try {
        await runServer(loadConfiguration(invocation, { judge: statementJudge() }));
      } catch (error) {
        if (error instanceof ConfigurationFileError) fail(error.describe(`Stillwater ${STILLWATER_VERSION}`));
        if (error instanceof StartError) fail(error.message);
        throw error;
      }
      break;
    case "refused":
      fail(invocation.reason);
  }
}

const args = process.argv.slice(2);
const tool = TOOLS.get(args[0] ?? "");
if (tool === undefined) await serve(args);
else process.exitCode = tool(args.slice(1), (line) => process.stdout.write(`${line}\n`));
