/** Snapshots: saving everything there is to the file that `dir` and `dbfilename` name. */
import { since, token } from "./argument.ts";
import { command } from "./command.ts";

const SAVE = command({
  name: "SAVE",
  summary: "Saves all data to disk, and keeps everybody waiting until that is done.",
  complexity: "O(N) where N is the total number of keys in all databases",
  since: "1.0.0",
  group: "server",
  arity: 1,
  flags: ["admin", "noscript", "no_async_loading", "no_multi"],
  args: {},
  run({ reply, services }) {
    services.persistence.save();
    reply.ok();
  },
});

const BGSAVE = command({
  name: "BGSAVE",
  summary: "Saves all data, as it is now, to disk in the background.",
  complexity: "O(1)",
  since: "1.0.0",
  group: "server",
  arity: -1,
  flags: ["admin", "noscript", "no_async_loading"],
  history: [["3.2.2", "Added the `SCHEDULE` option."]],
  args: { schedule: since("3.2.2", token("SCHEDULE")) },
  run({ reply, services }, { schedule }) {
    reply.simple(services.persistence.saveInBackground(schedule));
  },
});

const LASTSAVE = command({
  name: "LASTSAVE",
  summary: "Returns when the data was last saved, in seconds since 1970.",
  complexity: "O(1)",
  since: "1.0.0",
  group: "server",
  arity: 1,
  flags: ["loading", "stale", "fast"],
  categories: ["admin", "dangerous"],
  tips: ["nondeterministic_output"],
  args: {},
  run({ reply, services }) {
    reply.integer(services.persistence.lastSaveAt);
  },
});

export const snapshotCommands = [BGSAVE, LASTSAVE, SAVE];
