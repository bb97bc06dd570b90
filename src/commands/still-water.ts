/** The picture of LOLWUT: a pond at night, with a moon, its reflection, and a few ripples; no two are the same. */
const WIDTH = 60;
const SKY_ROWS = 7;
const WATER_ROWS = 6;
const MOON = ["  _.._  ", " /    \\ ", "|      |", " \\_  _/ "];
const STARS = [".", "'", "*"];
const RIPPLES = ["~~", "~~~", "-~-", "~-~~"];

/** @param random numbers from 0 to below 1 */
export function drawStillWater(random: () => number = Math.random): string {
  const moonAt = 8 + Math.floor(random() * (WIDTH - 24));
  const rows: string[] = [];
  for (let row = 0; row < SKY_ROWS; row++) rows.push(withMoon(scattered(STARS, 2, random), row - 1, moonAt));
  rows.push("_".repeat(WIDTH));
  for (let row = 0; row < WATER_ROWS; row++) {
    const glitter = "=".repeat(Math.max(2, 8 - row)).padStart(8 - Math.floor(row / 2));
    rows.push(placed(scattered(RIPPLES, 3, random), glitter, moonAt));
  }
  return rows.map((row) => `${row.trimEnd()}\n`).join("");
}

function scattered(marks: readonly string[], count: number, random: () => number): string {
  let row = " ".repeat(WIDTH);
  for (let mark = 0; mark < count; mark++) {
    const text = marks[Math.floor(random() * marks.length)]!;
    row = placed(row, text, Math.floor(random() * (WIDTH - text.length)));
  }
  return row;
}

function withMoon(row: string, line: number, at: number): string {
  const part = MOON[line];
  return part === undefined ? row : placed(row, part, at);
}

function placed(row: string, text: string, at: number): string {
  return row.slice(0, at) + text + row.slice(at + text.length);
}
