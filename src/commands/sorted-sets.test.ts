import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandRunner } from "../testing/commands.ts";
import { decode } from "../testing/resp-frame.ts";
import { keyCommands } from "./keys.ts";
import { setCommands } from "./sets.ts";
import { sortedSetCommands } from "./sorted-sets.ts";
import { stringCommands } from "./strings.ts";

const COMMANDS = [...keyCommands, ...setCommands, ...sortedSetCommands, ...stringCommands];

/** How sorted sets are stored: by the limit of the small encoding. */
const STORED: readonly [encoding: string, entries: number][] = [
  ["listpack", 128],
  ["skiplist", 0],
];

function start(entries: number, protocol: 2 | 3 = 2): CommandRunner {
  const runner = new CommandRunner(COMMANDS, { protocol });
  runner.keyspace.limits.sortedSetEntries = entries;
  return runner;
}

/** Plays "command -> reply" lines, replies as JSON. A line of a command alone is a preparation. */
function play(runner: CommandRunner, lines: string): void {
  for (const line of lines.trim().split("\n")) {
    const [words, expected] = line.trim().split(" -> ") as [string, string | undefined];
    const reply = runner.run(...words.split(" ").map((word) => word.replaceAll("_", " ").replace("''", "")));
    const shown = reply.startsWith("-") ? reply.slice(1, -2) : JSON.stringify(decode(Buffer.from(reply, "latin1")));
    if (expected !== undefined) assert.equal(shown, expected, words);
  }
  runner.verify();
}

