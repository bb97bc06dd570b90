/**
 * Plays the directed cases to a pair of servers.
 */
import { ReplyMissing, type RespClient } from "../testing/resp-client.ts";
import { printable, printableCommand } from "../testing/resp-frame.ts";
import type { TestServer } from "../testing/servers.ts";
import { type Command, type Pair, type Protocol, Session } from "./session.ts";

/** Splits a line of commands as redis-cli would: words, quoted words with escapes, semicolons between commands. */
export function parseCommands(line: string): Command[] {
  const commands: string[][] = [[]];
  for (const [word, quoted] of line.matchAll(/'((?:[^'\\]|\\.)*)'|;|[^\s;']+/g)) {
    if (word === ";") commands.push([]);
    else commands.at(-1)!.push(quoted === undefined ? word : quoted);
  }
  return commands.map((words) => words.map((word) => (word.includes("\\") ? unescaped(word) : word)));
}

function unescaped(word: string): Buffer {
  const text = word.replace(/\\(x[0-9a-f]{2}|.)/g, (_, code: string) => {
    if (code.length === 3) return String.fromCharCode(Number.parseInt(code.slice(1), 16));
    return { n: "\n", r: "\r", t: "\t" }[code] ?? code;
  });
  return Buffer.from(text, "latin1");
}

/** Plays one line of commands from empty; returns a description of each reply that differs. */
export async function playLine(pair: Pair, protocol: Protocol, line: string): Promise<string[]> {
  const session = await Session.open(pair, protocol);
  try {
    await session.send([["FLUSHALL"], ["CLIENT", "UNPAUSE"], ["CONFIG", "RESETSTAT"], ["SLOWLOG", "RESET"]]);
    const exchanges = await session.send(parseCommands(line));
    return exchanges
      .filter((exchange) => !session.agree(exchange))
      .map(({ command, subject, reference }) =>
        [
          printableCommand(command),
          `  ${pair.subject.name}: ${printable(subject)}`,
          `  ${pair.reference.name}: ${printable(reference)}`,
        ].join("\n"),
      );
  } finally {
    await session.close();
  }
}

/**
 * Sends bytes on a connection of its own, and an ECHO behind them; returns all that comes back until its reply, the
 * end of the connection, or a quarter of a second of silence.
 */
export async function transcript(server: TestServer, bytes: string): Promise<string> {
  const client = await server.client();
  client.send(Buffer.from(bytes, "latin1"));
  client.send("\r\nECHO end-of-case\r\n");
  const replies: string[] = [];
  try {
    while (!replies.at(-1)?.includes("end-of-case")) replies.push(withoutIdentity(await nextReply(client)));
  } catch (error) {
    if (!(error instanceof ReplyMissing)) throw error;
    replies.push(error.message.startsWith("no reply") ? "(silence)" : "(closed)");
  }
  await client.close();
  return replies.join("");
}

async function nextReply(client: RespClient): Promise<Buffer> {
  const [reply] = await client.receive(1, 250);
  return reply!;
}

/** HELLO's answer holds the server's version and the connection's number. */
function withoutIdentity(reply: Buffer): string {
  return printable(reply)
    .replace(/version\\r\\n\$\d+\\r\\n[\d.]+/, "version")
    .replace(/id\\r\\n:\d+/, "id");
}
