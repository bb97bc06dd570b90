/** Versions that clients are told. */

/** Of Stillwater itself; package.json has the same (a test compares them). */
export const STILLWATER_VERSION = "0.1.0";
/** The Redis whose behaviour this is: clients choose what they use by it. */
export const REDIS_VERSION = "7.2.4";
