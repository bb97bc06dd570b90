/** A server for real clients: it listens on TCP and on a unix socket. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { type InProcessServer, serveInProcess } from "./in-process.ts";

/** How to connect to it. */
export type Transport = "TCP" | "unix socket";

export const TRANSPORTS: readonly Transport[] = ["TCP", "unix socket"];

/** @param directives as in a configuration file */
export async function serveClients(
  t: TestContext,
  directives: Readonly<Record<string, string>> = {},
): Promise<InProcessServer & { readonly path: string }> {
  const directory = mkdtempSync(join(tmpdir(), "stillwater-clients-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const running = await serveInProcess(t, directives);
  const path = join(directory, "socket");
  await running.server.listen({ path });
  return { ...running, path };
}
