/** ClientRegistry: all clients of a store, wherever they come from, and the pause that CLIENT PAUSE puts on them. */
import type { Client, Clients } from "../commands/context.ts";

export class ClientRegistry implements Clients {
  totalConnections = 0;
  rejectedConnections = 0;
  evictedClients = 0;
  /** Kept up by the connections. */
  bufferBytes = 0;
  readonly #clients = new Map<number, Client>();
  #nextId = 1;
  #pausedUntil = 0;
  #pauseMode: "WRITE" | "ALL" = "WRITE";
  #timer: NodeJS.Timeout | undefined;
  /** Those whose commands wait for the end of the pause, and what lets them go on. */
  readonly #waiting = new Map<Client, () => void>();

  get size(): number {
    return this.#clients.size;
  }

  nextId(): number {
    this.#nextId += 1;
    return this.#nextId - 1;
  }

  add(client: Client): void {
    this.totalConnections += 1;
    this.#clients.set(client.session.id, client);
  }

  remove(client: Client): void {
    this.#clients.delete(client.session.id);
    this.#waiting.delete(client);
  }

  /** In the order of their ids; a copy, because the caller may kill what it is given. */
  list(): Client[] {
    return [...this.#clients.values()];
  }

  /** Whether commands wait, and which. */
  get paused(): "WRITE" | "ALL" | undefined {
    return this.#timer === undefined ? undefined : this.#pauseMode;
  }

  /** Holds a client back: calls `resume` once, when the pause is over, unless the client has gone. */
  whenResumed(client: Client, resume: () => void): void {
    this.#waiting.set(client, resume);
  }

  /** Whether the pause has held back a command of this client. */
  isHeldBack(client: Client): boolean {
    return this.#waiting.has(client);
  }

  /** Redis's rule for two pauses: the stricter mode and the later end win. */
  pause(until: number, mode: "WRITE" | "ALL"): void {
    const isPaused = this.#timer !== undefined;
    this.#pauseMode = isPaused && this.#pauseMode === "ALL" ? "ALL" : mode;
    this.#pausedUntil = isPaused ? Math.max(this.#pausedUntil, until) : until;
    clearTimeout(this.#timer);
    const delay = Math.max(0, Math.min(this.#pausedUntil - Date.now(), TIMEOUT_MAX));
    this.#timer = setTimeout(() => this.unpause(), delay).unref();
  }

  unpause(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    // Not now: this may be in the middle of a command, CLIENT UNPAUSE.
    for (const resume of waiting) setImmediate(resume);
  }
}

/** The longest that a timer waits. */
const TIMEOUT_MAX = 2 ** 31 - 1;
