/** The commands on sorted sets, all together. */
import { ZDIFF, ZDIFFSTORE, ZINTER, ZINTERCARD, ZINTERSTORE, ZUNION, ZUNIONSTORE } from "./sorted-sets-algebra.ts";
import { ZADD, ZCARD, ZINCRBY, ZMSCORE, ZRANK, ZREM, ZREVRANK, ZSCORE } from "./sorted-sets-members.ts";
import { ZMPOP, ZPOPMAX, ZPOPMIN } from "./sorted-sets-pops.ts";
import { ZRANDMEMBER } from "./sorted-sets-random.ts";
import {
  ZRANGE,
  ZRANGEBYLEX,
  ZRANGEBYSCORE,
  ZRANGESTORE,
  ZREVRANGE,
  ZREVRANGEBYLEX,
  ZREVRANGEBYSCORE,
} from "./sorted-sets-ranges.ts";
import { ZSCAN } from "./sorted-sets-scan.ts";
import { ZCOUNT, ZLEXCOUNT, ZREMRANGEBYLEX, ZREMRANGEBYRANK, ZREMRANGEBYSCORE } from "./sorted-sets-spans.ts";

export const sortedSetCommands = [
  ZADD,
  ZCARD,
  ZCOUNT,
  ZDIFF,
  ZDIFFSTORE,
  ZINCRBY,
  ZINTER,
  ZINTERCARD,
  ZINTERSTORE,
  ZLEXCOUNT,
  ZMPOP,
  ZMSCORE,
  ZPOPMAX,
  ZPOPMIN,
  ZRANDMEMBER,
  ZRANGE,
  ZRANGEBYLEX,
  ZRANGEBYSCORE,
  ZRANGESTORE,
  ZRANK,
  ZREM,
  ZREMRANGEBYLEX,
  ZREMRANGEBYRANK,
  ZREMRANGEBYSCORE,
  ZREVRANGE,
  ZREVRANGEBYLEX,
  ZREVRANGEBYSCORE,
  ZREVRANK,
  ZSCAN,
  ZSCORE,
  ZUNION,
  ZUNIONSTORE,
];
