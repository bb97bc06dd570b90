/** MONITOR. What is sent to a client in this mode: monitoring/monitor-feed.ts. */
import { command } from "./command.ts";

const MONITOR = command({
  name: "MONITOR",
  summary: "Shows every command that is executed, as it is.",
  complexity: "O(1); every command then costs a line for each client that watches",
  since: "1.0.0",
  group: "server",
  arity: 1,
  flags: ["admin", "noscript", "loading", "stale"],
  args: {},
  run({ reply, session }) {
    session.isMonitor = true;
    reply.ok();
  },
});

export const monitorCommands = [MONITOR];
