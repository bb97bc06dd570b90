import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandRunner } from "../testing/commands.ts";
import { converse } from "../testing/dialogue.ts";
import { Random, seedOfRun } from "../testing/random.ts";
import { geoCommands } from "./geo.ts";
import { keyCommands } from "./keys.ts";
import { sortedSetCommands } from "./sorted-sets.ts";
import { stringCommands } from "./strings.ts";

const COMMANDS = [...geoCommands, ...sortedSetCommands, ...stringCommands, ...keyCommands];
const NO_PAIR = "-ERR invalid longitude,latitude pair";
const NO_UNIT = "-ERR unsupported unit provided. please use M, KM, FT, MI";
const NO_MEMBER = "-ERR could not decode requested zset member";
const WRONG_TYPE = "-WRONGTYPE Operation against a key holding the wrong kind of value";
const ONE_OF = "-ERR exactly one of";
const FOR = "can be specified for";
const NOT_WITH = "is not compatible with WITHDIST, WITHHASH and WITHCOORD options";
const CATANIA = "*2 $20 15.08726745843887329 $20 37.50266842333162032";
const seed = seedOfRun();

/** Sicily: two towns, and two places at its edges. */
function sicily(protocol: 2 | 3 = 2): CommandRunner {
  const runner = new CommandRunner(COMMANDS, { protocol });
  runner.run("SET", "text", "x");
  runner.run("GEOADD", "s", "13.361389", "38.115556", "Palermo", "15.087269", "37.502669", "Catania");
  runner.run("GEOADD", "s", "12.758489", "38.788135", "edge1", "17.241510", "38.788135", "edge2");
  return runner;
}

test("adding places, and asking where they are", () => {
  converse(
    sicily(),
    `
    ZSCORE s Palermo                     => $16 3479099956230698
    GEOADD s 13.361389 38.115556 Palermo => :0
    GEOADD s CH 13 38 Palermo 1 1 new    => :2
    GEOADD s nx ch 2 2 new 3 3 newer     => :1
    GEOADD s XX 3 3 newest               => :0
    GEOADD none XX 3 3 newest            => :0
    EXISTS none                          => :0
    ZCARD s                              => :6
    GEOADD s NX XX 1 1 a                 => -ERR syntax error
    GEOADD s 1 1                         => -ERR wrong number of arguments for 'geoadd' command
    GEOADD s 1 1 a 2                     => -ERR syntax error
    GEOADD s NX CH CH                    => -ERR syntax error
    GEOADD s 1 x a                       => -ERR value is not a valid float
    GEOADD s 1 1 a 181 90 b              => ${NO_PAIR} 181.000000,90.000000
    GEOADD s inf -86 a                   => ${NO_PAIR} inf,-86.000000
    GEOADD text 200 1 a                  => ${NO_PAIR} 200.000000,1.000000
    GEOADD text 1 1 a                    => ${WRONG_TYPE}
    ZCARD s                              => :6
    GEODIST s Catania edge1              => $11 248860.9413
    GEODIST s Catania edge1 km           => $8 248.8609
    GEODIST s Catania edge1 MI           => $8 154.6354
    GEODIST s Catania edge1 ft           => $11 816472.9047
    GEODIST s Catania Catania            => $6 0.0000
    GEODIST s Catania nobody             => $-1
    GEODIST none a b                     => $-1
    GEODIST none a b parsec              => ${NO_UNIT}
    GEODIST s Catania edge1 km more      => -ERR syntax error
    GEODIST text a b                     => ${WRONG_TYPE}
    GEOHASH s Catania nobody edge2       => *3 $11 sqdtr74hyu0 $-1 $11 squk8m4vk20
    GEOHASH none a                       => *1 $-1
    GEOHASH s                            => *0
    GEOPOS s Catania nobody              => *2 ${CATANIA} *-1
    GEOPOS none a                        => *1 *-1
    GEOPOS text a                        => ${WRONG_TYPE}
    `,
  );
});

test("coordinates are doubles in RESP3, distances are not", () => {
  converse(
    sicily(3),
    `
    GEOPOS s Catania nobody       => *2 *2 ,15.08726745843887329 ,37.50266842333162032 _
    GEODIST s Palermo Catania     => $11 166274.1516
    GEOHASH s nobody              => *1 _
    GEOSEARCH s FROMMEMBER Catania BYRADIUS 1 m WITHDIST => *1 *2 $7 Catania $6 0.0000
    `,
  );
});

