/** The options of `open`: checked, and turned into a configuration. */
import { parseExactMemorySize } from "../base/memory-size.ts";
import { Configuration } from "../config/configuration.ts";
import { Refusal } from "../config/directive.ts";
import { findDirective } from "../config/directives.ts";
import { bytesOfText } from "../config/quoting.ts";
import type { HousekeepingOptions } from "../engine/housekeeper.ts";
import type { OpenProgress } from "../engine/persistence.ts";
import { REGION_SIZE_MAX, REGION_SIZE_MIN } from "../memory/region.ts";
import { describe } from "./argument-writer.ts";

/** How a store gets rid of keys and fields whose time has come, beside finding them expired when they are looked up. */
export interface ExpiryPolicy {
  /**
   * "background", the default: by itself, in slices of half a millisecond between the turns of the event loop, from a
   * timer that keeps no process alive. "manual": only when the program calls `tick`. The same goes for everything else
   * that a store does on its own: giving memory back, making room, keeping its clock and its statistics.
   */
  readonly mode?: "background" | "manual" | undefined;
  /** Milliseconds between two looks at what has expired, 1 to 60,000: 100 by default. Not for the mode "manual". */
  readonly intervalMs?: number | undefined;
  /** 1, the default, to 10: how much longer than half a millisecond a slice may be, by eighths of a millisecond. */
  readonly effort?: number | undefined;
}

/** How a store is opened; every option may be left out. */
export interface OpenOptions {
  /**
   * Bytes of data after which commands that need more memory are refused with `OOM`: a number, or text with a unit such
   * as "512mb" or "4gb". Room for it is reserved at once and costs nothing until it is used. Without it there is no
   * limit but the room: one region of `regionSize`, just under 2 GiB.
   */
  readonly maxMemory?: number | string | undefined;
  /** Databases that `select` and `database` can choose from: 16 by default. */
  readonly databases?: number | undefined;
  /** What clients that come by `listen` or `connector` must authenticate with; this program itself need not. */
  readonly password?: string | undefined;
  /** When what has expired is removed: by itself, unless told otherwise. */
  readonly expiry?: ExpiryPolicy | undefined;
  /**
   * The directory that the data is kept in, and found again by the next `open`; made if it is missing. One store at a
   * time may have it. Without this option nothing is written anywhere, and the data is gone with the process.
   */
  readonly dir?: string | undefined;
  /**
   * When the log of changes is synced to the disk: "everysec", the default, once a second; "always" as soon as the disk
   * can; "no" when the system likes. Calls do not wait for it: `durable()` does. Only with `dir`.
   */
  readonly fsync?: "always" | "everysec" | "no" | undefined;
  /**
   * After how many seconds, if there have been so many changes, a snapshot is written beside the log: `[[3600, 1]]`, or
   * as redis.conf has it, "3600 1 300 100". None by default, because the log has everything. Only with `dir`.
   */
  readonly save?: string | readonly (readonly [seconds: number, changes: number])[] | false | undefined;
  /** Told from time to time how far loading has come, while `open` has not returned. */
  readonly onProgress?: ((progress: OpenProgress) => void) | undefined;
  /** Any directive of redis.conf by its name, as it would be written there: `{ "slowlog-max-len": "1000" }`. */
  readonly config?: Readonly<Record<string, string | number>> | undefined;
  /** Source of time, milliseconds since 1970: for tests. `Date.now` by default. */
  readonly now?: (() => number) | undefined;
  /** Bytes of one region, the unit in which memory is reserved: a number or text with a unit. For tests. */
  readonly regionSize?: number | string | undefined;
  /** Two 32-bit integers that the hash of keys starts from: for tests that must repeat. Random by default. */
  readonly seed?: readonly [number, number] | undefined;
}

/** What a store is made from. */
export interface OpenRequest {
  readonly configuration: Configuration;
  readonly now: () => number;
  /** Settings of the keyspace that the configuration does not decide. */
  readonly keyspace: {
    readonly shards?: number;
    readonly regionSize?: number;
    readonly seed?: readonly [number, number];
  };
  readonly housekeeping: HousekeepingOptions;
  /** Whether the store has a directory to keep its data in. */
  readonly isKept: boolean;
  readonly onProgress: ((progress: OpenProgress) => void) | undefined;
}

