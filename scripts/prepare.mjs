/**
 * What every command does first: install what is missing, build what is stale. Only Node's own modules are used here,
 * because nothing else is there yet on a fresh clone.
 */

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export const root = join(import.meta.dirname, "..");

const SOURCES = join(root, "src");
const OUTPUTS = join(root, "dist");
const STAMP = join(OUTPUTS, ".stamp");
const BUNDLER = join(root, "scripts", "bundle.mjs");
const INSTALLED_LOCK = join(root, "node_modules", ".package-lock.json");
const OUTPUT_SUFFIX = /(\.d\.ts|\.js)(\.map)?$/;

/** Installs and builds as needed, or ends the process with the failing step's exit code. */
export function prepare() {
  install();
  if (readStamp() !== fingerprint()) build();
}

/** Runs npm when there is no complete installation, or the lock file has changed since. */
export function install() {
  const lock = statSync(join(root, "package-lock.json"));
  if (existsSync(INSTALLED_LOCK) && statSync(INSTALLED_LOCK).mtimeMs >= lock.mtimeMs) return;
  console.error("stillwater: installing development dependencies");
  // Not `npm ci`: it refuses a lock file without the optional binaries of other platforms, which npm leaves out when
  // a registry does not have them. No install scripts: all binaries in use come ready made.
  const flags = ["--ignore-scripts", "--no-save", "--no-audit", "--no-fund", "--loglevel=error"];
  const onWindows = process.platform === "win32";
  step(onWindows ? "npm.cmd" : "npm", ["install", ...flags], { shell: onWindows });
  // npm leaves the date alone when it finds nothing to do; without this the next command would ask it again.
  const now = new Date();
  utimesSync(INSTALLED_LOCK, now, now);
}

/**
 * Compiles src/ to dist/, reusing what the compiler remembers, after removing what deleted sources left behind; then
 * bundles what ships.
 */
export function build() {
  const sources = fingerprint();
  rmSync(STAMP, { force: true });
  mkdirSync(OUTPUTS, { recursive: true });
  removeOrphans();
  if (outputsAreMissing()) rmSync(join(OUTPUTS, ".tsbuildinfo"), { force: true });
  step(process.execPath, [join(root, "node_modules", "typescript", "bin", "tsc"), "-p", root, "--pretty"]);
  step(process.execPath, [BUNDLER]);
  writeFileSync(STAMP, sources);
}

/**
 * Runs one step with this terminal; a failure ends the process with the step's exit code.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {import("node:child_process").SpawnSyncOptions} [options]
 */
export function step(command, args, options) {
  const { error, status } = spawnSync(command, args, { cwd: root, stdio: "inherit", ...options });
  if (error) console.error(`stillwater: cannot run ${command}: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
}

/** The TypeScript sources as paths relative to src/, without their extension, for those that end in `suffix`. */
export function sourceStems(suffix = ".ts") {
  return filesIn(SOURCES)
    .filter((path) => path.endsWith(suffix))
    .map((path) => path.slice(0, -".ts".length));
}

function filesIn(folder) {
  if (!existsSync(folder)) return [];
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return files.map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(folder.length + 1)).sort();
}

/** Changes with any source's name, size or date, and with how they are compiled and bundled, and by which version. */
function fingerprint() {
  const settings = [join(root, "tsconfig.json"), BUNDLER, INSTALLED_LOCK];
  const inputs = [...settings, ...filesIn(SOURCES).map((path) => join(SOURCES, path))];
  const hash = createHash("sha256").update(process.platform);
  for (const path of inputs) {
    const { size, mtimeMs } = statSync(path);
    hash.update(`${path} ${size} ${mtimeMs}\n`);
  }
  return hash.digest("hex");
}

function readStamp() {
  return existsSync(STAMP) ? readFileSync(STAMP, "utf8") : undefined;
}

function removeOrphans() {
  const stems = new Set(sourceStems());
  for (const path of filesIn(OUTPUTS)) {
    if (OUTPUT_SUFFIX.test(path) && !stems.has(path.replace(OUTPUT_SUFFIX, ""))) rmSync(join(OUTPUTS, path));
  }
}

/** The compiler trusts its notes and would not write again an output that was deleted by hand. */
function outputsAreMissing() {
  return sourceStems().some((stem) => !stem.endsWith(".d") && !existsSync(join(OUTPUTS, `${stem}.js`)));
}