test("searching in a circle and in a rectangle", () => {
  converse(
    sicily(),
    `
    GEOSEARCH s FROMLONLAT 15 37 BYRADIUS 200 km ASC         => *2 $7 Catania $7 Palermo
    GEOSEARCH s FROMLONLAT 15 37 BYRADIUS 200 KM DESC        => *2 $7 Palermo $7 Catania
    GEOSEARCH s BYBOX 400 400 km FROMLONLAT 15 37 ASC        => *4 $7 Catania $7 Palermo $5 edge2 $5 edge1
    GEOSEARCH s BYBOX 400 400 km FROMLONLAT 15 37 COUNT 1    => *1 $7 Catania
    GEOSEARCH s BYBOX 400 400 km FROMMEMBER edge1 ASC        => *2 $5 edge1 $7 Palermo
    GEOSEARCH s FROMMEMBER Palermo BYRADIUS 0 m              => *1 $7 Palermo
    GEOSEARCH s FROMLONLAT 0 0 BYRADIUS 1 km                 => *0
    GEOSEARCH s FROMLONLAT 15 37 BYRADIUS 60 km WITHDIST WITHHASH => *1 *3 $7 Catania $7 56.4413 :3479447370796909
    GEOSEARCH s FROMLONLAT 15 37 BYRADIUS 60 km WITHCOORD    => *1 *2 $7 Catania ${CATANIA}
    GEOSEARCH none FROMMEMBER a BYRADIUS 1 m                 => *0
    GEOSEARCH s FROMMEMBER nobody BYRADIUS 1 m               => ${NO_MEMBER}
    GEOSEARCH s FROMLONLAT 15 37 BYRADIUS 200 km COUNT 2 ANY => *2 $7 Palermo $7 Catania
    GEOSEARCH s FROMLONLAT 15 37 BYRADIUS 200 km COUNT 0     => -ERR COUNT must be > 0
    GEOSEARCH s FROMLONLAT 15 37 BYRADIUS 200 km COUNT x     => -ERR value is not an integer or out of range
    GEOSEARCH s FROMLONLAT 15 37 BYRADIUS 200 km COUNT       => -ERR syntax error
    GEOSEARCH s FROMLONLAT 15 37 BYRADIUS 200 km ANY         => -ERR the ANY argument requires COUNT argument
    GEOSEARCH s FROMLONLAT 15 37 BYRADIUS x km               => -ERR need numeric radius
    GEOSEARCH s FROMLONLAT 15 37 BYRADIUS -1 km              => -ERR radius cannot be negative
    GEOSEARCH s FROMLONLAT 15 37 BYRADIUS 1 yd               => ${NO_UNIT}
    GEOSEARCH s FROMLONLAT 15 37 BYBOX x 1 km                => -ERR need numeric width
    GEOSEARCH s FROMLONLAT 15 37 BYBOX 1 x km                => -ERR need numeric height
    GEOSEARCH s FROMLONLAT 15 37 BYBOX 1 -1 km               => -ERR height or width cannot be negative
    GEOSEARCH s FROMLONLAT 15 97 BYBOX 1 1 km                => ${NO_PAIR} 15.000000,97.000000
    GEOSEARCH s FROMLONLAT 15 37 FROMMEMBER a BYRADIUS 1 km  => -ERR syntax error
    GEOSEARCH s FROMLONLAT 15 37 BYRADIUS 1 km BYBOX 1 1 km  => -ERR syntax error
    GEOSEARCH s FROMLONLAT 15 37 BYRADIUS 1 km STORE a       => -ERR syntax error
    geosearch s BYRADIUS 1 km ASC WITHDIST WITHHASH          => ${ONE_OF} FROMMEMBER or FROMLONLAT ${FOR} geosearch
    GEOSEARCH s FROMLONLAT 15 37 ASC ASC                     => ${ONE_OF} BYRADIUS and BYBOX ${FOR} GEOSEARCH
    GEOSEARCH text FROMLONLAT 15 37 BYRADIUS x km            => ${WRONG_TYPE}
    GEOSEARCH s FROMLONLAT 15 37 BYRADIUS                    => -ERR wrong number of arguments for 'geosearch' command
    `,
  );
});

