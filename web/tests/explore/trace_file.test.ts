import { describe, expect, it } from "vitest";

import { StudioError } from "../../src/protocol/client";
import { checkTraceFile } from "../../src/explore/trace_file";

function file(bytes: number[], name = "una.vitral"): File {
  return new File([Uint8Array.from(bytes)], name);
}

async function refused(made: File, most = 1000): Promise<string | null> {
  try {
    await checkTraceFile(made, most);
    return null;
  } catch (problem) {
    expect(problem).toBeInstanceOf(StudioError);
    expect((problem as StudioError).values["name"]).toBe(made.name);
    return (problem as StudioError).code;
  }
}

describe("a file that the reader brings", () => {
  const head = [20, 0, 0, 0, 0, 0, 0, 0, "{".charCodeAt(0)];

  it("may be a trace where a header's length and its brace come first", async () => {
    expect(await refused(file(head))).toBeNull();
    expect(await refused(file([...head, 1, 2, 3]))).toBeNull();
  });

  it.each([
    [[]],
    [[1, 2, 3]],
    [[0, 0, 0, 0, 0, 0, 0, 0, 123]],
    [[20, 0, 0, 0, 0, 0, 0, 0, 91]],
    [[0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 123]],
  ])("cannot be one where they do not: %j", async (bytes) => {
    expect(await refused(file(bytes))).toBe(bytes.length === 0 ? "trace_upload_empty" : "upload_not_trace");
  });

  it("is not sent where it is too large", async () => {
    expect(await refused(file(head), 8)).toBe("trace_upload_too_large");
    expect(await refused(file(head), 9)).toBeNull();
  });
});
