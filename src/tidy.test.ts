/** The house rules, as a test. Every rule reports all offenders, and is shown to fire on a bad sample. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join, posix, sep } from "node:path";
import { test } from "node:test";

/** From the ground up: a file imports from its own layer and from those before it. */
const LOWER = ["base", "config", "memory", "structures", "keyspace", "rdb", "monitoring", "commands", "protocol"];
const LAYERS = [...LOWER, "durability", "background", "engine", "server", "embedded", "cli"];
const DEVELOPMENT = ["testing", "bench", "differential"];
const SOURCES_MIN = 50;
const FILE_LINES_MAX = 400;
const FUNCTION_LINES_MAX = 60;
const LINE_COLUMNS_MAX = 120;

type Source = { path: string; lines: string[] };
type Offence = { line: number; what: string };
type Import = { path: string; line: number; erased: boolean };
type Rule = (source: Source) => Offence[];

const folder = (path: string): string => path.split("/")[0]!.replace(/\.ts$/, "");
const isTest = (path: string): boolean => /\.(test|fuzz)\.ts$/.test(path);
const isShipped = (path: string): boolean => !isTest(path) && !DEVELOPMENT.includes(folder(path));

/** The same lines with comments blanked, so that examples in them break no rule. */
const codeOf = ({ lines }: Source): string[] =>
  lines.map((line) => (/^\s*(\/\/|\/?\*+(\s|\/|$))/.test(line) ? "" : line.replace(/\s\/\/ .*$/, "")));

const allOf = ({ lines }: Source): string[] => lines;

