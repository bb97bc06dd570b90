/** A server in the test's own process: quick to start, and its insides can be looked at. */
import type { TestContext } from "node:test";
import { Configuration } from "../config/configuration.ts";
import { Store } from "../engine/store.ts";
import { Server } from "../server/server.ts";
import { RespClient } from "./resp-client.ts";

/** A running server; `port` is the one it listens on at 127.0.0.1. */
export interface InProcessServer {
  readonly store: Store;
  readonly server: Server;
  readonly port: number;
  client(): Promise<RespClient>;
}

const DEFAULTS = { maxmemory: "256mb", "enable-debug-command": "local" };

/**
 * Starts a server on a free port of 127.0.0.1. At the end of the test all structures are verified, and it is closed.
 * @param directives as in a configuration file; 256 MB of data at most, and DEBUG, unless they say otherwise
 * @param readsIntoOneBuffer see SocketReader
 */
export async function serveInProcess(
  t: TestContext,
  directives: Readonly<Record<string, string>> = {},
  readsIntoOneBuffer = true,
): Promise<InProcessServer> {
  const configuration = new Configuration();
  for (const [name, value] of Object.entries({ ...DEFAULTS, ...directives })) {
    configuration.initialize(name, [value]);
  }
  const store = new Store(configuration);
  const server = new Server(store, readsIntoOneBuffer);
  t.after(async () => {
    await server.close();
    await store.close();
    store.keyspace.verify();
  });
  const address = await server.listen({ host: "127.0.0.1", port: 0 });
  const port = "port" in address ? address.port : 0;
  return { store, server, port, client: () => RespClient.connect({ port }) };
}
