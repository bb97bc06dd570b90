/** What the package ships, as scripts/bundle.mjs makes it: programs that tests start run this, like those of users. */
import { fileURLToPath } from "node:url";

const PACKAGE = new URL("../../dist/package/", import.meta.url);

/** The command line's file. */
export const SHIPPED_MAIN = fileURLToPath(new URL("main.js", PACKAGE));
/** The URL of what `import "stillwater"` gives. */
export const SHIPPED_INDEX = new URL("index.js", PACKAGE).href;
