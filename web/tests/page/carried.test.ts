import { describe, expect, it } from "vitest";

import { bits, floats, type Packed } from "../../src/page/carried";
import { edges } from "../../src/page/embedded";
import { Layers } from "../../src/page/rebuilt";

function packed(type: Packed["type"], shape: number[], array: ArrayLike<number> & ArrayBufferView): Packed {
  const raw = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  return { type, shape, base64: btoa(String.fromCharCode(...raw)) };
}

describe("numbers in base64", () => {
  it("are float32, or bfloat16, the upper half of one", () => {
    const values = Float32Array.of(1, -2.5, Infinity, 0.1);
    expect([...floats(packed("float32", [4], values))]).toEqual([...values]);
    const halves = Uint16Array.of(0x3f80, 0xc020, 0x7f80);
    expect([...floats(packed("bfloat16", [3], halves))]).toEqual([1, -2.5, Infinity]);
  });

  it("are bits, the first of a byte highest, the last byte not full", () => {
    const found = bits(packed("bits", [2, 5], Uint8Array.of(0b10110000, 0b01000000)));
    expect([...found]).toEqual([1, 0, 1, 1, 0, 0, 0, 0, 0, 1]);
  });
});

describe("cells", () => {
  it("have the edges of vitral.tracing.view", () => {
    expect(edges([0, 10], 4)).toEqual([0, 2, 5, 7, 10]);
    expect(edges([3, 5], 4)).toEqual([3, 4, 5]);
  });
});

describe("rebuilt weights", () => {
  const one = (values: number[], shape: number[]): Packed =>
    packed("float32", shape, Float32Array.from(values));
  const kept = {
    query: one([1, 2], [1, 2, 1]),
    key: one([3, 4], [1, 2, 1]),
    lse: one([Math.log(2), Infinity], [1, 2]),
    scaling: 0.5,
    softcap: null,
    uniform_when_blind: true,
    rule: null,
    bias: null,
  };

  function row(change: object, index: number): number[] {
    const carried = { tokens: [0, 1], rules: [], biases: [], layers: [{ ...kept, ...change }] };
    const into = new Float32Array(2);
    new Layers(carried as never).layer(0).row(0, index, 0, 2, into);
    return [...into];
  }

  it("are exp(q·k·scaling − lse)", () => {
    expect(row({}, 0)[0]).toBeCloseTo(Math.exp(1.5) / 2, 6);
    expect(row({ softcap: 2 }, 0)[1]).toBeCloseTo(Math.exp(2 * Math.tanh(1)) / 2, 6);
  });

  it("go from the tokens of one text to those of another", () => {
    const across = {
      tokens: [0, 1],
      keys: [0, 1, 2],
      rules: [],
      biases: [],
      layers: [
        { ...kept, key: one([3, 4, 5], [1, 3, 1]) },
        { pattern: one([0.1, 0.2, 0.7, 0.3, 0.3, 0.4], [1, 2, 3]) },
      ],
    };
    const layers = new Layers(across as never);
    const into = new Float32Array(2);
    layers.layer(0).row(0, 0, 1, 3, into);
    expect(into[1]).toBeCloseTo(Math.exp(2.5) / 2, 5);
    layers.layer(1).row(0, 1, 1, 3, into);
    expect([...into]).toEqual([0.3, 0.4].map(Math.fround));
  });

  it("are even, or none, where a query may look nowhere", () => {
    expect(row({}, 1)).toEqual([0.5, 0.5]);
    expect(row({ uniform_when_blind: false }, 1)).toEqual([0, 0]);
  });
});
