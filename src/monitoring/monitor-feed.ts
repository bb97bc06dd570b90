/** What a client in MONITOR mode is sent for each command. */
import type { Arguments } from "../base/arguments.ts";
import { quoted } from "../config/quoting.ts";
import { REDACTED } from "./slow-log.ts";

/**
 * One command as a status reply, a character a byte:
 *
 *     +1339518083.107412 [0 127.0.0.1:60866] "set" "key" "value\x00"\r\n
 *
 * @param timeMicroseconds since 1970
 * @param database the selected one's number
 * @param address the client's; a path is shown as that of a unix socket
 * @param secrets indices of arguments that must not be shown
 */
export function formatMonitorLine(
  timeMicroseconds: number,
  database: number,
  address: string,
  args: Arguments,
  secrets: readonly number[] = [],
): string {
  const seconds = Math.floor(timeMicroseconds / 1e6);
  const microseconds = String(Math.floor(timeMicroseconds - seconds * 1e6)).padStart(6, "0");
  const client = address.startsWith("/") ? `unix:${address.replace(/:0$/, "")}` : address;
  let line = `+${seconds}.${microseconds} [${database} ${client}]`;
  for (let index = 0; index < args.count; index++) {
    line += ` ${quoted(secrets.includes(index) ? REDACTED : args.latin1(index))}`;
  }
  return `${line}\r\n`;
}
