/** Worker for the tests of background threads: does as it is told, failures included. */
import { workerData } from "node:worker_threads";
import { serve } from "../background/worker-side.ts";
import { ARRIVED, BEFORE_TAKEN, type Echo, IN_HANDLER, type Orders, type Setting } from "./background-orders.ts";

const { gates, start } = (workerData ?? {}) as Setting;

function hang(): never {
  for (;;);
}

function waitAt(gate: number): void {
  if (gates !== undefined) Atomics.wait(gates, gate, 0);
}

if (start === "late") waitAt(IN_HANDLER);
if (start === "throw") throw new Error("thrown at start");
if (start === "hang") hang();
if (start === "silent") setInterval(() => undefined, 1000);
else {
  serve<Orders, Echo>(
    {
      echo({ id, bytes }, post) {
        post({ id, bytes }, bytes === undefined ? [] : [bytes.buffer as ArrayBuffer]);
      },
      burst({ replies, ending }, post) {
        for (let id = 0; id < replies; id++) post({ id });
        if (ending === "throw") throw new Error("thrown in a handler");
        if (ending === "exit") process.exit(3);
        if (ending === "hang") hang();
        waitAt(IN_HANDLER);
      },
      work({ ms }) {
        for (const end = performance.now() + ms; performance.now() < end; );
      },
      hoard() {
        const hoard: string[][] = [];
        for (;;) hoard.push(Array.from({ length: 10_000 }, (_, index) => `${hoard.length} ${index}`));
      },
    },
    gates === undefined
      ? undefined
      : () => {
          Atomics.add(gates, ARRIVED, 1);
          Atomics.notify(gates, ARRIVED);
          waitAt(BEFORE_TAKEN);
        },
  );
}
