/** What counts as intended of distances: last digits, by as much as the formula makes of a sine's last bit there. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { intendedDifferences, isIntended } from "./intended-differences.ts";

const bulk = (text: string): Buffer => Buffer.from(`$${text.length}\r\n${text}\r\n`);

function isForgiven(command: readonly string[], ours: string, theirs: string): boolean {
  const [subject, reference] = [bulk(ours), bulk(theirs)];
  return isIntended(intendedDifferences, { command, subject, reference, before: undefined } as never);
}

const cases: readonly [command: string, ours: string, theirs: string, isForgiven: boolean][] = [
  ["GEODIST a b c", "166274.1516", "166274.1517", true],
  ["GEODIST a b c", "166274.1516", "166274.1518", false],
  // Three metres before the antipode a last bit is six millimetres; the farther away, the less.
  ["GEODIST a b c", "20020730.9024", "20020730.8966", true],
  ["GEODIST a b c", "20020730.9024", "20020730.8024", false],
  ["GEODIST a b c", "20020630.9024", "20020630.8966", false],
  ["GEODIST a b c", "10020730.9024", "10020730.8966", false],
  ["GEODIST a b c ft", "65684812.3674", "65684812.3484", true],
  ["GEODIST a b c ft", "65684712.3674", "65684712.3484", false],
  ["GEODIST a b c km", "20020.7309", "20020.7311", false],
  ["ZSCORE a b", "166274.15156960033", "166274.15156960036", true],
  ["ZSCORE a b", "166274.15156960033", "166274.1515696009", false],
  ["ZSCORE a b", "20020.730902430730", "20020.730896613695", true],
  ["ZSCORE a b", "20020.630902430730", "20020.630896613695", false],
];

for (const [command, ours, theirs, wanted] of cases) {
  test(`${command}: ${ours} for ${theirs} is ${wanted ? "forgiven" : "found"}`, () => {
    assert.equal(isForgiven(command.split(" "), ours, theirs), wanted);
    assert.equal(isForgiven(command.split(" "), theirs, ours), wanted);
  });
}
