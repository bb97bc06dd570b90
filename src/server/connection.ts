/**
 * Connection: one client at the end of a stream: its requests are parsed, executed, and answered in order.
 *
 * A turn: bytes arrive; every complete request in them is executed; all replies go out in one write. Replies are
 * written into a buffer that all connections of the server share: after the write the kernel usually has them all, and
 * the buffer is free again; only if it has not is the buffer left to the stream and replaced.
 *
 * Bounded: while a client does not read its replies, its requests are not read either. What is asked of it without its
 * asking (MONITOR) counts against client-output-buffer-limit.
 */
import type { Duplex } from "node:stream";
import type { Client, Session } from "../commands/context.ts";
import type { ClientContext, LateReply } from "../engine/client-context.ts";
import type { RespReply } from "../protocol/resp-reply.ts";
import { ProtocolError, RequestParser } from "../protocol/request-parser.ts";
import type { Server } from "./server.ts";

/** Replies are sent from this size on, even if there are more requests to execute. */
const FLUSH_AT = 256 * 1024;
/** While so many bytes wait for a client to read, no more of its requests are executed. */
const UNREAD_MAX = 1024 * 1024;

/** How long a client that is being disconnected may take to read its last replies. */
const LINGER_MS = 10_000;

export class Connection implements Client {
  readonly session: Session;
  totalCommands = 0;
  readonly #server: Server;
  readonly #context: ClientContext;
  readonly #stream: Duplex;
  readonly #parser: RequestParser;
  readonly #reply: RespReply;
  /** Requests wait: for the client to read, for a pause to end, for a late reply. */
  #isHeld = false;
  #isClosed = false;

  constructor(server: Server, stream: Duplex, context: ClientContext) {
    this.#server = server;
    this.#stream = stream;
    this.#context = context;
    this.session = context.session;
    this.#reply = server.reply;
    this.#parser = new RequestParser(server.limits);
    this.#parser.isAuthenticated = this.session.isAuthenticated;
    stream.on("drain", () => this.#release());
    stream.on("error", () => this.#close());
    stream.on("close", () => this.#close());
    stream.on("end", () => stream.end());
  }

  get queryBufferBytes(): number {
    return this.#parser.keptBytes;
  }

  get queryBufferFree(): number {
    return this.#parser.keptFree;
  }

  get outputBufferBytes(): number {
    return this.#stream.writableLength;
  }

  get outputListLength(): number {
    return this.#stream.writableLength > 0 ? 1 : 0;
  }

  kill(): void {
    if (this.#server.executing === this) {
      this.session.closeAfterReply = true;
      return;
    }
    this.#close();
  }

  /**
   * Executes what has arrived in [0, length) of `bytes`, which may be reused afterwards.
   * @returns false if no more should be read for now; `#release` resumes
   */
  receive(bytes: Buffer, length: number): boolean {
    if (this.#isClosed) return false;
    this.#server.statistics.inputBytes += length;
    try {
      this.#parser.feed(bytes, 0, length);
      this.#execute();
    } catch (error) {
      this.#refuse(error);
    }
    return !this.#isHeld;
  }

  /** Sends bytes that no request asked for: MONITOR's lines. Closes the connection if the client does not read them. */
  send(bytes: Buffer): void {
    if (this.#isClosed) return;
    this.#stream.write(bytes);
    if (this.#server.exceedsOutputLimit(this, this.#stream.writableLength)) this.#close();
  }

  #execute(): void {
    const { session } = this;
    const reply = this.#reply;
    if (this.#isHeld) {
      this.#parser.keep();
      return;
    }
    const server = this.#server;
    server.executing = this;
    server.keyspace.clock.forget();
    reply.version = session.protocol;
    try {
      while (!session.closeAfterReply && this.#parser.next()) {
        if (server.clients.paused !== undefined && this.#mustWait()) break;
        this.#executeOne();
        if (this.#isHeld) break;
      }
    } finally {
      server.executing = undefined;
      this.#flush();
    }
    if (session.closeAfterReply) this.#closeGracefully();
  }

  #executeOne(): void {
    const { session } = this;
    const reply = this.#reply;
    const before = reply.length;
    this.totalCommands += 1;
    const mode = session.replyMode;
    if (session.noTouch) this.#server.keyspace.touches = false;
    this.#server.engine.execute(this.#context, this.#parser.args);
    if (session.noTouch) this.#server.keyspace.touches = true;
    if (mode !== "on" || session.replyMode !== "on") this.#silence(mode, before);
    this.#parser.isAuthenticated = session.isAuthenticated;
    if (this.#context.pending !== undefined) this.#await(this.#context.pending);
    if (reply.length >= FLUSH_AT) {
      this.#flush();
      if (this.#stream.writableLength > UNREAD_MAX) this.#hold();
    }
  }

  /** CLIENT REPLY: takes back what must not be said. @param mode as it was before the command */
  #silence(mode: Session["replyMode"], before: number): void {
    const { session } = this;
    if (session.replyMode === "off" || session.replyMode === "skip-next" || mode === "skip") this.#reply.length = before;
    if (mode === "skip") session.replyMode = "on";
    else if (session.replyMode === "skip-next") session.replyMode = "skip";
  }

  #mustWait(): boolean {
    if (this.#server.clients.paused === "WRITE" && !this.#server.engine.mayWrite(this.#parser.args)) return false;
    this.#parser.unread();
    this.#hold();
    this.#server.clients.whenResumed(() => this.#release());
    return true;
  }

  #await(work: Promise<LateReply>): void {
    this.#hold();
    const finish = (write: LateReply): void => {
      this.#context.pending = undefined;
      if (this.#isClosed) return;
      this.#reply.version = this.session.protocol;
      write(this.#reply);
      this.#flush();
      this.#release();
    };
    work.then(finish, (error: unknown) => finish((reply) => reply.error(`ERR ${String(error)}`)));
  }

  #hold(): void {
    this.#isHeld = true;
    this.#parser.keep();
    this.#stream.pause();
  }

  #release(): void {
    if (!this.#isHeld || this.#isClosed || this.#context.pending !== undefined) return;
    if (this.#stream.writableLength > UNREAD_MAX) return;
    this.#isHeld = false;
    try {
      this.#execute();
    } catch (error) {
      this.#refuse(error);
    }
    if (!this.#isHeld) this.#stream.resume();
  }

  #flush(): void {
    const reply = this.#reply;
    const { length } = reply;
    if (length === 0 || this.#isClosed) {
      reply.length = 0;
      return;
    }
    this.#server.statistics.outputBytes += length;
    this.#stream.write(reply.buffer.subarray(0, length));
    if (this.#stream.writableLength > 0 || reply.buffer.length > FLUSH_AT) reply.renew();
    else reply.length = 0;
    if (this.#stream.writableLength > UNREAD_MAX) this.#hold();
  }

  /** A broken protocol ends the connection with its error; anything else is a defect, and is not hidden. */
  #refuse(error: unknown): void {
    if (!(error instanceof ProtocolError)) throw error;
    this.#reply.error(`ERR ${error.message}`);
    this.#flush();
    this.#closeGracefully();
  }

  #closeGracefully(): void {
    this.#stream.end(() => this.#stream.destroy());
    this.#close(false);
    setTimeout(() => this.#stream.destroy(), LINGER_MS).unref();
  }

  #close(destroy = true): void {
    if (!this.#isClosed) {
      this.#isClosed = true;
      this.#server.forget(this);
    }
    if (destroy) this.#stream.destroy();
  }
}