test("the older searches", () => {
  converse(
    sicily(),
    `
    GEORADIUS s 15 37 200 km                       => *2 $7 Palermo $7 Catania
    GEORADIUS_RO s 15 37 200 km DESC               => *2 $7 Palermo $7 Catania
    GEORADIUSBYMEMBER s Palermo 100 km WITHDIST ASC => *2 *2 $7 Palermo $6 0.0000 *2 $5 edge1 $7 91.4007
    GEORADIUSBYMEMBER_RO s Palermo 1 m             => *1 $7 Palermo
    GEORADIUSBYMEMBER s nobody 1 m                 => ${NO_MEMBER}
    GEORADIUSBYMEMBER none nobody x parsec         => *0
    GEORADIUSBYMEMBER none nobody x parsec STORE a => :0
    GEORADIUS none x 1 1 m                         => -ERR value is not a valid float
    GEORADIUS s 15 37 200 km STORE a WITHDIST      => -ERR STORE option in GEORADIUS ${NOT_WITH}
    GEORADIUS_RO s 15 37 200 km STORE a            => -ERR syntax error
    GEORADIUSBYMEMBER_RO s Palermo 1 km STORE a    => -ERR syntax error
    GEORADIUS s 15 37 200 km STORE                 => -ERR syntax error
    `,
  );
});

test("storing what was found", () => {
  const runner = sicily();
  converse(
    runner,
    `
    GEORADIUS s 15 37 200 km STORE text            => :2
    ZRANGE text 0 -1                               => *2 $7 Palermo $7 Catania
    ZSCORE text Palermo                            => $16 3479099956230698
    GEORADIUS s 15 37 200 km STORE a STOREDIST b   => :2
    EXISTS a                                       => :0
    ZRANGE b 0 -1                                  => *2 $7 Catania $7 Palermo
    ZSCORE b Catania                               => $16 56.4412578701582
    GEOSEARCHSTORE b s FROMLONLAT 15 37 BYBOX 400 400 km COUNT 3 => :3
    ZCARD b                                        => :3
    GEOSEARCHSTORE b s FROMLONLAT 15 37 BYBOX 400 400 km STOREDIST => :4
    ZRANGE b 0 -1                                  => *4 $7 Catania $7 Palermo $5 edge2 $5 edge1
    GEOSEARCHSTORE b s FROMLONLAT 15 37 BYBOX 4 4 km WITHDIST => -ERR GEOSEARCHSTORE ${NOT_WITH}
    GEOSEARCHSTORE b none FROMMEMBER a BYRADIUS 1 km => :0
    EXISTS b                                       => :0
    GEOSEARCHSTORE s s FROMLONLAT 15 37 BYRADIUS 100 km => :1
    ZRANGE s 0 -1                                  => *1 $7 Catania
    GEOSEARCHSTORE s s FROMLONLAT 0 0 BYRADIUS 1 m => :0
    EXISTS s                                       => :0
    `,
  );
  runner.verify();
});

test("changes are counted as in Redis: each place stored, one key removed", () => {
  const runner = sicily();
  const changesOf = (command: string): number => {
    const before = runner.keyspace.changes;
    runner.run(...command.split(" "));
    return runner.keyspace.changes - before;
  };
  assert.equal(changesOf("GEOADD s CH 1 1 a 2 2 b 1 1 a"), 2);
  assert.equal(changesOf("GEORADIUS s 15 37 200 km STORE a"), 2);
  assert.equal(changesOf("GEORADIUS s 15 37 200 km STORE a"), 2);
  assert.equal(changesOf("GEORADIUS s 0 70 1 km STORE a"), 1);
  assert.equal(changesOf("GEORADIUS s 0 70 1 km STORE a"), 0);
});

test("each command is done completely or, without room, not at all; no write escapes the guard", (context) => {
  context.diagnostic(`seed ${seed}`);
  const random = new Random(seed);
  let refused = 0;
  for (let round = 0; round < 6; round++) {
    const runner = new CommandRunner(COMMANDS, { shards: 2, regionSize: 512 * 1024 });
    const frozen = runner.keyspace.freeze(true);
    const degrees = (): string => ((random.below(1e6) / 1e6 - 0.5) * 40).toFixed(6);
    for (let step = 0; step < 300; step++) {
      const key = `k${random.below(12)}`;
      const before = runner.run("ZRANGE", key, "0", "-1", "WITHSCORES");
      const places = Array.from({ length: random.pick([1, 5, 100]) }, () => [degrees(), degrees(), random.text(30)]);
      const reply = random.chance(0.6)
        ? runner.run("GEOADD", key, ...places.flat())
        : runner.run("GEORADIUS", `k${random.below(12)}`, "0", "0", `${random.below(2000)}`, "km", "STORE", key);
      if (!reply.startsWith("-OOM ")) continue;
      refused += 1;
      assert.equal(runner.run("ZRANGE", key, "0", "-1", "WITHSCORES"), before);
    }
    assert.equal(frozen.release().aborted, false);
    runner.verify();
  }
  assert.ok(refused > 0, "the regions were never full");
});
