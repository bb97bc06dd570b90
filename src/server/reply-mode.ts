/** CLIENT REPLY: whether a client hears the reply to its last command. */
import type { Session } from "../commands/context.ts";

/** Whether it must not; the mode counts as the command has left it. To be asked once for each command. */
export function isSilenced(session: Session): boolean {
  if (session.replyMode === "on") return false;
  const isKept = session.keepsReply;
  session.keepsReply = false;
  if (session.replyMode === "skip-next") session.replyMode = "skip";
  else if (session.replyMode === "skip") session.replyMode = "on";
  return !isKept;
}
