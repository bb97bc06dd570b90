/** Rate: how quickly a counter has been growing of late, from samples taken about ten times a second. */
const SAMPLES = 16;

export class Rate {
  readonly #samples = new Float64Array(SAMPLES);
  #next = 0;
  #lastCount = 0;
  #lastMs = 0;

  /** Takes a sample. @param clockMs milliseconds of any clock that never steps back */
  sample(count: number, clockMs: number): void {
    const elapsed = clockMs - this.#lastMs;
    if (elapsed <= 0) return;
    // The counter starts again at zero when statistics are reset.
    const grown = this.#lastMs === 0 ? 0 : Math.max(0, count - this.#lastCount);
    this.#samples[this.#next % SAMPLES] = (grown * 1000) / elapsed;
    this.#next += 1;
    this.#lastCount = count;
    this.#lastMs = clockMs;
  }

  /** The mean of the samples of about the last one and a half seconds. */
  get perSecond(): number {
    return this.#samples.reduce((sum, sample) => sum + sample, 0) / SAMPLES;
  }

  /** Forgets all samples. */
  reset(): void {
    this.#samples.fill(0);
    this.#lastCount = 0;
  }
}
