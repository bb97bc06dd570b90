/**
 * Directives that somebody relies on for protection, or so that nothing is lost, and that have no effect here: a server
 * that was told of them does not start. The others without effect are told when it starts (Configuration.notices).
 */
import { createHash } from "node:crypto";
import type { Configuration, Statement } from "../config/configuration.ts";
import { StartError } from "./start-error.ts";

const NO_REPLICAS = "there are no replicas here, and nothing would be kept twice";
const NO_ACLS =
  "cannot be put into force: there are no ACLs here yet. Leave it out, and use requirepass, bind and rename-command";
const FOLLOWS_NOBODY =
  "cannot be put into force: a server that follows no other would be empty, and take writes. Leave it out; data " +
  "moves by copying its files (README, Moving data)";
/** What each user needs to be let do all: one rule of each line. Of channels, older files say nothing. */
const NEEDED = [["on"], ["~*", "allkeys"], ["+@all", "allcommands"]] as const;
/** What takes nothing away either. */
const HARMLESS: readonly string[] = ["nopass", "&*", "allchannels", "sanitize-payload", "skip-sanitize-payload"];

/**
 * Has CONFIG SET refuse likewise.
 * @throws StartError if the configuration asks for protection that it would not get
 */
export function refuseUnsafeSettings(configuration: Configuration): void {
  const reason = unsafeSetting(configuration);
  if (reason !== undefined) throw new StartError(`Not starting: ${reason}`);
  configuration.onChange("min-replicas-to-write", (count) => (count > 0 ? NO_REPLICAS : undefined));
}

function unsafeSetting(configuration: Configuration): string | undefined {
  if (configuration.get("aclfile") !== "") return `aclfile ${NO_ACLS}`;
  const user = configuration.statements.find((each) => isRestriction(each, configuration.get("requirepass")));
  if (user !== undefined) return `user default ${NO_ACLS}`;
  if (configuration.get("replicaof") !== undefined) return `replicaof ${FOLLOWS_NOBODY}`;
  if (configuration.get("min-replicas-to-write") > 0) {
    return `min-replicas-to-write cannot be put into force: ${NO_REPLICAS}. Leave it out, or say 0`;
  }
  return undefined;
}

/**
 * Whether a line takes anything from the user that everybody is who has not said otherwise. The one that Redis's CONFIG
 * REWRITE writes of its own accord does not.
 */
function isRestriction({ name, args }: Statement, password: Uint8Array): boolean {
  const [user, ...rules] = args;
  if (name !== "user" || user !== "default") return false;
  const digest = createHash("sha256").update(password).digest("hex");
  const asked = password.length === 0 ? [] : [`>${Buffer.from(password).toString("latin1")}`, `#${digest}`];
  const needed = [...NEEDED, ["nopass", ...asked]];
  const isLet = needed.every((choice) => choice.some((rule) => rules.includes(rule)));
  const known = new Set([...needed.flat(), ...HARMLESS]);
  return !isLet || rules.some((rule) => !known.has(rule));
}
