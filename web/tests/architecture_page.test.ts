// docs/architecture.md says how to add a view and a room: its records are those that the page takes.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { describe, expect, it } from "vitest";

import { ROOMS } from "../src/rooms";
import { VIEWS } from "../src/trace/views";

const page = readFileSync(
  fileURLToPath(new URL("../../docs/architecture.md", import.meta.url)),
  "utf-8",
);

/** The record in the TypeScript block of a section. What it would fetch is not there. */
function recordOf(title: string): Record<string, unknown> {
  const section = page.split(/^### /m).find((each) => each.startsWith(title)) ?? "";
  const block = /```ts\n(.*?)```/s.exec(section)?.[1] ?? "";
  expect(block.trim().split("\n").length).toBeLessThan(10);
  const { outputText, diagnostics } = ts.transpileModule(`(${block.trim()})`, {
    reportDiagnostics: true,
    compilerOptions: { target: ts.ScriptTarget.ESNext },
  });
  expect(diagnostics).toEqual([]);
  return (0, eval)(outputText) as Record<string, unknown>;
}

function kinds(record: object): Record<string, string> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, typeof value]));
}

describe("docs/architecture.md", () => {
  it("adds a view with the entries that every view has", () => {
    const added = kinds(recordOf("A view"));
    for (const view of VIEWS) expect(kinds(view)).toMatchObject(added);
  });

  it("adds a room with the entries that every room has", () => {
    const added = kinds(recordOf("A room"));
    for (const room of ROOMS) expect(kinds(room)).toMatchObject(added);
  });
});
