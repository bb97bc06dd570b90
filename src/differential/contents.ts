/**
 * Compares everything two servers hold, by commands only: keys, types, values, encodings and times to live.
 */
import type { Argument } from "../testing/resp-frame.ts";
import { argumentBytes, decode } from "../testing/resp-frame.ts";
import { type Exchange, list } from "./replies.ts";
import { type Command, type Pair, Session } from "./session.ts";

const DATABASES = Array.from({ length: 16 }, (_, database) => database);
/** TYPE directly before OBJECT ENCODING, because whether these must agree depends on it. */
const READERS = ["GET", "HGETALL", "TYPE", "OBJECT ENCODING", "PTTL", "EXPIRETIME", "SMEMBERS"];

/** The first exchange that shows a difference in the contents, or undefined when there is none. */
export async function compareContents(pair: Pair): Promise<Exchange | undefined> {
  const session = await Session.open(pair, 2);
  try {
    const opening = await session.send(DATABASES.flatMap((database) => [selecting(database), ["KEYS", "*"]]));
    const different = opening.find((exchange) => !session.agree(exchange));
    if (different !== undefined) return different;
    // All databases at once: waiting for each would take longer than all that is played before.
    const readings = await session.send(
      DATABASES.flatMap((database) => [selecting(database), ...readingsOf(opening[2 * database + 1]!)]),
    );
    const first = readings.find((exchange) => !session.agree(exchange));
    if (first !== undefined) return first;
    return await verify(pair);
  } finally {
    await session.close();
  }
}

function selecting(database: number): Command {
  return ["SELECT", database];
}

function readingsOf(keys: Exchange): Command[] {
  const names = list(decode(keys.reference)) as readonly Argument[];
  return names.flatMap((key) => {
    const name = argumentBytes(key);
    return [...READERS.map((reader) => [...reader.split(" "), name]), ["LRANGE", name, "0", "-1"]];
  });
}

/** Asks our server, when it is the one under test, whether all its structures are in order. */
async function verify(pair: Pair): Promise<Exchange | undefined> {
  if (pair.subject.name !== "stillwater") return undefined;
  const client = await pair.subject.client();
  const command = ["DEBUG", "VERIFY"];
  const reply = await client.command(...command);
  await client.close();
  const wanted = Buffer.from("+OK\r\n");
  return reply.equals(wanted) ? undefined : { command, subject: reply, reference: wanted };
}