for (const [encoding, entries] of STORED) {
  test(`members and scores: ${encoding}`, () => {
    play(
      start(entries),
      `
      ZADD z 1 a 2 b 3 c -> 3
      OBJECT ENCODING z -> "${encoding}"
      TYPE z -> "zset"
      ZADD z 1 a 5 b 4 d -> 1
      ZADD z CH 1 a 6 b 4 e -> 2
      ZADD z NX 9 a 9 f -> 1
      ZADD z XX 8 f 8 g -> 0
      ZADD z GT 7 f -> 0
      ZADD z GT CH 9 f -> 1
      ZADD z LT CH 10 f -> 0
      ZADD z LT CH 8.5 f -> 1
      ZADD z XX GT CH 9 f 9 h -> 1
      ZRANGE z 0 -1 WITHSCORES -> ["a","1","c","3","d","4","e","4","b","6","f","9"]
      ZADD z INCR 1.5 a -> "2.5"
      ZADD z NX INCR 1 a -> null
      ZADD z XX INCR 1 none -> null
      ZADD z GT INCR -1 a -> null
      ZADD none XX INCR 1 a -> null
      ZADD none XX 1 a -> 0
      EXISTS none -> 0
      ZINCRBY z -2.5 a -> "0"
      ZINCRBY z 1e17 new -> "100000000000000000"
      ZSCORE z a -> "0"
      ZSCORE z none -> null
      ZSCORE none a -> null
      ZMSCORE z a none c -> ["0",null,"3"]
      ZMSCORE none a b -> [null,null]
      ZCARD z -> 7
      ZCARD none -> 0
      ZRANK z c -> 1
      ZREVRANK z c -> 5
      ZRANK z c WITHSCORE -> [1,"3"]
      ZREVRANK z none WITHSCORE -> null
      ZRANK none c -> null
      ZREM z a none b -> 2
      ZREM none a -> 0
      ZREM z c d e f new -> 5
      EXISTS z -> 0
      `,
    );
  });

  test(`scores beyond the usual: ${encoding}`, () => {
    const runner = start(entries);
    play(
      runner,
      `
      ZADD z inf a -inf b 0.1 c 1e-320 d 1.7976931348623157e308 e 0x10 f 5. g .5 h -1.5e-7 i
      ZRANGE z 0 -1 -> ["b","i","d","c","h","g","f","e","a"]
      ZMSCORE z a b c d e f -> ["inf","-inf","0.1","1e-320","1.7976931348623157e+308","16"]
      ZMSCORE z g h i -> ["5","0.5","-1.5e-7"]
      ZINCRBY z inf b -> ERR resulting score is not a number (NaN)
      ZADD z INCR -inf a -> ERR resulting score is not a number (NaN)
      ZINCRBY z 1e308 e -> "inf"
      ZADD z nan x -> ERR value is not a valid float
      ZADD z 1 x 1e400 y -> ERR value is not a valid float
      ZSCORE z x -> null
      ZADD z 9007199254740993 x 4611686018427387904 y 18446744073709551616 w
      ZMSCORE z x y w -> ["9007199254740992","4611686018427387904","18446744073709552000"]
      ZADD z 0.30000000000000004 p 12345.678901 q
      ZMSCORE z p q -> ["0.30000000000000004","12345.678901"]
      `,
    );
  });

  test(`ranges: ${encoding}`, () => {
    play(
      start(entries),
      `
      ZADD z 1 a 2 b 2 bb 3 c 4 d
      ZRANGE z 1 2 -> ["b","bb"]
      ZRANGE z -2 -1 REV -> ["b","a"]
      ZRANGE z 3 1 -> []
      ZRANGE z 9 10 -> []
      ZRANGE none 0 -1 -> []
      ZRANGE z 9223372036854775807 -9223372036854775808 -> []
      ZREVRANGE z 0 1 WITHSCORES -> ["d","4","c","3"]
      ZRANGE z 2 3 BYSCORE -> ["b","bb","c"]
      ZRANGE z (2 +inf BYSCORE WITHSCORES -> ["c","3","d","4"]
      ZRANGE z 3 (1 BYSCORE REV -> ["c","bb","b"]
      ZRANGE z -inf inf BYSCORE LIMIT 1 2 -> ["b","bb"]
      ZRANGE z inf -inf BYSCORE REV LIMIT 1 2 -> ["c","bb"]
      ZRANGEBYSCORE z 1 4 LIMIT -1 2 -> []
      ZRANGEBYSCORE z 1 4 LIMIT 1 -1 -> ["b","bb","c","d"]
      ZRANGEBYSCORE z 1 4 LIMIT 5 1 -> []
      ZRANGEBYSCORE z (2 2 -> []
      ZRANGEBYSCORE z 4 1 -> []
      ZREVRANGEBYSCORE z 4 (2 WITHSCORES LIMIT 0 1 -> ["d","4"]
      ZCOUNT z 2 3 -> 3
      ZCOUNT z (2 (4 -> 1
      ZCOUNT z '' 2 -> 3
      ZCOUNT none 0 1 -> 0
      ZADD lex 0 a 0 b 0 c 0 d 0 da
      ZRANGE lex [b (d BYLEX -> ["b","c"]
      ZRANGEBYLEX lex - + LIMIT 1 2 -> ["b","c"]
      ZREVRANGEBYLEX lex + [d -> ["da","d"]
      ZREVRANGEBYLEX lex (da - LIMIT 1 2 -> ["c","b"]
      ZRANGEBYLEX lex + - -> []
      ZRANGEBYLEX lex (b (b -> []
      ZRANGEBYLEX lex [b [b -> ["b"]
      ZLEXCOUNT lex - + -> 5
      ZLEXCOUNT lex (a [d -> 3
      ZLEXCOUNT none - + -> 0
      ZREMRANGEBYLEX lex [b (d -> 2
      ZREMRANGEBYRANK z 1 2 -> 2
      ZREMRANGEBYRANK z 5 9 -> 0
      ZREMRANGEBYSCORE z (1 3 -> 1
      ZRANGE z 0 -1 -> ["a","d"]
      ZREMRANGEBYSCORE z -inf inf -> 2
      EXISTS z -> 0
      `,
    );
  });

  test(`storing, combining and popping: ${encoding}`, () => {
    play(
      start(entries),
      `
      ZADD a 1 one 2 two 3 three
      ZADD b 10 one 20 two 40 four
      SADD s one five
      ZUNION 2 a b WITHSCORES -> ["three","3","one","11","two","22","four","40"]
      ZUNION 3 a s none WEIGHTS 2 10 5 AGGREGATE MAX WITHSCORES -> ["two","4","three","6","five","10","one","10"]
      ZINTER 2 a b WITHSCORES -> ["one","11","two","22"]
      ZINTER 2 a b WEIGHTS 0 inf AGGREGATE MIN WITHSCORES -> ["one","0","two","0"]
      ZINTER 2 a none -> []
      ZDIFF 2 a b WITHSCORES -> ["three","3"]
      ZDIFF 2 a a -> []
      ZDIFF 2 s a WITHSCORES -> ["five","1"]
      ZINTERCARD 2 a b -> 2
      ZINTERCARD 2 a b LIMIT 1 -> 1
      ZINTERCARD 2 a s LIMIT 0 -> 1
      ZUNIONSTORE d 2 a b -> 4
      OBJECT ENCODING d -> "${encoding}"
      ZINTERSTORE a 2 a b -> 2
      ZRANGE a 0 -1 WITHSCORES -> ["one","11","two","22"]
      ZDIFFSTORE s 1 none -> 0
      EXISTS s -> 0
      SET text x
      ZRANGESTORE text d 3 30 BYSCORE REV -> 0
      EXISTS text -> 0
      ZRANGESTORE text d 30 3 BYSCORE REV LIMIT 0 2 -> 2
      ZRANGE text 0 -1 WITHSCORES -> ["one","11","two","22"]
      ZRANGESTORE d d 0 1 -> 2
      ZRANGE d 0 -1 -> ["three","one"]
      ZUNIONSTORE u 1 d WEIGHTS inf -> 2
      ZINTERSTORE u 2 u u WEIGHTS 1 -1 -> 2
      ZRANGE u 0 -1 WITHSCORES -> ["one","0","three","0"]
      ZADD p 1 a 2 b 3 c 4 d 5 e
      ZPOPMIN p -> ["a","1"]
      ZPOPMAX p 2 -> ["e","5","d","4"]
      ZPOPMIN p 0 -> []
      ZMPOP 2 none p MAX -> ["p",[["c","3"]]]
      ZMPOP 1 none MIN COUNT 5 -> null
      ZMPOP 1 p MIN COUNT 5 -> ["p",[["b","2"]]]
      EXISTS p -> 0
      ZPOPMIN none -> []
      ZADD r 7 only
      ZRANDMEMBER r -> "only"
      ZRANDMEMBER r -3 -> ["only","only","only"]
      ZRANDMEMBER r 5 WITHSCORES -> ["only","7"]
      ZRANDMEMBER r 0 -> []
      ZRANDMEMBER none -> null
      ZRANDMEMBER none 3 -> []
      ZSCAN r 0 -> ["0",["only","7"]]
      ZSCAN r 0 MATCH x* COUNT 5 -> ["0",[]]
      ZSCAN none 0 -> ["0",[]]
      `,
    );
  });

  test(`RESP3: ${encoding}`, () => {
    play(
      start(entries, 3),
      `
      ZADD z 1 a 2.5 b
      ZSCORE z b -> 2.5
      ZMSCORE z a none -> [1,null]
      ZADD z INCR 1 a -> 2
      ZRANGE z 0 -1 WITHSCORES -> [["a",2],["b",2.5]]
      ZUNION 1 z WITHSCORES -> [["a",2],["b",2.5]]
      ZRANDMEMBER z 9 WITHSCORES -> [["b",2.5],["a",2]]
      ZRANK z b WITHSCORE -> [1,2.5]
      ZSCAN z 0 MATCH b -> ["0",["b","2.5"]]
      ZPOPMIN z -> ["a",2]
      ZPOPMAX z 1 -> [["b",2.5]]
      `,
    );
  });
}

