/**
 * A pair of connections, one to the server under test and one to the reference, that are told the same things.
 */
import { ReplyMissing, type RespClient } from "../testing/resp-client.ts";
import type { Argument } from "../testing/resp-frame.ts";
import type { TestServer } from "../testing/servers.ts";
import { type IntendedDifference, isIntended } from "./intended-differences.ts";
import { type Exchange, equalReplies } from "./replies.ts";

export type Protocol = 2 | 3;
export type Command = readonly Argument[];

/** The server under test beside the one it must agree with, and where they may disagree. */
export interface Pair {
  readonly subject: TestServer;
  readonly reference: TestServer;
  readonly differences: readonly IntendedDifference[];
}

export class Session {
  readonly #pair: Pair;
  readonly #subject: RespClient | undefined;
  readonly #reference: RespClient | undefined;

  private constructor(pair: Pair, subject: RespClient | undefined, reference: RespClient | undefined) {
    this.#pair = pair;
    this.#subject = subject;
    this.#reference = reference;
  }

  /** Connects to both, both speaking `protocol`. */
  static async open(pair: Pair, protocol: Protocol): Promise<Session> {
    const session = new Session(pair, await connected(pair.subject), await connected(pair.reference));
    if (protocol === 3) await session.send([["HELLO", "3"]]);
    return session;
  }

  /** Sends the same commands to both; a reply that does not come is shown as one that says why. */
  async send(commands: readonly Command[], before?: Exchange): Promise<Exchange[]> {
    const [subject, reference] = await Promise.all([
      replies(this.#subject, commands, this.#pair.subject),
      replies(this.#reference, commands, this.#pair.reference),
    ]);
    const exchanges: Exchange[] = [];
    for (const [index, command] of commands.entries()) {
      exchanges.push({
        command,
        subject: subject[index]!,
        reference: reference[index]!,
        before: exchanges.at(-1) ?? before,
      });
    }
    return exchanges;
  }

  /** Whether the replies agree, or disagree on purpose. */
  agree(exchange: Exchange): boolean {
    return equalReplies(exchange) || isIntended(this.#pair.differences, exchange);
  }

  async close(): Promise<void> {
    await Promise.all([this.#subject?.close(), this.#reference?.close()]);
  }
}

/** A connection, or none when nobody listens any more: what is sent to it then has no reply. */
function connected(server: TestServer): Promise<RespClient | undefined> {
  return server.client().catch(() => undefined);
}

async function replies(
  client: RespClient | undefined,
  commands: readonly Command[],
  server: TestServer,
): Promise<Buffer[]> {
  const missing = (why: string) => Buffer.from(`(no reply from ${server.name}: ${why})`);
  if (client === undefined) return commands.map(() => missing("it accepts no connection"));
  try {
    return await client.pipeline(commands);
  } catch (error) {
    if (!(error instanceof ReplyMissing)) throw error;
    return commands.map((_, index) => error.received[index] ?? missing(error.message));
  }
}