const DATABASES_MAX = 65_536;
const INTERVAL_MAX = 60_000;
const EFFORT_MAX = 10;
const NAMES: readonly (keyof OpenOptions)[] = [
  "maxMemory",
  "databases",
  "password",
  "expiry",
  "dir",
  "fsync",
  "save",
  "onProgress",
  "config",
  "now",
  "regionSize",
  "seed",
];
const FSYNC_POLICIES: readonly unknown[] = ["always", "everysec", "no"];
const EXPIRY_NAMES: readonly (keyof ExpiryPolicy)[] = ["mode", "intervalMs", "effort"];

/** @throws TypeError that names the option that is unknown, of the wrong type or out of range */
export function checkOptions(options: OpenOptions): OpenRequest {
  if (typeof options !== "object" || options === null) throw new TypeError(`options: ${describe(options)}, no object`);
  for (const name of Object.keys(options)) refuseUnknown(name);
  const configuration = new Configuration();
  if (options.config !== undefined) setDirectives(configuration, options.config);
  set(configuration, "maxMemory", "maxmemory", memorySize("maxMemory", options.maxMemory, 1));
  set(configuration, "databases", "databases", integer("databases", options.databases, 1, DATABASES_MAX));
  set(configuration, "password", "requirepass", text("password", options.password));
  const regionSize = memorySize("regionSize", options.regionSize, REGION_SIZE_MIN, 2 ** 31);
  set(configuration, "regionSize", "region-size", regionSize);
  const { now = Date.now, onProgress } = options;
  if (typeof now !== "function") throw wrong("now", now, "a function");
  if (onProgress !== undefined && typeof onProgress !== "function") throw wrong("onProgress", onProgress, "a function");
  const isKept = keeping(configuration, options);
  const housekeeping = expiryPolicy(configuration, options.expiry);
  const keyspace = { ...sizing(configuration), ...seeded(options.seed) };
  return { configuration, now, keyspace, housekeeping, isKept, onProgress };
}

/** @returns whether the data is kept in a directory */
function keeping(configuration: Configuration, options: OpenOptions): boolean {
  const { fsync, save } = options;
  if (fsync !== undefined && !FSYNC_POLICIES.includes(fsync)) {
    const shown = typeof fsync === "string" ? fsync : describe(fsync);
    throw new TypeError(`fsync: ${shown} is none of always, everysec, no`);
  }
  const rules = saveRules(save);
  set(configuration, "dir", "dir", text("dir", options.dir));
  const isKept = configuration.wasGiven("dir");
  if (!isKept) {
    refuseWithoutDirectory("fsync", fsync !== undefined);
    refuseWithoutDirectory("save", rules !== undefined && rules !== "");
    refuseWithoutDirectory('config["appendfsync"]', configuration.wasGiven("appendfsync"));
    refuseWithoutDirectory('config["appendonly"]', configuration.get("appendonly"));
    refuseWithoutDirectory('config["save"]', configuration.wasGiven("save") && configuration.get("save").length > 0);
  }
  if (!configuration.wasGiven("appendonly")) set(configuration, "dir", "appendonly", isKept ? "yes" : "no");
  if (fsync !== undefined && !configuration.get("appendonly")) {
    throw new TypeError('fsync: there is no log to sync: config["appendonly"] is no');
  }
  set(configuration, "fsync", "appendfsync", fsync);
  // Rules add up, so those that hold by default go first.
  if (rules !== undefined || !configuration.wasGiven("save")) set(configuration, "save", "save", "");
  set(configuration, "save", "save", rules);
  return isKept;
}

function refuseWithoutDirectory(option: string, isAsked: boolean): void {
  if (isAsked) throw new TypeError(`${option}: a store without the option dir keeps nothing on disk`);
}

/** The rules as redis.conf has them, empty for none; undefined if nothing was said. */
function saveRules(save: OpenOptions["save"]): string | undefined {
  if (save === undefined || typeof save === "string") return save;
  if (save === false) return "";
  const isPairs = Array.isArray(save) && save.every((pair) => Array.isArray(pair) && pair.length === 2);
  if (!isPairs) throw wrong("save", save, "pairs of seconds and changes, text such as 3600 1, or false");
  const numbers: readonly unknown[] = save.flat();
  const odd = numbers.find((number) => !Number.isInteger(number));
  if (odd !== undefined) throw new TypeError(`save: ${String(odd)} is no whole number of seconds or changes`);
  return numbers.join(" ");
}

