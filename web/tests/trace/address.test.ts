import { describe, expect, it } from "vitest";

import { readPlace, writePlace, type Place } from "../../src/trace/address";
import { PLAIN } from "../../src/trace/reading";

const place: Place = {
  model: "vitral-es-bert",
  text: "El perro que persiguió al gato cruzó la calle. ¿100 % & más?\nSí + no",
  answer: "La niña lee: ¿sí?",
  trace: null,
  part: "",
  layer: 5,
  head: 2,
  token: 3,
  key: 4,
  view: "map",
  graph: "flow",
  beside: "El banco & el río",
  blank: true,
  reading: { resting: false, words: true, heads: [1, 3], overlay: true },
  scale: "course",
  lifted: true,
  language: "es",
  theme: "dark",
};

describe("the page's address", () => {
  it("gives the same place back", () => {
    expect(readPlace(writePlace(place))).toEqual(place);
  });

  it("gives back a place where little is said", () => {
    const bare: Place = {
      model: null,
      text: null,
      answer: null,
      trace: null,
      part: null,
      layer: null,
      head: null,
      token: null,
      key: null,
      view: "lines",
      graph: null,
      beside: null,
      blank: false,
      reading: PLAIN,
      scale: "glass",
      lifted: false,
      language: null,
      theme: null,
    };
    expect(readPlace(writePlace(bare))).toEqual(bare);
    expect(readPlace("")).toEqual(bare);
  });

  it("names a trace in place of a long text", () => {
    const kept = { ...place, text: null, trace: "0123456789abcdef0123456789abcdef" };
    expect(readPlace(writePlace(kept))).toEqual(kept);
    expect(writePlace({ ...kept, text: "corto" })).not.toContain("trace=");
    expect(readPlace("?trace=../../etc").trace).toBeNull();
  });

  it("names layers as everything else does", () => {
    expect(writePlace(place)).toContain("at=layers.5.attention.pattern&head=2&token=3");
  });

  it.each([
    ["", "layers.3.attention.pattern"],
    ["encoder", "encoder.layers.3.attention.pattern"],
    ["decoder", "decoder.layers.3.attention.pattern"],
    ["cross", "decoder.layers.3.cross_attention.pattern"],
  ])("names the part %j", (part, address) => {
    const search = writePlace({ ...place, part, layer: 3 });
    expect(new URLSearchParams(search).get("at")).toBe(address);
    expect(readPlace(search)).toMatchObject({ part, layer: 3 });
  });

  it("names a file's trace by its id, and nothing else", () => {
    const id = "0123456789abcdef".repeat(2);
    expect(readPlace(writePlace({ ...place, text: null, trace: id })).trace).toBe(id);
    expect(readPlace("?trace=../../etc").trace).toBeNull();
  });

  it("keeps the choice of no source token", () => {
    expect(readPlace(writePlace({ ...place, token: "none" })).token).toBe("none");
  });

  it.each([
    "?at=layers.x.attention.pattern&head=-1&token=1.5",
    "?at=encoder&head=&token=99999999999999&view=Film!&scale=rainbow&lang=fr&theme=pink",
    "?at=layers.5.attention.pattern.q",
  ])("takes nonsense for nothing said: %s", (search) => {
    expect(readPlace(search)).toMatchObject({
      layer: null,
      head: null,
      token: null,
      view: "lines",
      graph: null,
      beside: null,
      blank: false,
      scale: "glass",
      language: null,
      theme: null,
    });
  });
});
