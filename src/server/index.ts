/** `stillwater/server`: serving a store to Redis clients, from a program of one's own. */

export { parseArguments } from "../config/arguments.ts";
export { Configuration } from "../config/configuration.ts";
export { ConfigurationFileError, loadConfiguration } from "../config/file.ts";
export { Store } from "../engine/store.ts";
export type { Address } from "./listeners.ts";
export { Server } from "./server.ts";
