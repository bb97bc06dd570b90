/**
 * A small RESP client for tests: it hands out the exact wire bytes of each reply and hides nothing.
 *
 * Replies and pushes come out in the order of their arrival. The socket alone does not keep the process alive; while
 * a reply is awaited, its timeout does.
 */
import { connect, type NetConnectOpts, type Socket } from "node:net";
import { type Argument, encodeCommand, printable, replyEnd } from "./resp-frame.ts";

/** Where a server listens. */
export type Address = { readonly host?: string; readonly port: number } | { readonly path: string };

/** The awaited replies did not all come; `received` are those that did. */
export class ReplyMissing extends Error {
  readonly received: readonly Buffer[];

  constructor(reason: string, received: readonly Buffer[], wanted: number) {
    super(`${reason} (${received.length} of ${wanted} replies arrived)`);
    this.name = "ReplyMissing";
    this.received = received;
  }
}

interface Waiter {
  readonly count: number;
  readonly resolve: (replies: Buffer[]) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

export class RespClient {
  readonly #socket: Socket;
  readonly #timeoutMs: number;
  readonly #closed: Promise<void>;
  #chunks: Buffer[] = [];
  #missing = 0;
  readonly #replies: Buffer[] = [];
  readonly #waiters: Waiter[] = [];
  #ended: string | undefined;

  private constructor(socket: Socket, timeoutMs: number) {
    this.#socket = socket;
    this.#timeoutMs = timeoutMs;
    this.#closed = new Promise((resolve) => socket.once("close", () => resolve()));
    socket.setNoDelay(true);
    socket.unref();
    socket.on("data", (chunk: Buffer) => this.#take(chunk));
    socket.on("error", (error) => this.#end(`connection failed: ${error.message}`));
    socket.on("close", () => this.#end("connection closed"));
  }

  /**
   * Connects to a server.
   * @param timeoutMs how long connecting, and later each awaited reply, may take, in milliseconds
   * @throws Error when nobody listens there, or not in time
   */
  static connect(address: Address, timeoutMs = 10_000): Promise<RespClient> {
    const options: NetConnectOpts = "path" in address ? address : { host: "127.0.0.1", ...address };
    return new Promise((resolve, reject) => {
      const socket = connect(options);
      const timer = setTimeout(() => socket.destroy(new Error(`no connection within ${timeoutMs} ms`)), timeoutMs);
      socket.once("error", (error) => {
        clearTimeout(timer);
        reject(error);
      });
      socket.once("connect", () => {
        clearTimeout(timer);
        socket.removeAllListeners("error");
        resolve(new RespClient(socket, timeoutMs));
      });
    });
  }

  /** Sends bytes as they are: half a command, an inline command, garbage. */
  send(bytes: Uint8Array | string): void {
    this.#socket.write(bytes);
  }

  /** Sends one command and returns the wire bytes of the next reply. */
  async command(...command: Argument[]): Promise<Buffer> {
    const [reply] = await this.pipeline([command]);
    return reply!;
  }

  /** Sends commands in one write and returns the wire bytes of as many replies. */
  pipeline(commands: readonly (readonly Argument[])[]): Promise<Buffer[]> {
    this.send(Buffer.concat(commands.map(encodeCommand)));
    return this.receive(commands.length);
  }

  /**
   * Waits for the next `count` replies or pushes.
   * @throws ReplyMissing when they do not arrive in time, the connection ends before, or bytes arrive that are no reply
   */
  receive(count = 1, timeoutMs = this.#timeoutMs): Promise<Buffer[]> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#giveUp(waiter, `no reply within ${timeoutMs} ms${this.#rest()}`), timeoutMs);
      const waiter: Waiter = { count, resolve, reject, timer };
      this.#waiters.push(waiter);
      this.#serve();
    });
  }

  /**
   * Waits until the server has closed the connection.
   * @throws Error when it does not within `timeoutMs` milliseconds
   */
  async closedByServer(timeoutMs = this.#timeoutMs): Promise<void> {
    const late = new Error(`the server did not close the connection within ${timeoutMs} ms`);
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(late), timeoutMs);
    });
    await Promise.race([this.#closed, tooLate]).finally(() => clearTimeout(timer));
  }

  /** Closes the connection, and waits until it is closed. */
  async close(): Promise<void> {
    this.#socket.ref();
    this.#socket.destroy();
    await this.#closed;
  }

  #take(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#missing -= chunk.length;
    // A large value comes in many chunks; joining them each time would take quadratic time.
    if (this.#missing > 0) return;
    const bytes = this.#joined();
    let at = 0;
    try {
      while (at < bytes.length) {
        const end = replyEnd(bytes, at);
        this.#missing = Math.max(0, -end);
        if (end < 0) break;
        this.#replies.push(bytes.subarray(at, end));
        at = end;
      }
    } catch (error) {
      this.#end(`${(error as Error).message}, in ${printable(bytes.subarray(at))}`);
      this.#socket.destroy();
    }
    this.#chunks = at < bytes.length ? [bytes.subarray(at)] : [];
    this.#serve();
  }

  #joined(): Buffer {
    return this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks);
  }

  #serve(): void {
    for (let first = this.#waiters[0]; first !== undefined; first = this.#waiters[0]) {
      if (this.#replies.length >= first.count) {
        this.#waiters.shift();
        clearTimeout(first.timer);
        first.resolve(this.#replies.splice(0, first.count));
      } else if (this.#ended !== undefined) this.#giveUp(first, this.#ended);
      else return;
    }
  }

  #giveUp(waiter: Waiter, reason: string): void {
    this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
    clearTimeout(waiter.timer);
    waiter.reject(new ReplyMissing(reason, this.#replies.splice(0, waiter.count), waiter.count));
  }

  #end(reason: string): void {
    this.#ended ??= reason + this.#rest();
    this.#serve();
  }

  #rest(): string {
    return this.#chunks.length === 0 ? "" : `, after the incomplete ${printable(this.#joined())}`;
  }
}
