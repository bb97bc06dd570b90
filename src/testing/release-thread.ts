/**
 * A releaser's other side without a thread: the finder runs when the test says so, is held up or dies behind any phase,
 * and refuses what it is posted as a full inbox does.
 */
import type { Keyspace } from "../keyspace/keyspace.ts";
import { ReleaseFinder } from "../keyspace/release-finder.ts";
import type { ReleasePort, ReleaseRequest } from "../keyspace/release-port.ts";
import type { Phase } from "../keyspace/release-words.ts";

class Death extends Error {}

export class ReleaseThread implements ReleasePort {
  /** What has been posted and not been dealt with. */
  readonly inbox: ReleaseRequest[] = [];
  /** Whether it takes what is posted. */
  isOpen = true;
  arms = 0;
  /** Batches that were found from beginning to end. */
  batches = 0;
  deaths = 0;
  /** Called behind each phase; may throw `die`. */
  onPhase: (phase: Phase) => void = () => undefined;
  readonly #keyspace: Keyspace;
  #finder: ReleaseFinder;

  constructor(keyspace: Keyspace) {
    this.#keyspace = keyspace;
    this.#finder = this.#start();
    keyspace.releaser.port = this;
  }

  arm(): void {
    this.arms += 1;
  }

  post(request: ReleaseRequest): boolean {
    if (this.isOpen) this.inbox.push(structuredClone(request));
    return this.isOpen;
  }

  /** Does what has been posted, as far as it lives. */
  run(): void {
    for (let request = this.inbox.shift(); request !== undefined; request = this.inbox.shift()) {
      try {
        this.#do(request);
        this.batches += 1;
      } catch (error) {
        if (!(error instanceof Death)) throw error;
        this.deaths += 1;
        this.end();
        return;
      }
    }
  }

  #do(request: ReleaseRequest): void {
    if (request.kind === "free") this.#finder.find(request);
    else if (request.kind === "forget") this.#finder.forget(request.shard);
    else if (request.kind === "hold") this.#finder.hold(request.held, request.buffer);
    else this.#finder.letGo(request.held);
  }

  /** To be called in `onPhase`: the thread ends here. */
  die(): never {
    throw new Death();
  }

  /** The thread ends with all that it had not done, and another takes its place. */
  end(): void {
    this.inbox.length = 0;
    this.#finder = this.#start();
    this.#keyspace.releaser.recover();
  }

  /** Turns of the event loop, the finder's among them, until nothing is pending. @returns how many */
  settle(budgetMs = 5): number {
    const { releaser } = this.#keyspace;
    for (let turns = 1; ; turns++) {
      releaser.flush();
      this.run();
      releaser.work(budgetMs);
      if (releaser.pendingObjects === 0 && !releaser.handover.isBusy) return turns;
      if (turns > 1_000_000) throw new Error("lazy free: it does not come to an end");
    }
  }

  #start(): ReleaseFinder {
    return new ReleaseFinder(this.#keyspace.releaser.handover.words.buffer, (phase) => this.onPhase(phase));
  }
}
