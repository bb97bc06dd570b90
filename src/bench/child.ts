/**
 * One measurement in a process of its own, so that neither garbage nor compiled code of one contender
 * is left over for the next. The parent sends the job; the child answers with its figures and ends.
 */
import { fork } from "node:child_process";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import type { GrowingName } from "./collection-growth-worker.ts";
import type { ContenderName } from "./contenders.ts";
import type { Way } from "./fsync-worker.ts";

export type Job =
  | {
      readonly kind: "operations";
      readonly contender: ContenderName;
      readonly keys: number;
      /** Which key comes next: the following one, or any. */
      readonly order: "ascending" | "random";
      readonly rounds: number;
      readonly seconds: number;
      readonly seed: number;
    }
  | { readonly kind: "growth"; readonly contender: ContenderName | null; readonly keys: number; readonly seed: number }
  | { readonly kind: "freeze"; readonly keys: number; readonly rounds: number; readonly seed: number }
  | {
      readonly kind: "collection-growth";
      readonly collection: GrowingName;
      readonly elements: number;
      readonly seed: number;
    }
  | {
      readonly kind: "collection-calls";
      readonly members: number;
      readonly rounds: number;
      readonly seconds: number;
      readonly seed: number;
    }
  | { readonly kind: "handover"; readonly fields: number; readonly rounds: number }
  | {
      readonly kind: "fsync";
      readonly ways: readonly { readonly way: Way; readonly files: number }[];
      /** For each way. */
      readonly seconds: number;
      /** Size of the file that is deleted. */
      readonly largeBytes: number;
    }
  | {
      readonly kind: "lazyfree-threshold";
      readonly fields: number;
      readonly values: number;
      /** How many values die in one turn of the event loop. */
      readonly perTurn: number;
      readonly rounds: number;
    };

/**
 * Runs the job in a new process. Rejects if that ends without an answer; its own words are on standard error.
 * @param environment variables besides our own
 */
export function runInChild<Figures>(job: Job, environment: NodeJS.ProcessEnv = {}): Promise<Figures> {
  const entry = fileURLToPath(new URL(`./worker${extname(import.meta.url)}`, import.meta.url));
  const env = { ...process.env, ...environment };
  const child = fork(entry, { stdio: ["ignore", "inherit", "inherit", "ipc"], env });
  const kill = (): boolean => child.kill("SIGKILL");
  process.once("exit", kill);
  return new Promise<Figures>((resolve, reject) => {
    child.once("message", (figures) => resolve(figures as Figures));
    child.once("error", reject);
    child.once("close", (code, signal) => {
      process.removeListener("exit", kill);
      reject(new Error(`the ${job.kind} measurement ended with ${code ?? signal}`));
    });
    child.send(job);
  });
}
