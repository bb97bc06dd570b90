/** Who a client is: the one user there is, `default`, and its password, `requirepass`. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { Arguments } from "../base/arguments.ts";
import type { Context } from "./context.ts";
import { CommandError } from "./errors.ts";

const DEFAULT_USER = "default";
const WRONG_PASSWORD = "WRONGPASS invalid username-password pair or user is disabled.";

/** Whether clients need no password. */
export function isOpen({ services }: Context): boolean {
  return services.configuration.get("requirepass").length === 0;
}

/**
 * Makes the client the user that the arguments name.
 * @param user index of the name, or undefined for the default user
 * @param password index of the password
 * @throws CommandError if they do not belong together
 */
export function authenticate(context: Context, args: Arguments, user: number | undefined, password: number): void {
  const isKnown = user === undefined || args.latin1(user) === DEFAULT_USER;
  const expected = context.services.configuration.get("requirepass");
  const isRight = expected.length === 0 || isSame(expected, args.buffer(password));
  if (!isKnown || !isRight) throw new CommandError(WRONG_PASSWORD);
  context.session.user = DEFAULT_USER;
  context.session.isAuthenticated = true;
}

/** Compares in a time that tells nothing of either. */
function isSame(left: Uint8Array, right: Uint8Array): boolean {
  return timingSafeEqual(digest(left), digest(right));
}

function digest(bytes: Uint8Array): Buffer {
  return createHash("sha256").update(bytes).digest();
}
