/**
 * `npm test [-- part-of-a-file-name ... --option-of-node-test ...]`: all tests, or the files whose path contains one of
 * the parts. With --long, the long-running *.fuzz.ts files instead.
 */

import { availableParallelism } from "node:os";
import { join } from "node:path";
import { runInForeground } from "./foreground.mjs";
import { prepare, root, sourceStems } from "./prepare.mjs";

const MINUTE_MS = 60_000;
// Many tests run servers, worker threads and large regions: more at once would measure each other.
const CONCURRENCY_MAX = 4;

const args = process.argv.slice(2);
const long = args.includes("--long");
const options = args.filter((arg) => arg.startsWith("-") && arg !== "--long");
const parts = args.filter((arg) => !arg.startsWith("-"));

prepare();

// A list of files, because Node 20 takes no patterns; from the sources, so that nothing stale in dist/ is run.
const files = sourceStems(long ? ".fuzz.ts" : ".test.ts")
  .filter((stem) => parts.length === 0 || parts.some((part) => stem.includes(part)))
  .map((stem) => join(root, "dist", `${stem}.js`));
if (files.length === 0) {
  console.error(`stillwater: no test file matches ${parts.join(" ") || "at all"}`);
  process.exit(1);
}
runInForeground([
  "--test",
  "--test-reporter=spec",
  `--test-concurrency=${Math.min(availableParallelism(), CONCURRENCY_MAX)}`,
  `--test-timeout=${(long ? 240 : 10) * MINUTE_MS}`,
  ...options,
  ...files,
]);
