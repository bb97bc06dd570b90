/**
 * Reads all sockets of a server into one reused buffer, instead of a fresh 64 KiB for every read (a fifth of the
 * server's time per request at pipeline depth 16).
 *
 * Node.js offers that (`onread`) for sockets that a program opens, not for those that a server accepts. So the accepted
 * socket, which has not begun to read, hands its handle over to a socket made with `onread`. Handles are not part of
 * the documented interface: where the hand-over does not work as expected, sockets are read the ordinary way, and a
 * test on every Node.js version sees which of the two is in use.
 */
import { type OnReadOpts, Socket, type SocketConstructorOpts } from "node:net";
import { withView } from "../base/bytes.ts";

/** Executes what has been read. @returns false if reading is to pause; the receiver resumes the socket itself */
export type Receive = (bytes: Buffer, length: number) => boolean;

/** As large as what libuv reads at once. */
const READ_BUFFER_SIZE = 64 * 1024;

/**
 * After so many full buffers of one socket it is the others' turn. Libuv would read on, up to 32 buffers: a client that
 * sends 10 KB values by the hundred then keeps everybody waiting for milliseconds.
 */
const FULL_READS_MAX = 2;

interface HandleOwner {
  _handle: { fd?: number; useUserBuffer?: unknown } | null;
}

type HandleOptions = SocketConstructorOpts & { handle: unknown; pauseOnCreate: boolean; onread: OnReadOpts };

export class SocketReader {
  readonly #buffer = withView(Buffer.allocUnsafeSlow(READ_BUFFER_SIZE));
  /** Whether the reused buffer is in use: false where Node.js has changed under it. */
  readonly usesOneBuffer: boolean;

  constructor(allowed = true) {
    this.usesOneBuffer = allowed;
  }

  /**
   * Takes over a socket that was accepted with `pauseOnConnect`.
   * @param open makes what receives, once the socket is known
   * @returns the socket to write to
   */
  adopt(accepted: Socket, open: (socket: Socket) => Receive): Socket {
    const owner = accepted as unknown as HandleOwner;
    const handle = owner._handle;
    if (!this.usesOneBuffer || typeof handle?.useUserBuffer !== "function") return this.#readPlainly(accepted, open);
    let receive: Receive | undefined;
    let fullReads = 0;
    const onRead = (length: number, bytes: Buffer): boolean => {
      const goesOn = receive?.(bytes, length) ?? true;
      fullReads = goesOn && length === READ_BUFFER_SIZE ? fullReads + 1 : 0;
      if (fullReads < FULL_READS_MAX) return goesOn;
      fullReads = 0;
      // Should the receiver have paused it by then, it says so again at the next read.
      setImmediate(() => socket.resume());
      return false;
    };
    const options: HandleOptions = {
      handle,
      pauseOnCreate: true,
      allowHalfOpen: true,
      onread: {
        buffer: this.#buffer,
        callback: (length, bytes) => onRead(length, bytes as Buffer),
      },
    };
    owner._handle = null;
    const socket = new Socket(options);
    accepted.destroy();
    receive = open(socket);
    socket.resume();
    return socket;
  }

  #readPlainly(socket: Socket, open: (socket: Socket) => Receive): Socket {
    const receive = open(socket);
    socket.on("data", (chunk: Buffer) => {
      if (!receive(chunk, chunk.length)) socket.pause();
    });
    socket.resume();
    return socket;
  }
}

/** The descriptor of a socket, for CLIENT LIST; -1 where there is none. */
export function descriptorOf(socket: Socket): number {
  return (socket as unknown as HandleOwner)._handle?.fd ?? -1;
}
