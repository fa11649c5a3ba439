import { describe, expect, it } from "vitest";

import { BlockError, readBlock } from "../../src/protocol/block";

/** A block as Studio writes it (see studio/blocks.py). */
function block(header: object, bytes: Uint8Array): ArrayBuffer {
  let text = new TextEncoder().encode(JSON.stringify(header));
  const padding = (8 - ((8 + text.length) % 8)) % 8;
  text = new TextEncoder().encode(JSON.stringify(header) + " ".repeat(padding));
  const whole = new Uint8Array(8 + text.length + bytes.length);
  whole.set(new TextEncoder().encode("VTR1"));
  new DataView(whole.buffer).setUint32(4, text.length, true);
  whole.set(text, 8);
  whole.set(bytes, 8 + text.length);
  return whole.buffer;
}

const weights = new Float32Array([0.25, 0.75, 1, 0]);

describe("readBlock", () => {
  it("reads float32 values and what the header says of them", () => {
    const header = { dtype: "float32", shape: [2, 2], aggregated: false, niño: "ñ" };
    const read = readBlock(block(header, new Uint8Array(weights.buffer)));
    expect(read.header).toEqual(header);
    expect([...read.values]).toEqual([0.25, 0.75, 1, 0]);
    expect(read.values).toBeInstanceOf(Float32Array);
  });

  it("reads bytes", () => {
    const header = { dtype: "uint8", shape: [1, 1, 1, 3], aggregated: true, scale: [[0.5]] };
    const read = readBlock(block(header, new Uint8Array([0, 128, 255])));
    expect([...read.values]).toEqual([0, 128, 255]);
    expect(read.header["scale"]).toEqual([[0.5]]);
  });

  it("reads a block without values", () => {
    const read = readBlock(block({ dtype: "float32", shape: [0, 4] }, new Uint8Array()));
    expect(read.values.length).toBe(0);
  });

  it.each([
    ["nothing", new ArrayBuffer(0)],
    ["another format", new TextEncoder().encode("VTR2....").buffer as ArrayBuffer],
    ["a header cut short", block({ dtype: "uint8", shape: [1] }, new Uint8Array(1)).slice(0, 20)],
    ["values cut short", block({ dtype: "float32", shape: [3] }, new Uint8Array(8))],
    ["too many values", block({ dtype: "uint8", shape: [1] }, new Uint8Array(2))],
    ["a type unknown", block({ dtype: "int64", shape: [1] }, new Uint8Array(8))],
  ])("refuses %s", (_, buffer) => {
    expect(() => readBlock(buffer)).toThrow(BlockError);
  });
});
