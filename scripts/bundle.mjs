/**
 * Bundles what ships, after it has been compiled: few files instead of some 400 modules, whose loading is more than half
 * of what a server's start costs.
 *
 *     dist/package/   main.js index.js server.js chunk-*.js   the command line, the two exports, and what they share
 *                     *-worker.js                             the background threads', a file each
 *
 * Workers stand beside the chunks that start them by `new URL("./x-worker.js", import.meta.url)`. Names stay as they
 * are: a crash report has a stack trace.
 */

import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";

const root = join(import.meta.dirname, "..");
const threads = join(root, "src", "background");
const outdir = join(root, "dist", "package");

/** @type {import("esbuild").BuildOptions} */
const options = {
  absWorkingDir: root,
  bundle: true,
  outdir,
  platform: "node",
  format: "esm",
  target: "es2023",
  sourcemap: true,
  // The sources are in the package as well.
  sourcesContent: false,
  logLevel: "warning",
};

rmSync(outdir, { recursive: true, force: true });
await build({
  ...options,
  entryPoints: { main: "src/cli/main.ts", index: "src/embedded/index.ts", server: "src/server/index.ts" },
  // What a program imports from both exports are the same classes.
  splitting: true,
});
const workers = readdirSync(threads).filter((name) => name.endsWith("-worker.ts"));
await build({ ...options, entryPoints: workers.map((name) => join(threads, name)) });
