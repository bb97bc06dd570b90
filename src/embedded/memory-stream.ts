/**
 * MemoryStream: one end of a connection within the process; what is written at one end is read at the other.
 *
 *     client end  --write-->  server end          each end holds one chunk that the other has not read yet:
 *     client end  <--write--  server end          a writer is told to go on when its chunk was taken
 *
 * An end that is destroyed takes the other with it, as a socket's does. It has a socket's methods that clients call on
 * what they think is one; none of them has any effect here.
 */
import { Duplex } from "node:stream";

type Continue = (error?: Error | null) => void;

export class MemoryStream extends Duplex {
  readonly connecting = false;
  #peer: MemoryStream | undefined;
  /** Tells the peer that its chunk was taken. */
  #taken: Continue | undefined;

  private constructor(allowHalfOpen: boolean) {
    super({ allowHalfOpen });
  }

  /** Two ends of a new connection. The client's closes when the server's does, the server's when it wants. */
  static pair(): { readonly client: MemoryStream; readonly server: MemoryStream } {
    const client = new MemoryStream(false);
    const server = new MemoryStream(true);
    client.#join(server);
    server.#join(client);
    return { client, server };
  }

  #join(peer: MemoryStream): void {
    this.#peer = peer;
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  setTimeout(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Continue): void {
    this.#deliver(chunk, done);
  }

  /** What was written while a chunk was on its way goes as one: a client's many small requests are one turn's work. */
  override _writev(chunks: { readonly chunk: Buffer }[], done: Continue): void {
    this.#deliver(Buffer.concat(chunks.map(({ chunk }) => chunk)), done);
  }

  override _read(): void {
    const taken = this.#taken;
    this.#taken = undefined;
    if (taken !== undefined) process.nextTick(taken);
  }

  override _final(done: Continue): void {
    this.#peer!.push(null);
    done();
  }

  override _destroy(error: Error | null, done: Continue): void {
    const peer = this.#peer!;
    this.#taken = undefined;
    process.nextTick(() => peer.destroy());
    done(error);
  }

  #deliver(chunk: Buffer, done: Continue): void {
    const peer = this.#peer!;
    peer.#taken = done;
    peer.push(chunk);
  }
}
