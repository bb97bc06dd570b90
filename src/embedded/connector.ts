/** What ioredis takes as its `Connector`: a class whose instances open one connection after the other, to a store. */
import type { MemoryStream } from "./memory-stream.ts";

/** An instance as ioredis uses it: one for each Redis object, through all of its reconnections. */
export interface Connector {
  /** Asked of before a connection's INFO is trusted: nothing to object to. */
  check(info: unknown): boolean;
  /** Opens a connection. @throws Error if the store is closed */
  connect(): Promise<MemoryStream>;
  /** Ends the connection, if there is one. */
  disconnect(): void;
}

export type ConnectorClass = new (options?: unknown) => Connector;

/** @param open opens a connection to the store, or throws */
export function connectorClass(open: () => MemoryStream): ConnectorClass {
  return class implements Connector {
    #stream: MemoryStream | undefined;
    #isWanted = false;

    check(): boolean {
      return true;
    }

    async connect(): Promise<MemoryStream> {
      this.#isWanted = true;
      // Not at once: ioredis expects the time to be disconnected again before it has its stream.
      await Promise.resolve();
      if (!this.#isWanted) throw new Error("Connection is closed.");
      this.#stream = open();
      return this.#stream;
    }

    disconnect(): void {
      this.#isWanted = false;
      this.#stream?.end();
    }
  };
}