function expiryPolicy(configuration: Configuration, policy: OpenOptions["expiry"]): HousekeepingOptions {
  if (policy === undefined) return {};
  if (typeof policy !== "object" || policy === null || Array.isArray(policy))
    throw wrong("expiry", policy, "an object");
  for (const name of Object.keys(policy)) {
    if ((EXPIRY_NAMES as readonly string[]).includes(name)) continue;
    throw new TypeError(`expiry.${name}: no such option; there are ${EXPIRY_NAMES.join(", ")}`);
  }
  const { mode, intervalMs, effort } = policy;
  if (mode !== undefined && mode !== "background" && mode !== "manual") {
    const shown = typeof mode === "string" ? mode : describe(mode);
    throw new TypeError(`expiry.mode: ${shown} is neither background nor manual`);
  }
  const interval = integer("expiry.intervalMs", intervalMs, 1, INTERVAL_MAX);
  if (mode === "manual" && interval !== undefined) {
    throw new TypeError("expiry.intervalMs: the mode manual has no interval, nothing is done but by tick");
  }
  set(configuration, "expiry.effort", "active-expire-effort", integer("expiry.effort", effort, 1, EFFORT_MAX));
  return { mode, intervalMs };
}

function refuseUnknown(name: string): void {
  if ((NAMES as readonly string[]).includes(name)) return;
  throw new TypeError(`${name}: no such option; there are ${NAMES.join(", ")}`);
}

/** Without a memory limit: one region. */
function sizing(configuration: Configuration): { shards?: number; regionSize?: number } {
  if (Number(configuration.get("maxmemory")) > 0) return {};
  const asked = Number(configuration.get("region-size"));
  const regionSize = asked === 0 ? REGION_SIZE_MAX : Math.min(asked, REGION_SIZE_MAX);
  return { shards: 1, regionSize: Math.floor(regionSize / 4096) * 4096 };
}

function seeded(seed: OpenOptions["seed"]): { seed?: readonly [number, number] } {
  if (seed === undefined) return {};
  const isPair = Array.isArray(seed) && seed.length === 2 && seed.every((word) => Number.isInteger(word));
  if (!isPair) throw wrong("seed", seed, "two integers");
  return { seed: [seed[0] | 0, seed[1] | 0] };
}

function setDirectives(configuration: Configuration, config: OpenOptions["config"] & object): void {
  if (typeof config !== "object" || Array.isArray(config)) throw wrong("config", config, "an object");
  for (const [name, value] of Object.entries(config)) {
    const option = `config["${name}"]`;
    if (typeof value !== "string" && typeof value !== "number") throw wrong(option, value, "a string or a number");
    if (findDirective(name) === undefined) throw new TypeError(`${option}: no such directive`);
    set(configuration, option, name, String(value));
  }
}

function set(configuration: Configuration, option: string, directive: string, value: string | undefined): void {
  if (value === undefined) return;
  try {
    configuration.initialize(directive, [bytesOfText(value)]);
  } catch (error) {
    if (error instanceof Refusal) throw new TypeError(`${option}: ${error.message}`);
    throw error;
  }
}

function memorySize(option: string, value: unknown, min: number, max = Number.MAX_SAFE_INTEGER): string | undefined {
  if (value === undefined) return undefined;
  const isRight = typeof value === "number" || typeof value === "string";
  if (!isRight) throw wrong(option, value, "a number of bytes, or text such as 512mb");
  const bytes = typeof value === "number" ? value : Number(parseExactMemorySize(value) ?? Number.NaN);
  if (!Number.isInteger(bytes))
    throw new TypeError(`${option}: ${value} is no whole number of bytes, nor text such as 512mb`);
  if (bytes < min || bytes > max) throw new TypeError(`${option}: ${value} is not between ${min} and ${max} bytes`);
  return String(bytes);
}

function integer(option: string, value: unknown, min: number, max: number): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== "number") throw wrong(option, value, "a number");
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new TypeError(`${option}: ${value} is no whole number between ${min} and ${max}`);
  }
  return String(value);
}

function text(option: string, value: unknown): string | undefined {
  if (value !== undefined && typeof value !== "string") throw wrong(option, value, "a string");
  return value;
}

function wrong(option: string, value: unknown, wanted: string): TypeError {
  return new TypeError(`${option}: ${describe(value)}, not ${wanted}`);
}
