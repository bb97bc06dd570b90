/** RecordedStream: the server's end of a connection within the test: fed by it, and remembering each write. */
import { Duplex } from "node:stream";

/** Where such a client seems to come from. */
export const RECORDED_ORIGIN = { address: "stream", localAddress: "stream", fileDescriptor: -1, isEmbedded: true };

export class RecordedStream extends Duplex {
  readonly writes: Buffer[] = [];
  /** Called before each write. */
  onWrite: (() => void) | undefined;

  /** All that was written, as Latin-1. */
  get heard(): string {
    return Buffer.concat(this.writes).toString("latin1");
  }

  override _read(): void {
    // The test pushes.
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.onWrite?.();
    this.writes.push(chunk);
    done();
  }
}
