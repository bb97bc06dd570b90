/** `npm start [-- arguments of the server]` */

import { join } from "node:path";
import { runInForeground } from "./foreground.mjs";
import { prepare, root } from "./prepare.mjs";

prepare();
runInForeground([join(root, "dist", "package", "main.js"), ...process.argv.slice(2)]);
