/**
 * The other side of probe.ts: one connection that asks PING and GET in turn, each a short pause after the one
 * before was answered, and takes the time of every answer. Nothing but that runs in this process.
 *
 * In the pause the thread sleeps. Without it, the probe would take half of a processor from the server's own threads,
 * or from a load generator, and would measure a server that has less to do.
 */
import { once } from "node:events";
import { connect } from "node:net";
import { setPriority } from "node:os";
import { type Latencies, summarize } from "./latencies.ts";
import { PROBE_KEY, PROBE_VALUE, type ProbeOrder } from "./probe.ts";

const ANSWERS_MAX = 8_000_000; // some minutes
const PRIORITY = -10;

/** A question, and the first bytes of a right answer, which tell its length. */
interface Question {
  readonly bytes: Buffer;
  readonly answers: readonly string[];
}

const PING: Question = { bytes: Buffer.from("*1\r\n$4\r\nPING\r\n"), answers: ["+PONG\r\n"] };
const GET: Question = {
  bytes: Buffer.from(`*2\r\n$3\r\nGET\r\n$${PROBE_KEY.length}\r\n${PROBE_KEY}\r\n`),
  answers: [`$${PROBE_VALUE.length}\r\n${PROBE_VALUE}\r\n`, "$-1\r\n", "_\r\n"], // FLUSHALL and eviction may take it
};

class Asking {
  readonly #times = new Float64Array(ANSWERS_MAX).fill(-1); // touches the pages, so that the loop does not
  #count = 0;
  #isRecording = false;
  #question = PING;
  #answer = "";
  #askedAt = 0;
  #pauseMilliseconds = 1;
  #beganAt = 0;
  readonly #sleeper = new Int32Array(new SharedArrayBuffer(4));
  readonly #write: (bytes: Buffer) => void;

  constructor(write: (bytes: Buffer) => void) {
    this.#write = write;
  }

  /** From the next question on, answers are recorded; there is a pause between an answer and the next question. */
  begin(pauseMilliseconds: number): void {
    this.#count = 0;
    this.#pauseMilliseconds = pauseMilliseconds;
    this.#beganAt = performance.now();
    this.#isRecording = true;
    this.#askedAt = Number.NaN;
  }

  /** What was recorded. The answer that is awaited meanwhile is not. */
  end(): Latencies {
    this.#isRecording = false;
    return summarize(this.#times.slice(0, this.#count), performance.now() - this.#beganAt);
  }

  ask(): void {
    this.#question = this.#question === PING ? GET : PING;
    this.#answer = "";
    this.#askedAt = performance.now();
    this.#write(this.#question.bytes);
  }

  receive(bytes: Buffer): void {
    const time = performance.now() - this.#askedAt;
    this.#answer += bytes.toString("latin1");
    const { answers } = this.#question;
    if (!answers.includes(this.#answer)) {
      if (answers.some((answer) => answer.startsWith(this.#answer))) return; // the rest is still on its way
      throw new Error(`the probe was answered ${JSON.stringify(this.#answer)}`);
    }
    if (this.#isRecording && time >= 0) {
      if (this.#count === ANSWERS_MAX) throw new Error("the probe's window was too long");
      this.#times[this.#count] = time;
      this.#count += 1;
    }
    Atomics.wait(this.#sleeper, 0, 0, this.#pauseMilliseconds);
    this.ask();
  }
}

/** The probe is to wait for the server, not for a processor: where the system lets it, it goes before others. */
function goFirst(): void {
  try {
    setPriority(PRIORITY);
  } catch {
    process.stderr.write("latency: the probe has no priority over other programs, and may wait for a processor\n");
  }
}

goFirst();
const buffer = Buffer.alloc(1_024);
const socket = connect({
  host: "127.0.0.1",
  port: Number(process.argv[2]),
  onread: {
    buffer,
    callback: (length) => {
      asking.receive(buffer.subarray(0, length));
      return true;
    },
  },
});
const asking = new Asking((bytes) => socket.write(bytes));
socket.setNoDelay(true);
await once(socket, "connect");
socket.once("close", () => process.exit(1)); // the server goes last
process.on("message", (order: ProbeOrder) => {
  if (order !== "end") asking.begin(order.pauseMilliseconds);
  process.send?.(order === "end" ? asking.end() : null);
});
process.once("disconnect", () => process.exit(0));
asking.ask();
