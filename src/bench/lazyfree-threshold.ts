/** The lazy free's threshold: from which size on handing a value over costs the serving thread less than freeing it. */
import { runInChild } from "./child.ts";
import type { LazyFreeThresholdFigures } from "./lazyfree-threshold-worker.ts";
import type { Options } from "./options.ts";
import type { Report, Row } from "./report.ts";
import { median } from "./statistics.ts";

const COLUMNS = [
  { field: "fields", title: "fields" },
  { field: "perTurn", title: "values a turn" },
  { field: "values", title: "values" },
  { field: "inline", title: "freed at once us", digits: 2 },
  { field: "handedOver", title: "handed over us", digits: 2 },
  { field: "ratio", title: "ratio", digits: 2 },
  { field: "lowestRatio", title: "low", digits: 2 },
  { field: "highestRatio", title: "high", digits: 2 },
];

const FIELDS = [4, 16, 64, 256, 1_024, 4_096, 16_384];
const SMOKE_FIELDS = [64, 4_096];
/** One value a turn is the worst case of handing over: a message for each. */
const PER_TURN = [1, 50];
const BLOCKS = 400_000;
const VALUES_MAX = 10_000;
const VALUES_MIN = 50;

export async function benchmarkLazyFreeThreshold({ smoke, rounds }: Options): Promise<Report> {
  const rows: Row[] = [];
  for (const fields of smoke ? SMOKE_FIELDS : FIELDS) {
    for (const perTurn of PER_TURN) {
      process.stderr.write(`lazyfree-threshold: ${fields} fields, ${perTurn} values a turn\n`);
      const blocks = smoke ? BLOCKS / 10 : BLOCKS;
      const values = Math.max(VALUES_MIN, Math.min(VALUES_MAX, Math.floor(blocks / fields)));
      const job = { kind: "lazyfree-threshold", fields, values, perTurn, rounds: rounds ?? (smoke ? 1 : 5) } as const;
      const { inline, handedOver } = await runInChild<LazyFreeThresholdFigures>(job);
      const ratios = handedOver.map((time, round) => time / (inline[round] as number));
      rows.push({
        fields,
        perTurn,
        values,
        inline: median(inline),
        handedOver: median(handedOver),
        ratio: median(ratios),
        lowestRatio: Math.min(...ratios),
        highestRatio: Math.max(...ratios),
      });
    }
  }
  const title = "Threshold of lazy free: CPU time of the serving thread for a hash that dies, embedded";
  return { title, columns: COLUMNS, rows };
}
