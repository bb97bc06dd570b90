/**
 * The directives of parts that do not exist yet: they are read, checked, kept and shown, so that a configuration file
 * written today is in force unchanged on the day they do.
 */
import { later } from "./directive.ts";
import { integer, LONG_MAX, memory, oneOf, text } from "./kinds.ts";

const LONG_COUNT = { min: 0n, max: LONG_MAX };
const immutable = true;

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
  ...streams,
  ...accessAndTracking,
};
