import { describe, expect, it } from "vitest";

import { addressOf, tell } from "../../src/notebook/traits";
import { readPlace } from "../../src/trace/address";
import { HandModel } from "./model";

const traits = {
  layer: 2,
  head: 3,
  token: 4,
  key: null,
  view: "map",
  scale: "course",
  lifted: true,
};

describe("traits", () => {
  it("are an address that the room reads", () => {
    const place = readPlace(addressOf(new HandModel({ ...traits }), ""));
    expect(place).toMatchObject({ ...traits, model: null, text: null });
  });

  it("without a token are one that chooses none, not one that says nothing", () => {
    const model = new HandModel({ ...traits, token: null });
    expect(readPlace(addressOf(model, "")).token).toBe("none");
  });

  it("leave what they do not name as it was", () => {
    const place = readPlace(addressOf(new HandModel({ ...traits }), "?theme=dark&lang=es&text=no"));
    expect(place).toMatchObject({ theme: "dark", language: "es", text: null });
  });

  it("come back from an address: only those that changed, all at once", () => {
    const model = new HandModel({ ...traits });
    const address = "?at=layers.1.attention.pattern&head=0&token=none&view=map&scale=course&lifted=1";
    tell(model, address);
    expect(model.saved).toEqual([{ layer: 1, head: 0, token: null }]);
    expect(model.get("view")).toBe("map");
  });

  it("are let be where nothing changed, or there is no trace yet", () => {
    const model = new HandModel({ ...traits });
    tell(model, addressOf(model, ""));
    tell(model, "?view=numbers");
    expect(model.saved).toEqual([]);
  });
});
