/**
 * Connection: one client at the end of a stream: its requests are parsed, executed, and answered in order.
 *
 * A turn: bytes arrive; every complete request in them is executed; the replies are left in the server's outbox, which
 * sends those of all connections at the end of the event loop's turn, one write for each. Replies that must wait for
 * the log are held here, with all that comes behind them; meanwhile the client's further requests are executed.
 *
 * Bounded: while a client does not read its replies, its requests are not read either; those behind one whose reply
 * comes later are kept, up to client-query-buffer-limit. What is asked of it without its asking (MONITOR) counts
 * against client-output-buffer-limit, and so do replies that wait.
 */
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { memoryOf } from "../commands/client-attributes.ts";
import type { Client, Session } from "../commands/context.ts";
import { CommandError } from "../commands/errors.ts";
import type { Message } from "../commands/pubsub-message.ts";
import type { Receiver } from "../commands/pubsub-registry.ts";
import type { ClientContext, LateReply } from "../engine/client-context.ts";
import { ProtocolError, RequestParser } from "../protocol/request-parser.ts";
import { ReplyTooLongError } from "../protocol/resp-reply.ts";
import { GatheredLines } from "./gathered-lines.ts";
import { HeldReplies } from "./held-replies.ts";
import type { Addressee, Outbox } from "./outbox.ts";
import { isSilenced } from "./reply-mode.ts";
import type { Server } from "./server.ts";

/** While so many bytes wait for a client to read, no more of its requests are executed. */
const UNREAD_MAX = 1024 * 1024;

/** How long a client that is being disconnected may take to read its last replies. */
const LINGER_MS = 10_000;

export class Connection implements Client, Addressee, Receiver {
  readonly session: Session;
  totalCommands = 0;
  readonly #server: Server;
  readonly #context: ClientContext;
  readonly #stream: Duplex;
  readonly #parser: RequestParser;
  readonly #outbox: Outbox;
  /** Requests wait: for the client to read, for a pause to end, for a late reply. */
  #isHeld = false;
  #isClosed = false;
  /** What this connection has added to the sum of all clients' memory. */
  #countedBytes = 0;
  readonly #gathered: GatheredLines;
  /** Whether replies are in the outbox, the lines that came after them, and what waits for the log. */
  #hasReplies = false;
  readonly #linesAfter: Buffer[] = [];
  readonly #held = new HeldReplies();
  /** Whether the connection ends once nothing is held any more. */
  #isLeaving = false;
  /** Messages that the command being executed has sent to the client itself. */
  readonly #ownMessages: Buffer[] = [];
  /** A socket has copied what it was given, or says that it has not; of other streams nobody knows. */
  readonly #isSocket: boolean;

