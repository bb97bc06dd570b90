/**
 * What happens after a defect: an error that no code expects.
 *
 * Nothing is caught to go on with: the data may be half changed. What is known is printed, and the process ends with
 * exit code 1, which closes all connections.
 */
import { inspect } from "node:util";
import { STILLWATER_VERSION } from "../commands/version.ts";

/** @param log is given the report beside standard error, where it goes to a file */
export function reportCrashes(log: ((text: string) => void) | undefined): void {
  process.on("uncaughtException", (error) => {
    const report = describe(error);
    process.stderr.write(`${report}\n`);
    log?.(report);
    process.exit(1);
  });
}

function describe(error: unknown): string {
  const { rss, heapUsed } = process.memoryUsage();
  const megabytes = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MiB`;
  return [
    "=== STILLWATER CRASHED: this is a defect of the program. Please report it with the lines below. ===",
    `Stillwater ${STILLWATER_VERSION}, Node.js ${process.version}, ${process.platform} ${process.arch}`,
    `process ${process.pid}, up ${Math.round(process.uptime())} s`,
    `memory: ${megabytes(rss)} resident, JavaScript heap ${megabytes(heapUsed)}`,
    inspect(error, { depth: 4 }),
    "=== The process ends here; all connections are closed. ===",
  ].join("\n");
}
