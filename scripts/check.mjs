/** `npm run check`: types, lint and format, house rules. */

import { join } from "node:path";
import { build, install, root, step } from "./prepare.mjs";

install();
build();
step(process.execPath, [
  join(root, "node_modules", "@biomejs", "biome", "bin", "biome"),
  "check",
  "--error-on-warnings",
]);
step(process.execPath, ["--test", "--test-reporter=spec", join(root, "dist", "tidy.test.js")]);
