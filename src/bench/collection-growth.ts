/** One hash, set, sorted set or list that grows to 5 million elements: the longest that a single command took. */
import { runInChild } from "./child.ts";
import { type CollectionGrowthFigures, GROWING } from "./collection-growth-worker.ts";
import type { Options } from "./options.ts";
import type { Report, Row } from "./report.ts";
import { median } from "./statistics.ts";

const COLUMNS = [
  { field: "collection", title: "collection" },
  { field: "elements", title: "elements" },
  { field: "rounds", title: "rounds" },
  { field: "perSecond", title: "commands/s" },
  { field: "worstPause", title: "worst command ms", digits: 2 },
  { field: "highestPause", title: "highest", digits: 2 },
  { field: "slow", title: "over 1 ms" },
  { field: "loopPerSecond", title: "loop/s" },
  { field: "loopPause", title: "loop's worst ms", digits: 2 },
  { field: "loopHighestPause", title: "highest", digits: 2 },
  { field: "loopSlow", title: "over 1 ms" },
];

export async function benchmarkCollectionGrowth({ smoke, rounds, seed }: Options): Promise<Report> {
  const elements = smoke ? 50_000 : 5_000_000;
  const rows: Row[] = [];
  for (const collection of GROWING) {
    process.stderr.write(`collection-growth: ${collection}, ${elements} elements\n`);
    const runs: CollectionGrowthFigures[] = [];
    for (let round = 0; round < (rounds ?? (smoke ? 1 : 3)); round += 1) {
      runs.push(await runInChild({ kind: "collection-growth", collection, elements, seed: seed + round }));
    }
    const [worst] = [...runs].sort((a, b) => b.growth.worstPause - a.growth.worstPause);
    const of = (figure: (run: CollectionGrowthFigures) => number): number => median(runs.map(figure));
    rows.push({
      collection,
      elements,
      rounds: runs.length,
      perSecond: of(({ growth }) => growth.perSecond),
      worstPause: of(({ growth }) => growth.worstPause),
      highestPause: worst?.growth.worstPause ?? null,
      highestAt: worst?.growth.worstAt ?? null,
      slow: of(({ growth }) => growth.slow),
      loopPerSecond: of(({ loop }) => loop.perSecond),
      loopPause: of(({ loop }) => loop.worstPause),
      loopHighestPause: Math.max(...runs.map(({ loop }) => loop.worstPause)),
      loopSlow: of(({ loop }) => loop.slow),
    });
  }
  const title = `Growth of collections: to ${elements.toLocaleString("en-US")} elements by single commands, embedded`;
  return { title, columns: COLUMNS, rows };
}
