/** The embedded store beside `Map`, lru-cache and lmdb: operations per second, each in its own process. */
import { runInChild } from "./child.ts";
import { CONTENDERS } from "./contenders.ts";
import type { OperationFigures } from "./operations-worker.ts";
import type { Options } from "./options.ts";
import type { Report, Row } from "./report.ts";
import { median } from "./statistics.ts";

const COLUMNS = [
  { field: "keys", title: "keys" },
  { field: "order", title: "order" },
  { field: "contender", title: "contender" },
  { field: "setsPerSecond", title: "set/s" },
  { field: "getsPerSecond", title: "get/s" },
  { field: "incrsPerSecond", title: "incr/s" },
];

export async function benchmarkEmbedded({ smoke, rounds, seed }: Options): Promise<Report> {
  const rows: Row[] = [];
  const many = smoke ? 50_000 : 1_000_000;
  const cases = [
    { keys: many, order: "ascending" },
    { keys: many, order: "random" },
    { keys: 1_000, order: "random" },
  ] as const;
  for (const { keys, order } of cases) {
    for (const contender of CONTENDERS) {
      process.stderr.write(`embedded: ${contender}, ${keys} keys, ${order}\n`);
      const amount = smoke ? { rounds: rounds ?? 1, seconds: 0.05 } : { rounds: rounds ?? 5, seconds: 0.5 };
      const figures = await runInChild<OperationFigures>({
        kind: "operations",
        contender,
        keys,
        order,
        seed,
        ...amount,
      });
      rows.push({
        keys,
        order,
        contender,
        rounds: amount.rounds,
        setsPerSecond: median(figures.set),
        getsPerSecond: median(figures.get),
        incrsPerSecond: median(figures.incr),
      });
    }
  }
  return { title: "Embedded: keys and values of 16 B", columns: COLUMNS, rows };
}
