/**
 * What one connection feels while another writes 100 MB a second, in values of 10 KB, with `appendfsync everysec`: the
 * stall of the disk must not become a stall of the answers. Fresh servers; rounds go ours, redis, redis, ours, ...
 */

import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { durableCommand, verdict, withDirectory } from "./durable-servers.ts";
import type { Latencies } from "./latencies.ts";
import { Subject } from "./latency-subject.ts";
import type { Options } from "./options.ts";
import { RedisTools } from "./redis-tools.ts";
import type { Report, Row } from "./report.ts";
import { SIDES, type Side, versusTitle } from "./server-pair.ts";
import { median } from "./statistics.ts";

const VALUE_BYTES = 10_240;
const KEYS = 5_000;
const BYTES_PER_SECOND = 100e6;
const TICK_MS = 5;
/** So much may be unanswered: a stream, not a heap of what is not yet sent. */
const UNANSWERED_MAX = 2_000;
const PROBE_PAUSE_MS = 0.5;
const SECONDS = { full: 15, smoke: 0.5 };
const OK_BYTES = 5;

const COLUMNS = [
  { field: "server", title: "server" },
  { field: "rounds", title: "rounds" },
  { field: "megabytes", title: "MB/s" },
  { field: "answers", title: "answers" },
  { field: "p50", title: "p50 ms", digits: 3 },
  { field: "p99", title: "p99", digits: 2 },
  { field: "p999", title: "p99.9", digits: 2 },
  { field: "max", title: "max", digits: 2 },
  { field: "momentP999", title: "p99.9 at any moment", digits: 2 },
  { field: "target", title: "target" },
  { field: "reached", title: "reached" },
];

/** SETs at a steady pace on one connection. */
class Stream {
  readonly #socket: Socket;
  readonly #value = `$${VALUE_BYTES}\r\n${"x".repeat(VALUE_BYTES)}\r\n`;
  #sent = 0;
  #answeredBytes = 0;
  #failure: string | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (bytes: Buffer) => {
      if (bytes.includes("-")) this.#failure ??= bytes.toString("latin1", 0, 200);
      this.#answeredBytes += bytes.length;
    });
    socket.on("error", (error) => {
      this.#failure ??= error.message;
    });
  }

  /** Bytes of the values of answered SETs. @throws Error if one was refused */
  get written(): number {
    if (this.#failure !== undefined) throw new Error(`the stream of SETs was answered ${this.#failure}`);
    return (this.#answeredBytes / OK_BYTES) * VALUE_BYTES;
  }

  async run(seconds: number): Promise<void> {
    const [start, first] = [performance.now(), this.#sent];
    const perMillisecond = BYTES_PER_SECOND / VALUE_BYTES / 1_000;
    for (let elapsed = 0; elapsed < seconds * 1_000; elapsed = performance.now() - start) {
      const unanswered = this.#sent - this.#answeredBytes / OK_BYTES;
      const due = Math.min(first + elapsed * perMillisecond - this.#sent, UNANSWERED_MAX - unanswered);
      this.#socket.cork();
      for (let count = 0; count < due; count += 1) this.#set();
      this.#socket.uncork();
      await delay(TICK_MS);
    }
  }

  #set(): void {
    const key = `key:${String(this.#sent % KEYS).padStart(12, "0")}`;
    this.#socket.write(`*3\r\n$3\r\nSET\r\n$16\r\n${key}\r\n${this.#value}`, "latin1");
    this.#sent += 1;
  }
}

interface Run {
  readonly probe: Latencies;
  readonly megabytes: number;
}

async function measure(side: Side, options: Options): Promise<Run> {
  const seconds = options.smoke ? SECONDS.smoke : SECONDS.full;
  return await withDirectory(async (directory) => {
    const command = durableCommand(side, options, directory, { log: "everysec" });
    return await Subject.use(command, new RedisTools(options.redis), async (subject) => {
      const socket = connect(subject.server.port, "127.0.0.1");
      await once(socket, "connect");
      const stream = new Stream(socket);
      await stream.run(seconds / 5); // warms the server up, and fills all keys
      const before = stream.written;
      const probe = await subject.probed(PROBE_PAUSE_MS, 0, () => stream.run(seconds));
      const megabytes = (stream.written - before) / 1e6 / seconds;
      socket.destroy();
      if (!(megabytes > 1)) throw new Error(`only ${megabytes} MB/s were written`);
      return { probe, megabytes };
    });
  });
}

function row(side: Side, runs: readonly Run[]): Row {
  const of = (figure: keyof Latencies): number => median(runs.map(({ probe }) => probe[figure]));
  return {
    server: side,
    rounds: runs.length,
    megabytes: median(runs.map(({ megabytes }) => megabytes)),
    answers: of("answers"),
    p50: of("p50"),
    p99: of("p99"),
    p999: of("p999"),
    max: of("max"),
    momentP999: of("momentP999"),
  };
}

export async function benchmarkLogLatency(options: Options): Promise<Report> {
  const runs: Record<Side, Run[]> = { ours: [], redis: [] };
  for (let round = 0; round < (options.rounds ?? (options.smoke ? 1 : 4)); round += 1) {
    for (const side of round % 2 === 0 ? SIDES : SIDES.toReversed()) {
      process.stderr.write(`log-latency: round ${round + 1}, ${side}\n`);
      runs[side].push(await measure(side, options));
    }
  }
  const [ours, redis] = SIDES.map((side) => row(side, runs[side])) as [Row, Row];
  const isReached = Number(ours["p999"]) <= Number(redis["p999"]);
  return {
    title: `Log and latency: answers beside 100 MB/s of SETs of 10 KB, everysec, ${versusTitle(options)}`,
    columns: COLUMNS,
    rows: [
      { ...ours, target: "p99.9 as redis", reached: verdict(isReached) },
      { ...redis, target: "", reached: "" },
    ],
  };
}