function importsOf(source: Source): Import[] {
  const text = codeOf(source).join("\n");
  const statement = /^\s*(?:im|ex)port\s(\s*type\s)?(?:[^"';]*?\sfrom\s+)?"([^"]+)"/gm;
  const expression = /\b(?:import\(|new URL\()()\s*"([^"]+)"/g;
  return [...text.matchAll(statement), ...text.matchAll(expression)].flatMap((match) => {
    const isUrl = match[0].startsWith("new URL");
    const specifier = match[2]!.replace(/\.js$/, ".ts");
    if (isUrl && !/^\..*\.ts$/.test(specifier)) return [];
    const line = text.slice(0, match.index + match[0].length).split("\n").length;
    const path = specifier.startsWith(".") ? posix.join(posix.dirname(source.path), specifier) : specifier;
    // A worker's file named by its owner is not loaded by it, so it closes no cycle.
    return { path, line, erased: isUrl || match[1] !== undefined };
  });
}

function forbid(pattern: RegExp, what: string, linesOf = codeOf, allowed = (_path: string): boolean => false): Rule {
  return (source) => {
    if (allowed(source.path)) return [];
    return linesOf(source).flatMap((line, index) => (pattern.test(line) ? { line: index + 1, what } : []));
  };
}

const imports: Rule = (source) => {
  const floor = LAYERS.indexOf(folder(source.path));
  if (!isShipped(source.path)) return [];
  if (floor < 0) return [{ line: 1, what: "lies in no known layer" }];
  return importsOf(source).flatMap(({ path, line }) => {
    const isBelow = isShipped(path) && LAYERS.slice(0, floor + 1).includes(folder(path));
    return path.startsWith("node:") || (path.endsWith(".ts") && isBelow) ? [] : { line, what: `imports ${path}` };
  });
};

const fileLength: Rule = ({ lines }) => {
  const firstOfCode = lines.findIndex((line) => !/^(#!|\s*\/?\*|\/\/|\s*$)/.test(line));
  const excused = withoutMarks(lines.slice(0, firstOfCode)).includes("Longer than 400 lines because");
  const length = lines.length - 1;
  return length > FILE_LINES_MAX && !excused ? [{ line: 1, what: `is ${length} lines long` }] : [];
};

const functionLength: Rule = ({ lines }) =>
  functionsOf(lines).flatMap(([start, end]) => {
    let comment = start;
    while (/^\s*(\/\/|\/?\*)/.test(lines[comment - 1] ?? "")) comment -= 1;
    const length = end - start + 1;
    const excused = withoutMarks(lines.slice(comment, start)).includes("Longer than 60 lines because");
    return length > FUNCTION_LINES_MAX && !excused ? { line: start + 1, what: `a function of ${length} lines` } : [];
  });

const withoutMarks = (comment: string[]): string =>
  comment.map((line) => line.replace(/^\s*(\/\*+|\*+\/?|\/\/)\s?/, "").trim()).join(" ");

const DECLARED = /^\s*(export )?(default )?(async )?function\b/;
const METHOD = /^\s*((public|private|protected|static|async|override|get|set) )*\*?(#?[\w$]+|\[[^\]]+\])(<.*>)?\(/;
const STATEMENT = /^\s*(if|for|while|switch|catch|return|do|await|new|throw|with|describe|suite)\b/;
const BODY = /(\).*|=>) \{$/;

/** First and last line of every function, told by the formatter's indentation. */
function functionsOf(lines: string[]): [start: number, end: number][] {
  return lines.flatMap((line, start): [number, number][] => {
    const head = DECLARED.test(line) || METHOD.test(line) || line.endsWith("=> {");
    if (!head || STATEMENT.test(line)) return [];
    const indent = line.search(/\S/);
    let opened = BODY.test(line);
    for (let end = start + 1; end < lines.length; end += 1) {
      const next = lines[end]!;
      if (next === "" || next.search(/\S/) > indent) continue;
      if (BODY.test(next) && /^\s*[)}]/.test(next)) opened = true;
      else return opened && /^\s*\}/.test(next) ? [[start, end]] : [];
    }
    return [];
  });
}

const vagueName: Rule = ({ path }) =>
  /(^|[/.-])(utils?|helpers?|common|misc)[/.-]/.test(path) ? [{ line: 1, what: "has a name that says nothing" }] : [];

const INDEX = String.raw`!?\[(?:[^[\]]|\[[^\]]*\])*\]!?\s*`;
const regionWrite = new RegExp(
  String.raw`\b(words|bytes|doubles)${INDEX}((<<|>>>?|[-+*/%&|^])?=(?![=>])|\+\+|--)` +
    String.raw`|[.#](words|bytes|doubles)\.(set|fill|copyWithin)\(`,
);
const mayWriteRegions = (path: string): boolean => /^(memory|structures|keyspace)\//.test(path) || !isShipped(path);
const mayPrint = (path: string): boolean => ["cli", ...DEVELOPMENT].includes(folder(path));

const RULES: Record<string, { rule: Rule; bad: [path: string, text: string][] }> = {
  "imports point downwards, shipped code imports only itself and Node": {
    rule: imports,
    bad: [
      ["memory/a.ts", 'import {\n  b,\n} from "../keyspace/b.ts";'],
      ["memory/a.ts", 'export type { B } from "../testing/b.ts";'],
      ["memory/a.ts", 'import "./a.test.ts";'],
      ["memory/a.ts", 'const b = await import("../engine.ts");'],
      ["memory/a.ts", 'new Worker(new URL("../server/b.js", import.meta.url));'],
      ["cli/a.ts", 'import { Redis } from "ioredis";'],
      ["cellar/a.ts", ""],
    ],
  },
  "files are short": { rule: fileLength, bad: [["cli/a.ts", `/** A. */\n${"a;\n".repeat(FILE_LINES_MAX)}`]] },
  "functions are short": {
    rule: functionLength,
    bad: ["function a(\n  b: number,\n): void {", "a({ b }: C): D {", "const a = () => {", "  async run(\n  ) {"].map(
      (head) => ["cli/a.ts", `${head}\n${"      b();\n".repeat(FUNCTION_LINES_MAX)}${/^\s*/.exec(head)![0]}}\n`],
    ),
  },
  "lines are narrow": {
    rule: forbid(new RegExp(`^.{${LINE_COLUMNS_MAX + 1}}`, "u"), "is too wide", allOf),
    bad: [["cli/a.ts", "é".repeat(LINE_COLUMNS_MAX + 1)]],
  },
  "nothing is left for later": {
    rule: forbid(/\b(TODO|FIXME|XXX|HACK)\b/, "is left over", allOf),
    bad: [["cli/a.ts", "// TODO: all of it"]],
  },
  "names say what a file is for": {
    rule: vagueName,
    bad: ["cli/utils.ts", "cli/text-helper.ts", "common/a.ts"].map((path) => [path, ""]),
  },
  "the library never prints": {
    rule: forbid(/\bconsole\.\w+\(/, "prints", codeOf, mayPrint),
    bad: [["server/a.ts", "  console.log(1);"]],
  },
  "regions are written only by what guards their pages": {
    rule: forbid(regionWrite, "writes to a region", codeOf, mayWriteRegions),
    bad: ["words[a] = 1", "this.#bytes[a[0]! + 1]! += 2", "doubles![a]++", "x.bytes.set(y)"].map((text) => [
      "commands/a.ts",
      text,
    ]),
  },
};

/** The first cycle of imports met from each file that closes one, types aside. */
function cyclesOf(sources: Source[]): string[] {
  const edges = new Map(sources.map((s) => [s.path, importsOf(s).flatMap(({ path, erased }) => (erased ? [] : path))]));
  const done = new Set<string>();
  const visit = (path: string, trail: string[]): string[] => {
    if (trail.includes(path)) return [[...trail.slice(trail.indexOf(path)), path].join(" -> ")];
    if (done.has(path)) return [];
    const found = (edges.get(path) ?? []).flatMap((next) => visit(next, [...trail, path]));
    done.add(path);
    return found;
  };
  return [...edges.keys()].flatMap((path) => visit(path, []));
}

const sourceOf = (path: string, text: string): Source => ({ path, lines: text.split("\n") });
const root = join(import.meta.dirname, "..", "src");
const sources = readdirSync(root, { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".ts"))
  .map((path) => sourceOf(path.split(sep).join("/"), readFileSync(join(root, path), "utf8")));

test("the sources were found", () => {
  assert(sources.length >= SOURCES_MIN, `only ${sources.length} sources in ${root}`);
});

for (const [title, { rule, bad }] of Object.entries(RULES)) {
  test(title, () => {
    for (const [path, text] of bad) assert.notEqual(rule(sourceOf(path, text)).length, 0, `must refuse: ${text}`);
    // This file's own samples break every rule on purpose.
    const others = sources.filter(({ path }) => path !== "tidy.test.ts");
    const offences = others.flatMap((s) => rule(s).map(({ line, what }) => `src/${s.path}:${line}: ${what}`));
    assert.equal(offences.length, 0, `\n${offences.join("\n")}`);
  });
}

test("imports run in no circle", () => {
  const circle = [sourceOf("cli/a.ts", 'import { b } from "./b.ts";'), sourceOf("cli/b.ts", 'import "./a.ts";')];
  assert.deepEqual(cyclesOf(circle), ["cli/a.ts -> cli/b.ts -> cli/a.ts"]);
  assert.deepEqual(cyclesOf(sources), []);
});
