/** Collections through the typed methods of the embedded store: calls per second on 100,000 members. */
import { runInChild } from "./child.ts";
import { CALLS, type CollectionCallFigures } from "./collection-calls-worker.ts";
import type { Options } from "./options.ts";
import type { Report, Row } from "./report.ts";
import { median } from "./statistics.ts";

const COLUMNS = [
  { field: "call", title: "call" },
  { field: "members", title: "members" },
  { field: "rounds", title: "rounds" },
  { field: "perSecond", title: "calls/s" },
  { field: "lowest", title: "lowest" },
  { field: "highest", title: "highest" },
];

export async function benchmarkCollectionCalls({ smoke, rounds, seed }: Options): Promise<Report> {
  const members = smoke ? 10_000 : 100_000;
  const amount = smoke ? { rounds: rounds ?? 1, seconds: 0.03 } : { rounds: rounds ?? 5, seconds: 0.5 };
  process.stderr.write(`collection-calls: ${members} members\n`);
  const figures = await runInChild<CollectionCallFigures>({ kind: "collection-calls", members, seed, ...amount });
  const rows: Row[] = CALLS.map((call) => ({
    call,
    members,
    rounds: amount.rounds,
    perSecond: median(figures[call]),
    lowest: Math.min(...figures[call]),
    highest: Math.max(...figures[call]),
  }));
  return { title: "Calls on embedded collections: members and values of 16 B", columns: COLUMNS, rows };
}
