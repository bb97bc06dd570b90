/**
 * The directives of parts that do not exist yet: they are read, checked, kept and shown, so that a configuration file
 * written today is in force unchanged on the day they do.
 */
import { later } from "./directive.ts";
import { INT_MAX, integer, LONG_MAX, memory, oneOf, text, yesNo } from "./kinds.ts";
import { savePoints } from "./special-kinds.ts";

const MIB = 2 ** 20;
const COUNT = { min: 0n, max: INT_MAX };
const LONG_COUNT = { min: 0n, max: LONG_MAX };
const immutable = true;
const hidden = true;

function fileName(directive: string, emptyIsAllowed: boolean, noun = "filename") {
  return (value: string): string | undefined => {
    if (value === "" && !emptyIsAllowed) return `${directive} can't be empty`;
    return /[/\\]/.test(value) ? `${directive} can't be a path, just a ${noun}` : undefined;
  };
}

const snapshots = {
  save: later(savePoints("3600 1 300 100 60 10000")),
  dbfilename: later(text("dump.rdb", fileName("dbfilename", true)), { protected: true }),
  rdbchecksum: later(yesNo("yes"), { immutable }),
  "rdb-del-sync-files": later(yesNo("no")),
  "rdb-save-incremental-fsync": later(yesNo("yes")),
  "stop-writes-on-bgsave-error": later(yesNo("yes")),
  "rdb-key-save-delay": later(integer(0, { min: -INT_MAX - 1n, max: INT_MAX }), { hidden }),
  "key-load-delay": later(integer(0, { min: -INT_MAX - 1n, max: INT_MAX }), { hidden }),
  "loading-process-events-interval-bytes": later(integer(2 * MIB, { min: 1024n, max: INT_MAX }), { hidden }),
};

const appendOnlyFile = {
  appendonly: later(yesNo("no"), { fixedWhileLoading: true }),
  appendfilename: later(text("appendonly.aof", fileName("appendfilename", false)), { immutable }),
  appenddirname: later(text("appendonlydir", fileName("appenddirname", false, "dirname")), { immutable }),
  appendfsync: later(oneOf(["everysec", "always", "no"], "everysec")),
  "no-appendfsync-on-rewrite": later(yesNo("no")),
  "auto-aof-rewrite-percentage": later(integer(100, COUNT)),
  "auto-aof-rewrite-min-size": later(memory(64 * MIB, LONG_COUNT)),
  "aof-load-truncated": later(yesNo("yes")),
  "aof-use-rdb-preamble": later(yesNo("yes")),
  "aof-timestamp-enabled": later(yesNo("no")),
  "aof-rewrite-incremental-fsync": later(yesNo("yes")),
  "aof-disable-auto-gc": later(yesNo("no"), { hidden }),
};

const streams = {
  "stream-node-max-bytes": later(memory(4096, LONG_COUNT)),
  "stream-node-max-entries": later(integer(100, LONG_COUNT)),
};

const accessAndTracking = {
  aclfile: later(text(""), { immutable }),
  "acl-pubsub-default": later(oneOf(["allchannels", "resetchannels"], "resetchannels")),
  "acllog-max-len": later(integer(128, LONG_COUNT)),
  "tracking-table-max-keys": later(integer(1_000_000, LONG_COUNT)),
  "busy-reply-threshold": later(integer(5000, LONG_COUNT), { alias: "lua-time-limit" }),
};

/** The directives of parts still to come. */
export const directivesLater = {
  ...snapshots,
  ...appendOnlyFile,
  ...streams,
  ...accessAndTracking,
};
