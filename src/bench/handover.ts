/** How long the thread that answers is busy with a large value that dies, whatever its size. */
import { runInChild } from "./child.ts";
import type { Handover, HandoverFigures } from "./handover-worker.ts";
import type { Options } from "./options.ts";
import type { Report, Row } from "./report.ts";
import { median } from "./statistics.ts";

const TARGET_MICROSECONDS = 20;

const COLUMNS = [
  { field: "fields", title: "fields" },
  { field: "rounds", title: "rounds" },
  { field: "call", title: "del us", digits: 1 },
  { field: "callMax", title: "max", digits: 1 },
  { field: "smallCall", title: "small del us", digits: 1 },
  { field: "handover", title: "handing over us", digits: 1 },
  { field: "turn", title: "turn us", digits: 1 },
  { field: "turnMax", title: "max", digits: 1 },
  { field: "longestTurn", title: "longest turn us", digits: 1 },
  { field: "longestTurnMax", title: "max", digits: 1 },
  { field: "firstCall", title: "first del us", digits: 1 },
  { field: "firstTurn", title: "first turn us", digits: 1 },
  { field: "back", title: "memory back ms", digits: 1 },
  { field: "backMax", title: "max", digits: 1 },
  { field: "emptyTurn", title: "empty turn us", digits: 1 },
  { field: "longestEmptyTurn", title: "max", digits: 1 },
  { field: "reached", title: `in ${TARGET_MICROSECONDS} us` },
];

/** Fields of a hash, and how many such hashes die. */
const FULL = [
  [1_000, 300],
  [10_000, 100],
  [100_000, 40],
  [1_000_000, 10],
  [5_000_000, 5],
] as const;
const SMOKE = [
  [1_000, 20],
  [100_000, 3],
] as const;

export async function benchmarkHandover({ smoke, rounds }: Options): Promise<Report> {
  const rows: Row[] = [];
  for (const [fields, times] of smoke ? SMOKE : FULL) {
    process.stderr.write(`handover: ${fields} fields\n`);
    const job = { kind: "handover", fields, rounds: rounds ?? times } as const;
    const { first, values, emptyTurn, longestEmptyTurn } = await runInChild<HandoverFigures>(job);
    if (values.length === 0) throw new Error("no value died");
    const of = (figure: keyof Handover): number => median(values.map((value) => value[figure]));
    const max = (figure: keyof Handover): number => Math.max(...values.map((value) => value[figure]));
    rows.push({
      fields,
      rounds: values.length,
      call: of("call"),
      callMax: max("call"),
      smallCall: of("smallCall"),
      handover: of("call") - of("smallCall"),
      turn: of("turn"),
      turnMax: max("turn"),
      longestTurn: of("longestTurn"),
      longestTurnMax: max("longestTurn"),
      firstCall: first.call,
      firstTurn: first.turn,
      back: of("backMilliseconds"),
      backMax: max("backMilliseconds"),
      emptyTurn,
      longestEmptyTurn,
      reached: of("call") - of("smallCall") <= TARGET_MICROSECONDS ? "yes" : "not",
    });
  }
  return { title: "Handover: DEL of a hash, embedded", columns: COLUMNS, rows };
}
