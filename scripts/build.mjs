/** `npm run build`: compiles src/ to dist/, whether or not it looks stale. */

import { build, install } from "./prepare.mjs";

install();
build();
