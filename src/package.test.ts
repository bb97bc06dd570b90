/** What the npm package holds: every file that its documents link to is in it. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { posix } from "node:path";
import { test } from "node:test";

/** Names of the files that would be packed. */
function packedFiles(): Set<string> {
  const args = ["pack", "--dry-run", "--json", "--ignore-scripts", "--loglevel=error"];
  const { npm_execpath: npm } = process.env;
  // Of an error its messages are shown; what is listed besides has tens of thousands of lines.
  const options = { encoding: "utf8", maxBuffer: 1 << 26 } as const;
  const output =
    npm === undefined ? execFileSync("npm", args, options) : execFileSync(process.execPath, [npm, ...args], options);
  const [{ files }] = JSON.parse(output) as [{ files: { path: string }[] }];
  return new Set(files.map(({ path }) => path));
}

test("every link of a packed document to a file leads to one that is packed", () => {
  const packed = packedFiles();
  const documents = [...packed].filter((path) => path.endsWith(".md"));
  assert(documents.includes("README.md") && documents.includes("docs/durability.md"));
  const links = documents.flatMap((document) =>
    [...readFileSync(document, "utf8").matchAll(/\]\((?!\w+:)([^)#\s]+)/g)].map(([, target]) => ({
      document,
      path: posix.join(posix.dirname(document), target!),
    })),
  );
  assert(links.length >= 10, `${links.length} links`);
  const dead = links.filter(({ path }) => !packed.has(path));
  assert.deepEqual(dead, []);
});