test("a sorted set becomes large when Redis lets it become so, and stays it", () => {
  const runner = start(3);
  runner.keyspace.limits.sortedSetValue = 4;
  play(
    runner,
    `
    ZADD z 1 a 2 b 3 c -> 3
    OBJECT ENCODING z -> "listpack"
    ZADD z 4 c -> 0
    OBJECT ENCODING z -> "listpack"
    ZADD z 4 d -> 1
    OBJECT ENCODING z -> "skiplist"
    ZREM z a b c -> 3
    OBJECT ENCODING z -> "skiplist"
    ZRANGESTORE y z 0 -1 -> 1
    OBJECT ENCODING y -> "listpack"
    ZADD y 1 long5 -> 1
    OBJECT ENCODING y -> "skiplist"
    ZADD x 1 long5 2 a -> 2
    OBJECT ENCODING x -> "skiplist"
    ZADD w 1 a 1 a 1 a 1 a -> 1
    OBJECT ENCODING w -> "skiplist"
    ZUNIONSTORE v 2 w y -> 3
    OBJECT ENCODING v -> "skiplist"
    ZREM v long5 -> 1
    ZUNIONSTORE v 1 v -> 2
    OBJECT ENCODING v -> "listpack"
    COPY z zz -> 1
    OBJECT ENCODING zz -> "skiplist"
    `,
  );
});

