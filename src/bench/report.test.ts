import assert from "node:assert/strict";
import { test } from "node:test";
import { table } from "./report.ts";

test("a table aligns words to the left and figures to the right", () => {
  const text = table({
    title: "Figures",
    columns: [
      { field: "name", title: "name" },
      { field: "rate", title: "ops/s" },
      { field: "ratio", title: "ratio", digits: 2 },
    ],
    rows: [
      { name: "a", rate: 1_234_567, ratio: 0.5 },
      { name: "longer", rate: 1, ratio: null },
    ],
  });
  assert.equal(
    text,
    [
      "Figures",
      "name        ops/s  ratio",
      "------------------------",
      "a       1,234,567   0.50",
      "longer          1    n/a",
    ].join("\n"),
  );
});
