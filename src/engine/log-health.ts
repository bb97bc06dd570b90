/**
 * LogHealth: whether a store's log can be written, why not, and who is told: once when it fails, once when that is
 * over.
 *
 *     well ──fail──▶ failed ──tryAgain──▶ failed, with a new set of files ──recover──▶ well
 *      ▲              │                        └──fail──▶ failed: for the first reason still
 *      └────forget────┘  the log was turned off: there is nothing to be written any more
 *
 * The first reason stays, because it is what somebody has to mend; what a new attempt has failed of is told as that
 * attempt's failure, and is `lastError`. Owner thread only.
 */
import type { LogFigures } from "./log-figures.ts";
import type { LogKeeperParts } from "./log-parts.ts";

export class LogHealth {
  /** What went wrong last, with whatever concerns the log; empty if nothing has. */
  lastError = "";
  readonly #parts: Pick<LogKeeperParts, "notice" | "news">;
  readonly #figures: LogFigures;
  /** Why writes are refused; empty while they are not. */
  #reason = "";
  #isTryingAgain = false;
  /** Whether the reason is one that says more than all that follows from it. */
  #isLost = false;

  constructor(parts: Pick<LogKeeperParts, "notice" | "news">, figures: LogFigures) {
    this.#parts = parts;
    this.#figures = figures;
  }

  get hasFailed(): boolean {
    return this.#reason !== "";
  }

  /** Redis's error for writes while what they do cannot be logged. */
  get writeRefusal(): string | undefined {
    return this.hasFailed ? `MISCONF Errors writing to the AOF file: ${this.#reason}` : undefined;
  }

  /** The file that is in use cannot be written any more. May be called again, also when more is known of the reason. */
  fail(reason: string): void {
    if (this.#isLost) return;
    this.lastError = reason;
    if (this.#isTryingAgain || this.#reason === reason) return;
    const isKnown = this.hasFailed;
    this.#reason = reason;
    if (isKnown) {
      this.#parts.notice(`Why the append only file could not be written: ${reason}`);
      return;
    }
    this.#figures.noteFailure(reason);
    this.#parts.notice(`Writing the append only file failed: ${reason}. Writes are refused until it is rewritten.`);
  }

  /** The directory is another store's, of which whoever has found that tells. */
  lose(reason: string): void {
    this.lastError = reason;
    this.#reason = reason;
    this.#isLost = true;
    this.#figures.noteFailure(reason);
  }

  /** A new set of files is begun; unless `recover` follows, nothing is changed by that. */
  tryAgain(): void {
    this.#isTryingAgain = this.hasFailed;
  }

  /** A new set of files is in force. */
  recover(): void {
    const { hasFailed } = this;
    this.forget();
    if (!hasFailed) return;
    this.#figures.noteRecovery();
    this.#parts.news("The append only file can be written again: writes are accepted");
  }

  /** There is no log any more. */
  forget(): void {
    this.#reason = "";
    this.#isLost = false;
    this.#isTryingAgain = false;
  }
}