  constructor(server: Server, stream: Duplex, context: ClientContext) {
    this.#server = server;
    this.#stream = stream;
    this.#isSocket = stream instanceof Socket;
    this.#gathered = new GatheredLines(stream, () => this.checkOutputLimit());
    this.#context = context;
    this.session = context.session;
    context.receiver = this;
    this.#outbox = server.outbox;
    this.#parser = new RequestParser(server.limits, server.batch, server.spares);
    this.#parser.isAuthenticated = this.session.isAuthenticated;
    stream.on("drain", () => {
      this.countBuffers();
      this.#release();
    });
    stream.on("error", () => this.#close());
    stream.on("close", () => this.#close());
    stream.on("end", () => (context.isAbandonable ? this.#close() : this.#endWhenDone()));
  }

  get queryBufferBytes(): number {
    return this.#parser.keptBytes;
  }

  get queryBufferFree(): number {
    return this.#parser.keptFree;
  }

  get outputBufferBytes(): number {
    return this.#stream.writableLength + this.#held.bytes;
  }

  get outputListLength(): number {
    return this.outputBufferBytes > 0 ? 1 : 0;
  }

  get isBlocked(): boolean {
    return this.#context.isAbandonable || this.#server.clients.isHeldBack(this);
  }

  /** Brings the sum of all clients' memory up to date, and who waits; to be called by whoever may have changed it. */
  countBuffers(): void {
    if (!this.#isSocket) this.#server.awaiting.set(this, !this.#isClosed && this.#isOwed);
    const bytes = this.#isClosed ? 0 : memoryOf(this);
    if (bytes === this.#countedBytes) return;
    this.#server.clients.bufferBytes += bytes - this.#countedBytes;
    if (bytes > this.#countedBytes) this.#server.clientEviction.check();
    this.#countedBytes = bytes;
  }

  /** Whether the silence is not the client's fault: it watches others, or waits for a reply. */
  get isWaiting(): boolean {
    return this.isWatching || !this.#held.isEmpty || (this.#isHeld && this.#stream.writableLength === 0);
  }

  get #isReading(): boolean {
    return !this.#isHeld || (this.#context.pending !== undefined && this.outputBufferBytes <= UNREAD_MAX);
  }

  get #isOwed(): boolean {
    return !this.#held.isEmpty || this.#context.pending !== undefined;
  }

  /** Whether it is sent what it did not ask for each time: MONITOR's lines, or messages. */
  get isWatching(): boolean {
    return this.session.isMonitor || this.session.subscriber !== undefined;
  }

  kill(): void {
    if (this.#server.executing === this) this.session.closeAfterReply = true;
    else this.#close();
  }

  /**
   * Executes what has arrived in [0, length) of `bytes`, which may be reused afterwards.
   * @returns false if no more should be read for now; `#release` resumes
   */
  receive(bytes: Buffer, length: number): boolean {
    // Read and thrown away: a close with bytes unread would reset the connection, and the last replies be lost.
    if (this.#isClosed) return true;
    const { statistics } = this.#server;
    statistics.reads += 1;
    statistics.inputBytes += length;
    try {
      this.#parser.feed(bytes, 0, length);
      this.#execute();
    } catch (error) {
      this.#refuse(error);
    }
    this.countBuffers();
    // Without a word, as Redis does it: the client is not listening to anything but the reply it waits for.
    const { pending } = this.#context;
    if (pending !== undefined && this.#parser.keptBytes > this.#server.limits.queryBufferMax) this.#close();
    return this.#isReading;
  }

  /** Sends a line to MONITOR. Closes the connection if the client does not read them. */
  send(bytes: Buffer): void {
    // In the middle of a turn, MONITOR may just have been ended by RESET.
    if (this.#isClosed || !this.session.isMonitor) return;
    if (this.#server.executing === this) this.#outbox.reply.append(bytes);
    else this.#sendUnasked(bytes);
  }

  /** Sends a message: behind the reply if the client's own command is its cause. As with lines, it must be read. */
  deliver(message: Message): void {
    if (this.#isClosed) return;
    const bytes = message.encoded(this.session.protocol);
    if (this.#server.executing === this) this.#ownMessages.push(bytes);
    else this.#sendUnasked(bytes);
  }

  #sendUnasked(bytes: Buffer): void {
    if (this.#hasReplies) this.#linesAfter.push(bytes);
    else if (this.#held.isEmpty) this.#gathered.add(bytes);
    else this.#holdReply(bytes, 0);
  }

  /** Disconnects a client that has too much to read, or enough of it for too long. */
  checkOutputLimit(): void {
    this.countBuffers();
    if (this.#server.exceedsOutputLimit(this, this.outputBufferBytes)) this.#close();
  }

  #execute(): void {
    const { session } = this;
    if (this.#isHeld) {
      this.#parser.keep();
      return;
    }
    const server = this.#server;
    const { batch, outbox } = server;
    // What is sent unasked waits for replies from before; those to come must not overtake it.
    if (this.#linesAfter.length > 0) outbox.flush();
    server.executing = this;
    server.keyspace.clock.forget();
    session.lastCommandAt = server.keyspace.clock.now();
    outbox.begin(session.protocol);
    try {
      while (!session.closeAfterReply && this.#parser.next()) {
        if (batch.next === 1) server.lookAhead.warm(this.#context.database, batch.requests, batch.count);
        if (server.clients.paused !== undefined && this.#mustWait()) break;
        this.#executeOne();
        if (this.#isHeld) break;
      }
    } finally {
      if (session.isHungUp) outbox.discard();
      this.#leaveReplies();
      batch.clear();
      server.executing = undefined;
    }
    if (session.isMonitor || server.engine.monitors.size > 0) server.listenOrNot(this, !this.#isClosed);
    if (session.closeAfterReply) this.#closeGracefully();
  }

  #executeOne(): void {
    const { session } = this;
    const { reply } = this.#outbox;
    const { engine, keyspace, outputLimiter } = this.#server;
    const before = reply.length;
    // As it was before the command, which may change it.
    const { noTouch } = session;
    this.totalCommands += 1;
    if (noTouch) keyspace.touches = false;
    try {
      engine.execute(this.#context, this.#parser.args);
    } catch (error) {
      // Half a reply must not be sent.
      reply.length = before;
      if (error instanceof ReplyTooLongError) reply.error(`ERR ${error.message}: ask for less at a time`);
      else throw new Error(`a defect in the command '${session.lastCommand}'`, { cause: error });
    } finally {
      if (noTouch) keyspace.touches = true;
    }
    if (session.replyMode !== "on" && isSilenced(session)) reply.length = before;
    if (this.#ownMessages.length > 0) for (const bytes of this.#ownMessages.splice(0)) reply.append(bytes);
    this.#parser.isAuthenticated = session.isAuthenticated;
    if (this.#context.pending !== undefined) this.#await(this.#context.pending);
    const { written } = this.#outbox;
    if (written > outputLimiter.unlimitedBytes) this.#server.hangUpBeyondLimit(this, this.outputBufferBytes + written);
    if (this.#outbox.isFull && !session.isHungUp) this.#leaveReplies();
  }

  #mustWait(): boolean {
    if (this.#server.clients.paused === "WRITE" && !this.#server.engine.mayWrite(this.#parser.args)) return false;
    this.#parser.unread();
    this.#hold();
    this.#server.clients.whenResumed(this, () => this.#release());
    return true;
  }

  /** Meanwhile the client's further requests are read, and kept: to read is the only way to hear that it has gone. */
  #await(work: Promise<LateReply>): void {
    this.#isHeld = true;
    this.#parser.keep();
    const finish = (write: LateReply): void => {
      this.#context.pending = undefined;
      if (this.#isClosed) return;
      this.#outbox.begin(this.session.protocol);
      const before = this.#outbox.reply.length;
      write(this.#outbox.reply);
      if (isSilenced(this.session)) this.#outbox.reply.length = before;
      this.#leaveReplies();
      this.#release();
    };
    work.then(finish, (error: unknown) => {
      if (!(error instanceof CommandError)) throw error;
      finish((reply) => reply.error(error.message));
    });
  }

  #hold(): void {
    this.#isHeld = true;
    this.#parser.keep();
    this.#stream.pause();
  }

  #release(): void {
    if (!this.#isHeld || this.#isClosed || this.#isLeaving || this.#context.pending !== undefined) return;
    if (this.outputBufferBytes > UNREAD_MAX) return;
    this.#isHeld = false;
    try {
      this.#execute();
    } catch (error) {
      this.#refuse(error);
    }
    this.countBuffers();
    if (this.#isReading) this.#stream.resume();
    this.#endWhenDone();
  }

  /** The client has ended its side: ours follows, once everything it asked for is answered. */
  #endWhenDone(): void {
    if (!this.#stream.readableEnded || this.#isHeld) return;
    this.#outbox.flush();
    if (this.#held.isEmpty) this.#stream.end();
  }

  #leaveReplies(): void {
    // Set before: an outbox that is full sends at once, and `transmit` unsets it.
    const had = this.#hasReplies;
    this.#hasReplies = true;
    if (!this.#outbox.end(this)) this.#hasReplies = had;
  }

  /** Called by the outbox, for what `#leaveReplies` has left there. */
  transmit(bytes: Buffer, until: number): boolean {
    this.#hasReplies = false;
    if (this.#isClosed) return false;
    if (until > 0 || !this.#held.isEmpty) {
      this.#holdReply(Buffer.from(bytes), until);
      return false;
    }
    // Effects without a reply, which need not be waited for.
    if (bytes.length > 0) this.#write(this.#isSocket ? bytes : Buffer.from(bytes));
    for (const line of this.#linesAfter.splice(0)) this.#gathered.add(line);
    return this.#isSocket && this.#stream.writableLength > 0;
  }

  #holdReply(bytes: Buffer, until: number): void {
    this.#held.add(bytes, until);
    for (const line of this.#linesAfter.splice(0)) this.#held.add(line, 0);
    this.#outbox.hold(this);
    if (this.#held.bytes > UNREAD_MAX) this.#hold();
    this.checkOutputLimit();
  }

  /** Called by the outbox when the log has come further. */
  release(released: number): boolean {
    const bytes = this.#held.take(released);
    if (bytes !== undefined && !this.#isClosed) {
      if (bytes.length > 0) this.#write(bytes);
      else this.countBuffers();
      // Not now: this may be in the middle of another connection's turn.
      if (this.#isHeld || this.#stream.readableEnded) setImmediate(() => this.#goOn());
    }
    return this.#held.isEmpty;
  }

  /** Called by the outbox when what is held may not be true. */
  lose(): void {
    this.#close();
  }

  /** After replies that were held have been sent. */
  #goOn(): void {
    if (this.#isClosed) return;
    if (this.#isLeaving && this.#held.isEmpty) this.#leave();
    this.#release();
    this.#endWhenDone();
  }

  #write(bytes: Buffer): void {
    const { statistics } = this.#server;
    statistics.writes += 1;
    statistics.outputBytes += bytes.length;
    this.#stream.write(bytes);
    const unread = this.#stream.writableLength;
    if (unread > UNREAD_MAX) this.#hold();
    if (unread > 0) this.checkOutputLimit();
    this.countBuffers();
  }

  /** A broken protocol ends the connection with its error; anything else is a defect, and is not hidden. */
  #refuse(error: unknown): void {
    if (!(error instanceof ProtocolError)) {
      this.#outbox.flush();
      this.#close();
      throw error;
    }
    this.#outbox.begin(this.session.protocol);
    this.#outbox.reply.error(`ERR ${error.message}`);
    this.#leaveReplies();
    this.#closeGracefully();
  }

  #closeGracefully(): void {
    this.#outbox.flush();
    this.#isLeaving = !this.#held.isEmpty;
    if (this.#isLeaving) this.#hold();
    else this.#leave();
  }

  #leave(): void {
    this.#server.farewells.begin(this.#stream, LINGER_MS);
    this.#close(false);
  }

  #close(destroy = true): void {
    if (!this.#isClosed) {
      this.#isClosed = true;
      this.session.closeAfterReply = true;
      this.#held.clear();
      this.#outbox.forget(this);
      this.countBuffers();
      this.#server.forget(this);
    }
    if (destroy) this.#stream.destroy();
  }
}
