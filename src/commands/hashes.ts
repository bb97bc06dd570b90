/** All commands on hashes. */
import { HINCRBY, HINCRBYFLOAT } from "./hashes-counters.ts";
import { hashDeadlineCommands } from "./hashes-deadlines.ts";
import { HDEL, HEXISTS, HGET, HLEN, HMGET, HMSET, HSET, HSETNX, HSTRLEN } from "./hashes-fields.ts";
import { HGETALL, HKEYS, HRANDFIELD, HSCAN, HVALS } from "./hashes-walks.ts";

export const hashCommands = [
  HDEL,
  HEXISTS,
  HGET,
  HGETALL,
  HINCRBY,
  HINCRBYFLOAT,
  HKEYS,
  HLEN,
  HMGET,
  HMSET,
  HRANDFIELD,
  HSCAN,
  HSET,
  HSETNX,
  HSTRLEN,
  HVALS,
  ...hashDeadlineCommands,
];
