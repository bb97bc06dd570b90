/** Freeze of 5 million keys: how long it takes, and how writes go on before, during and after it. */
import { runInChild } from "./child.ts";
import type { FreezeFigures } from "./freeze-worker.ts";
import type { Options } from "./options.ts";
import type { Report, Row } from "./report.ts";
import { median } from "./statistics.ts";

const COLUMNS = [
  { field: "figure", title: "figure" },
  { field: "median", title: "median", digits: 1 },
  { field: "lowest", title: "lowest", digits: 1 },
  { field: "highest", title: "highest", digits: 1 },
];

const FIGURES: readonly { readonly figure: string; readonly of: (round: FreezeFigures) => number }[] = [
  { figure: "freeze, us", of: ({ freeze }) => freeze },
  { figure: "release, us", of: ({ release }) => release },
  { figure: "overwrites before, thousand/s", of: ({ before }) => before.perSecond / 1_000 },
  { figure: "overwrites during, thousand/s", of: ({ during }) => during.perSecond / 1_000 },
  { figure: "overwrites after, thousand/s", of: ({ after }) => after.perSecond / 1_000 },
  { figure: "worst pause of 100 before, us", of: ({ before }) => before.worstPause * 1_000 },
  { figure: "worst pause of 100 during, us", of: ({ during }) => during.worstPause * 1_000 },
  { figure: "worst pause of 100 after, us", of: ({ after }) => after.worstPause * 1_000 },
];

export async function benchmarkFreeze({ smoke, rounds, seed }: Options): Promise<Report> {
  const keys = smoke ? 100_000 : 5_000_000;
  process.stderr.write(`freeze: ${keys} keys\n`);
  const amount = { keys, rounds: rounds ?? (smoke ? 3 : 20) };
  const measured = await runInChild<FreezeFigures[]>({ kind: "freeze", seed, ...amount });
  const rows: Row[] = FIGURES.map(({ figure, of }) => {
    const values = measured.map(of);
    return { figure, ...amount, median: median(values), lowest: Math.min(...values), highest: Math.max(...values) };
  });
  const title = `Freeze: ${keys.toLocaleString("en-US")} keys of 16 B with values of 64 B, ${amount.rounds} freezes`;
  return { title, columns: COLUMNS, rows };
}
