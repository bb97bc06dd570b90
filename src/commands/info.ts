/** INFO: the state of the store, in sections of fields. */
import type { Arguments } from "../base/arguments.ts";
import { bytes, optional, repeated } from "./argument.ts";
import { command } from "./command.ts";
import type { Context } from "./context.ts";
import { commandSection, errorSection, latencySection } from "./info-commands.ts";
import { memorySection } from "./info-memory.ts";
import {
  clientsSection,
  clusterSection,
  cpuSection,
  keyspaceSection,
  modulesSection,
  persistenceSection,
  replicationSection,
  serverSection,
  statsSection,
  threadsSection,
} from "./info-sections.ts";

/** What a section shows, in order. */
export type Fields = Readonly<Record<string, string | number>>;

interface Section {
  /** By which it is asked for. */
  readonly names: readonly string[];
  readonly title: string;
  /** Whether it is shown where nothing is asked for. */
  readonly isDefault: boolean;
  fields(context: Context): Fields;
}

const SECTIONS: readonly Section[] = [
  { names: ["server"], title: "Server", isDefault: true, fields: serverSection },
  { names: ["clients"], title: "Clients", isDefault: true, fields: clientsSection },
  { names: ["memory"], title: "Memory", isDefault: true, fields: memorySection },
  { names: ["persistence"], title: "Persistence", isDefault: true, fields: persistenceSection },
  { names: ["stats"], title: "Stats", isDefault: true, fields: statsSection },
  { names: ["replication"], title: "Replication", isDefault: true, fields: replicationSection },
  { names: ["threads"], title: "Threads", isDefault: true, fields: threadsSection },
  { names: ["cpu"], title: "CPU", isDefault: true, fields: cpuSection },
  { names: ["modules", "module_list"], title: "Modules", isDefault: true, fields: modulesSection },
  { names: ["commandstats"], title: "Commandstats", isDefault: false, fields: commandSection },
  { names: ["errorstats"], title: "Errorstats", isDefault: true, fields: errorSection },
  { names: ["latencystats"], title: "Latencystats", isDefault: false, fields: latencySection },
  { names: ["cluster"], title: "Cluster", isDefault: true, fields: clusterSection },
  { names: ["keyspace"], title: "Keyspace", isDefault: true, fields: keyspaceSection },
];

const INFO = command({
  name: "INFO",
  summary: "Returns the state of the store and its counters, by section.",
  complexity: "O(N) where N is the number of commands that have been called, and of client connections",
  since: "1.0.0",
  group: "server",
  arity: -1,
  flags: ["loading", "stale"],
  categories: ["dangerous"],
  tips: ["nondeterministic_output", "request_policy:all_shards", "response_policy:special"],
  history: [["7.0.0", "Several sections may be asked for."]],
  args: { section: optional(repeated({ section: bytes() })) },
  run(context, _, args) {
    const texts = sectionsAsked(args).map((section) => textOf(section, context));
    context.reply.verbatim("txt", texts.join("\r\n"));
  },
});

function sectionsAsked(args: Arguments): readonly Section[] {
  const asked = new Set<string>();
  for (let index = 1; index < args.count; index++) asked.add(args.latin1(index).toLowerCase());
  if (asked.has("all") || asked.has("everything")) return SECTIONS;
  const withDefaults = asked.size === 0 || asked.has("default");
  return SECTIONS.filter(({ names, isDefault }) => {
    return (withDefaults && isDefault) || names.some((name) => asked.has(name));
  });
}

function textOf({ title, fields }: Section, context: Context): string {
  const lines = Object.entries(fields(context)).map(([name, value]) => `${name}:${value}\r\n`);
  return `# ${title}\r\n${lines.join("")}`;
}

export const infoCommands = [INFO];
