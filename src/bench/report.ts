/** Figures as aligned tables for people, and as JSON for comparing one run with another. */
import { mkdirSync, writeFileSync } from "node:fs";
import type { Machine } from "./machine.ts";

/** One measured row: `null` is a figure that this machine cannot give. */
export type Row = Readonly<Record<string, string | number | null>>;

export interface Column {
  readonly field: string;
  readonly title: string;
  /** Digits after the point; figures without it are shown as whole numbers with separators. */
  readonly digits?: number;
}

export interface Report {
  readonly title: string;
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
}

const RESULTS = new URL("../../bench/results/", import.meta.url);

function cell(value: Row[string] | undefined, column: Column): string {
  if (value === null || value === undefined) return "n/a";
  if (typeof value === "string") return value;
  const digits = column.digits ?? 0;
  return value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** The table as text: words to the left, figures to the right, a rule below the heads. */
export function table({ title, columns, rows }: Report): string {
  const body = rows.map((row) => columns.map((column) => cell(row[column.field], column)));
  const widths = columns.map((column, i) => Math.max(column.title.length, ...body.map((line) => line[i]?.length ?? 0)));
  const isText = columns.map((column) => rows.every((row) => typeof row[column.field] === "string"));
  const line = (cells: readonly string[]): string =>
    cells.map((text, i) => (isText[i] ? text.padEnd(widths[i] ?? 0) : text.padStart(widths[i] ?? 0))).join("  ");
  const heads = line(columns.map((column) => column.title));
  return [title, heads, "-".repeat(heads.length), ...body.map(line)].map((text) => text.trimEnd()).join("\n");
}

/** Writes bench/results/<name>.json, replacing the figures of an earlier run. */
export function writeResult(name: string, machine: Machine, seed: number, report: Report): void {
  mkdirSync(RESULTS, { recursive: true });
  const result = { benchmark: name, title: report.title, machine, seed, rows: report.rows };
  writeFileSync(new URL(`${name}.json`, RESULTS), `${JSON.stringify(result, null, 2)}\n`);
}
