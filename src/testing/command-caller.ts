/**
 * CommandCaller: runs commands over a keyspace as fast as the engine can, their replies dropped. For tests that change
 * much data and look at it by other means.
 *
 *     caller.begin(database, "HSET").add(key).addText("field").addNumber(5).run();
 */
import { Arguments } from "../base/arguments.ts";
import { writeInt64 } from "../base/int64.ts";
import { allCommands } from "../commands/all-commands.ts";
import { droppedReply } from "../commands/dropped-reply.ts";
import { OUT_OF_MEMORY } from "../commands/errors.ts";
import { ClientContext } from "../engine/client-context.ts";
import type { Engine } from "../engine/engine.ts";
import type { Database } from "../keyspace/database.ts";
import type { Keyspace } from "../keyspace/keyspace.ts";
import { CommandRunner } from "./commands.ts";

const ORIGIN = { address: "127.0.0.1:1", localAddress: "127.0.0.1:2", fileDescriptor: 1, isEmbedded: false };
/** No command may be longer, in bytes. */
const CAPACITY = 1 << 18;

const EXPECTED = /^(WRONGTYPE|INVALIDOBJ) /;

export class CommandCaller {
  /** Commands that the store had no room for. */
  refusals = 0;
  readonly #engine: Engine;
  readonly #context: ClientContext;
  readonly #args = new Arguments();
  readonly #scratch = Buffer.alloc(CAPACITY);
  readonly #errors: string[] = [];
  readonly #names = new Map<string, Buffer>();
  #end = 0;

  constructor(keyspace: Keyspace) {
    const { engine, services } = new CommandRunner(allCommands, { over: keyspace });
    const fail = (text: string): void => {
      this.#errors.push(text);
    };
    this.#engine = engine;
    this.#context = new ClientContext(1, ORIGIN, services, droppedReply(fail), true);
  }

  /** Begins a command. */
  begin(database: Database, name: string): this {
    let bytes = this.#names.get(name);
    if (bytes === undefined) {
      bytes = Buffer.from(name);
      this.#names.set(name, bytes);
    }
    this.#context.database = database;
    this.#args.reset(this.#scratch);
    this.#end = 0;
    return this.add(bytes);
  }

  add(bytes: Buffer, start = 0, length = bytes.length): this {
    bytes.copy(this.#scratch, this.#end, start, start + length);
    return this.#push(length);
  }

  addText(text: string): this {
    return this.#push(this.#scratch.latin1Write(text, this.#end, text.length));
  }

  addNumber(value: number): this {
    return Number.isInteger(value)
      ? this.#push(writeInt64(value, this.#scratch, this.#end) - this.#end)
      : this.addText(String(value));
  }

  /**
   * Runs it. Errors that random commands cannot avoid are nothing: keys of another type or without their meaning, and
   * no room.
   * @throws Error for any other error
   */
  run(): void {
    this.#errors.length = 0;
    this.#engine.execute(this.#context, this.#args);
    for (const error of this.#errors) {
      if (error === OUT_OF_MEMORY) this.refusals += 1;
      else if (!EXPECTED.test(error)) throw new Error(`${this.#args.latin1(0)}: ${error}`);
    }
  }

  #push(length: number): this {
    this.#args.push(this.#end, length);
    this.#end += length;
    return this;
  }
}
