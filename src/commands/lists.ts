/** All commands on lists. */
import { LINDEX, LINSERT, LLEN, LRANGE, LREM, LSET, LTRIM } from "./lists-elements.ts";
import { LMOVE, LMPOP, LPOP, LPUSH, LPUSHX, RPOP, RPOPLPUSH, RPUSH, RPUSHX } from "./lists-ends.ts";
import { LPOS } from "./lists-positions.ts";

export const listCommands = [
  LINDEX,
  LINSERT,
  LLEN,
  LMOVE,
  LMPOP,
  LPOP,
  LPOS,
  LPUSH,
  LPUSHX,
  LRANGE,
  LREM,
  LSET,
  LTRIM,
  RPOP,
  RPOPLPUSH,
  RPUSH,
  RPUSHX,
];
