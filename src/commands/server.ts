/** Server: time, role, the end of the store, and a picture. */
import type { Arguments } from "../base/arguments.ts";
import { microsecondsNow } from "../base/wall-clock.ts";
import { oneOf, rest, since, token } from "./argument.ts";
import { command } from "./command.ts";
import { CommandError, NOT_AN_INTEGER, SYNTAX_ERROR } from "./errors.ts";
import { drawStillWater } from "./still-water.ts";
import { REDIS_VERSION } from "./version.ts";

const TIME = command({
  name: "TIME",
  summary: "Returns the server's time: seconds since 1970, and the microseconds of the current second.",
  complexity: "O(1)",
  since: "2.6.0",
  group: "server",
  arity: 1,
  flags: ["loading", "stale", "fast"],
  tips: ["nondeterministic_output"],
  args: {},
  run({ reply }) {
    const now = microsecondsNow();
    reply.array(2);
    reply.bulkText(String(Math.floor(now / 1e6)));
    reply.bulkText(String(now % 1e6));
  },
});

const ROLE = command({
  name: "ROLE",
  summary: "Returns the part that the server plays in replication: that of a master, without replicas.",
  complexity: "O(1)",
  since: "2.8.12",
  group: "server",
  arity: 1,
  flags: ["noscript", "loading", "stale", "fast"],
  categories: ["admin", "dangerous"],
  args: {},
  run({ reply }) {
    reply.array(3);
    reply.bulkText("master");
    reply.integer(0);
    reply.array(0);
  },
});

const SHUTDOWN = command({
  name: "SHUTDOWN",
  summary: "Ends the store, or calls off an end that is under way; there is no reply to an end that succeeds.",
  complexity: "O(N) when saving, where N is the total number of keys in all databases; otherwise O(1)",
  since: "1.0.0",
  group: "server",
  arity: -1,
  flags: ["admin", "noscript", "loading", "stale", "no_multi", "allow_busy"],
  history: [["7.0.0", "Added `NOW`, `FORCE` and `ABORT`."]],
  args: {
    "save-selector": oneOf("NOSAVE", "SAVE"),
    now: since("7.0.0", token("NOW")),
    force: since("7.0.0", token("FORCE")),
    abort: since("7.0.0", token("ABORT")),
  },
  run({ reply, services }, { "save-selector": selector, now, force, abort }) {
    const { lifecycle } = services;
    if (!abort) {
      lifecycle.shutdown({ save: selector === undefined ? undefined : selector === "SAVE", now, force });
      return;
    }
    if (selector !== undefined || now || force) throw new CommandError(SYNTAX_ERROR);
    if (!lifecycle.abortShutdown()) throw new CommandError("ERR No shutdown in progress.");
    reply.ok();
  },
});

const LOLWUT = command({
  name: "LOLWUT",
  summary: "Draws a picture, and tells the version.",
  complexity: "O(1)",
  since: "5.0.0",
  group: "server",
  arity: -1,
  flags: ["readonly", "fast"],
  args: { version: rest({ name: "version", type: "integer", token: "VERSION", flags: ["optional"] }) },
  run({ reply }, _, args) {
    checkVersion(args);
    reply.verbatim("txt", `${drawStillWater()}\nRedis ver. ${REDIS_VERSION}\n`);
  },
});

/** Every version has the same picture; other arguments are what Redis's pictures take, and are not looked at. */
function checkVersion(args: Arguments): void {
  if (args.count > 2 && args.is(1, "VERSION") && args.int64(2) === undefined) throw new CommandError(NOT_AN_INTEGER);
}

export const serverCommands = [LOLWUT, ROLE, SHUTDOWN, TIME];
