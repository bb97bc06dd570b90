/**
 * ProgressBar: how far loading has come, for the person who waits for it.
 *
 *     Loading  [########............]  41 %  of 1.2 GiB, 3,104,442 keys, 5 s left
 *
 * One line, rewritten some times a second, and gone when it is over. Only on a terminal: in a file it would be rubbish,
 * and whoever reads files wants to know when it began and what came of it, which the log says.
 */
import { inUnits } from "./units.ts";

const WIDTH = 20;
const INTERVAL_MS = 100;
/** Nobody can say how long it takes before it has taken so long. */
const GUESS_MS = 1000;
const ERASE_LINE = "\r\x1b[K";

/** Where it is drawn: standard error, unless a test wants to see it. */
export interface Screen {
  readonly isTTY?: boolean | undefined;
  write(text: string): unknown;
}

/** How far something has come. */
export interface Progress {
  readonly loadedBytes: number;
  readonly totalBytes: number;
  readonly keys: number;
}

export class ProgressBar {
  readonly #screen: Screen;
  readonly #now: () => number;
  readonly #beginMs: number;
  #drawnMs = Number.NEGATIVE_INFINITY;
  #isDrawn = false;

  /** @param now milliseconds, from any beginning */
  constructor(screen: Screen, now: () => number = () => performance.now()) {
    this.#screen = screen;
    this.#now = now;
    this.#beginMs = now();
  }

  /** Draws what holds now, unless it has just done so, nobody would see it, or there is nothing to load. */
  show(progress: Progress): void {
    const now = this.#now();
    if (this.#screen.isTTY !== true || progress.totalBytes === 0 || now - this.#drawnMs < INTERVAL_MS) return;
    this.#drawnMs = now;
    this.#isDrawn = true;
    this.#screen.write(`${ERASE_LINE}${lineFor(progress, now - this.#beginMs)}`);
  }

  /** Takes the line away, so that others can be printed. */
  end(): void {
    if (this.#isDrawn) this.#screen.write(ERASE_LINE);
    this.#isDrawn = false;
  }
}

function lineFor({ loadedBytes, totalBytes, keys }: Progress, elapsedMs: number): string {
  const part = Math.min(1, loadedBytes / totalBytes);
  const done = Math.floor(part * WIDTH);
  const bar = "#".repeat(done) + ".".repeat(WIDTH - done);
  const percent = String(Math.floor(part * 100)).padStart(3);
  const left = part === 0 || elapsedMs < GUESS_MS ? "" : `, ${Math.ceil((elapsedMs / part - elapsedMs) / 1000)} s left`;
  return `Loading  [${bar}] ${percent} %  of ${inUnits(totalBytes)}, ${keys.toLocaleString("en")} keys${left}`;
}
