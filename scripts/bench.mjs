/** `npm run bench [-- arguments of the benchmarks]` */

import { join } from "node:path";
import { runInForeground } from "./foreground.mjs";
import { prepare, root } from "./prepare.mjs";

prepare();
runInForeground([join(root, "dist", "bench", "main.js"), ...process.argv.slice(2)]);