test("errors of what changes and tells members", () => {
  play(
    start(128),
    `
    SET text x
    ZADD text 1 a -> WRONGTYPE Operation against a key holding the wrong kind of value
    ZADD text x a -> ERR value is not a valid float
    ZSCORE text a -> WRONGTYPE Operation against a key holding the wrong kind of value
    ZUNION 1 text FOO -> WRONGTYPE Operation against a key holding the wrong kind of value
    ZMPOP 1 text MIN -> WRONGTYPE Operation against a key holding the wrong kind of value
    ZADD z 1 -> ERR wrong number of arguments for 'zadd' command
    ZADD z 1 a 2 -> ERR syntax error
    ZADD z NX XX -> ERR syntax error
    ZADD z NX XX 1 a -> ERR XX and NX options at the same time are not compatible
    ZADD z NX GT 1 a -> ERR GT, LT, and/or NX options at the same time are not compatible
    ZADD z GT LT 1 a -> ERR GT, LT, and/or NX options at the same time are not compatible
    ZADD z INCR 1 a 2 b -> ERR INCR option supports a single increment-element pair
    ZADD z 1 a x b -> ERR value is not a valid float
    EXISTS z -> 0
    ZINCRBY z NX a -> ERR syntax error
    ZINCRBY z x a -> ERR value is not a valid float
    ZRANK z a b -> ERR syntax error
    ZRANK z a WITHSCORE c -> ERR wrong number of arguments for 'zrank' command
    ZRANGE z a 1 -> ERR value is not an integer or out of range
    ZRANGE z 0 1 LIMIT 0 1 -> ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX
    ZRANGE z 0 1 LIMIT 0 -1 -> []
    ZRANGE z 0 1 BYSCORE LIMIT 0 -> ERR syntax error
    ZRANGE z 0 1 BYSCORE LIMIT a 1 -> ERR value is not an integer or out of range
    ZRANGE z - + BYLEX WITHSCORES -> ERR syntax error, WITHSCORES not supported in combination with BYLEX
    ZRANGE z 0 1 BYSCORE BYSCORE -> ERR syntax error
    ZRANGE z 0 1 REV REV -> ERR syntax error
    ZRANGE z a b BYSCORE -> ERR min or max is not a float
    ZRANGE z a b BYLEX -> ERR min or max not valid string range item
    ZREVRANGE z 0 1 REV -> ERR syntax error
    ZRANGEBYLEX z - + WITHSCORES -> ERR syntax error, WITHSCORES not supported in combination with BYLEX
    ZRANGESTORE d z 0 -1 WITHSCORES -> ERR syntax error
    ZCOUNT z nan 1 -> ERR min or max is not a float
    ZCOUNT z 1 (x -> ERR min or max is not a float
    ZLEXCOUNT z x + -> ERR min or max not valid string range item
    ZREMRANGEBYRANK z 0 x -> ERR value is not an integer or out of range
    `,
  );
});

test("errors of what pops, combines and draws", () => {
  play(
    start(128),
    `
    ZPOPMIN z -1 -> ERR value is out of range, must be positive
    ZPOPMIN z x -> ERR value is out of range, must be positive
    ZPOPMIN z 1 2 -> ERR syntax error
    ZMPOP 0 z MIN -> ERR numkeys should be greater than 0
    ZMPOP 1 z -> ERR wrong number of arguments for 'zmpop' command
    ZMPOP 2 z MIN -> ERR syntax error
    ZMPOP 1 z MID -> ERR syntax error
    ZMPOP 1 z MIN COUNT 0 -> ERR count should be greater than 0
    ZMPOP 1 z MIN COUNT -> ERR syntax error
    ZMPOP 1 z MIN COUNT 1 COUNT 1 -> ERR syntax error
    ZUNION x z -> ERR value is not an integer or out of range
    ZUNION 0 z -> ERR at least 1 input key is needed for 'zunion' command
    ZUNIONSTORE d 0 z -> ERR at least 1 input key is needed for 'zunionstore' command
    ZUNION 2 z -> ERR syntax error
    ZUNION 1 z WEIGHTS x -> ERR weight value is not a float
    ZUNION 1 z WEIGHTS -> ERR syntax error
    ZUNION 1 z AGGREGATE AVG -> ERR syntax error
    ZUNIONSTORE d 1 z WITHSCORES -> ERR syntax error
    ZDIFF 1 z WEIGHTS 1 -> ERR syntax error
    ZINTERCARD 1 z LIMIT -1 -> ERR LIMIT can't be negative
    ZINTERCARD 1 z LIMIT x -> ERR LIMIT can't be negative
    ZRANDMEMBER z x -> ERR value is not an integer or out of range
    ZRANDMEMBER z 1 FOO -> ERR syntax error
    ZRANDMEMBER z 4611686018427387904 WITHSCORES -> ERR value is out of range
    ZSCAN z x -> ERR invalid cursor
    `,
  );
});

test("changes are counted as Redis counts them", () => {
  const runner = start(128);
  const cases: [command: string, changes: number][] = [
    ["ZADD z 1 a 2 b 3 c 4 d 5 e 6 f 7 g", 7],
    ["ZADD z 1 a", 0],
    ["ZADD z 9 a 1 x", 2],
    ["ZINCRBY z 1 a", 1],
    ["ZINCRBY z 0 a", 0],
    ["ZREM z x none", 1],
    ["ZPOPMIN z 2", 2],
    ["ZREMRANGEBYRANK z 0 1", 2],
    ["ZUNIONSTORE y 1 z", 1],
    ["ZUNIONSTORE y 1 none", 1],
    ["ZUNIONSTORE y 1 none", 0],
    ["ZREMRANGEBYSCORE z -inf inf", 3],
  ];
  for (const [command, changes] of cases) {
    const before = runner.keyspace.changes;
    runner.run(...command.split(" "));
    assert.equal(runner.keyspace.changes - before, changes, command);
  }
});
