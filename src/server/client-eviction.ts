/**
 * maxmemory-clients: disconnects those who take the most memory while all clients together take too much of it.
 *
 * The sum of all buffers, and of what clients have subscribed to, is kept up by the connections, so that asking costs
 * nothing; only where it is over the limit
 * are clients looked at, all of them, after this turn: nobody is disconnected while its commands run. CLIENT NO-EVICT
 * exempts a client, but what it takes counts.
 */
import { memoryOf } from "../commands/client-attributes.ts";
import type { Clients } from "../commands/context.ts";
import type { Configuration } from "../config/configuration.ts";

/** Redis takes a lower limit for this one: a client or two must have room. */
const LEAST_LIMIT = 128 * 1024;

export class ClientEviction {
  readonly #clients: Clients;
  readonly #configuration: Configuration;
  #limit = Number.POSITIVE_INFINITY;
  #isArmed = false;

  constructor(clients: Clients, configuration: Configuration) {
    this.#clients = clients;
    this.#configuration = configuration;
    this.#setLimit();
  }

  /** Follows the directives. @returns functions that end this */
  follow(): (() => void)[] {
    const change = (): undefined => {
      this.#setLimit();
      this.check();
    };
    return [
      this.#configuration.onChange("maxmemory-clients", change),
      this.#configuration.onChange("maxmemory", change),
    ];
  }

  /** To be called whenever the sum has grown. */
  check(): void {
    if (this.#clients.bufferBytes <= this.#limit || this.#isArmed) return;
    this.#isArmed = true;
    setImmediate(() => {
      this.#isArmed = false;
      this.#evict();
    });
  }

  #evict(): void {
    if (this.#clients.bufferBytes <= this.#limit) return;
    const candidates = [...this.#clients.list()].filter(({ session }) => !session.noEvict && !session.isEmbedded);
    candidates.sort((left, right) => memoryOf(right) - memoryOf(left));
    for (const client of candidates) {
      if (this.#clients.bufferBytes <= this.#limit || memoryOf(client) === 0) return;
      client.kill();
      this.#clients.evictedClients += 1;
    }
  }

  #setLimit(): void {
    const { amount, unit } = this.#configuration.get("maxmemory-clients");
    const share = Number(this.#configuration.get("maxmemory")) / 100;
    const bytes = Number(amount) * (unit === "percent" ? share : 1);
    this.#limit = bytes === 0 ? Number.POSITIVE_INFINITY : Math.max(LEAST_LIMIT, bytes);
  }
}
