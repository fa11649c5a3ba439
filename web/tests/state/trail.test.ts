import { beforeEach, describe, expect, it } from "vitest";

import { ONE_STEP, Trail } from "../../src/state/trail";

let steps: string[];
let moment: number;

function trail(): Trail {
  return new Trail(
    {
      pushState: (_state, _title, address) => void steps.push(String(address)),
      replaceState: (_state, _title, address) =>
        void steps.splice(Math.max(0, steps.length - 1), 1, String(address)),
    },
    () => moment,
  );
}

beforeEach(() => {
  steps = ["begin"];
  moment = 0;
});

describe("Trail", () => {
  it("begins in place", () => {
    trail().record("a", null);
    expect(steps).toEqual(["a"]);
  });

  it("makes a quick run of one kind one step", () => {
    const way = trail();
    for (const address of ["head 1", "head 2", "head 3"]) {
      way.record(address, "head");
      moment += ONE_STEP / 2;
    }
    expect(steps).toEqual(["begin", "head 3"]);
  });

  it("makes other kinds, and slow choices, steps of their own", () => {
    const way = trail();
    way.record("head 1", "head");
    way.record("token 1", "token");
    moment += ONE_STEP * 2;
    way.record("token 2", "token");
    expect(steps).toEqual(["begin", "head 1", "token 1", "token 2"]);
  });

  it("begins a new step after going back", () => {
    const way = trail();
    way.record("head 1", "head");
    way.leave();
    way.record("head 2", "head");
    expect(steps).toEqual(["begin", "head 1", "head 2"]);
  });
});
