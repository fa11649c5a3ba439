import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { Comm, overComm, SLOW } from "../../src/notebook/comm";
import { StudioError } from "../../src/protocol/client";
import { block, HandModel } from "./model";

const never = new AbortController().signal;

describe("a question", () => {
  it("goes out with its name and values, and finds its answer", async () => {
    const model = new HandModel();
    const comm = new Comm(model);
    const asked = comm.found("arithmetic", { layer: 1 });
    const [sent] = model.sent;
    expect(sent).toEqual({ question: expect.any(String), ask: "arithmetic", values: { layer: 1 } });
    model.says({ answer: sent?.question, found: { weight: 0.5 } });
    expect(await asked).toEqual({ weight: 0.5 });
  });

  it("gets its own answer, in whatever order they come", async () => {
    const model = new HandModel();
    const comm = new Comm(model);
    const [one, two] = [comm.found("trace", {}), comm.found("studio", {})];
    model.says({ answer: model.sent[1]?.question, found: 2 });
    model.says({ answer: model.sent[0]?.question, found: 1 });
    expect(await Promise.all([one, two])).toEqual([1, 2]);
  });

  it("does not take the answer to another view of the same widget", async () => {
    const model = new HandModel();
    const [mine, other] = [new Comm(model), new Comm(model)];
    const answers = [mine.found("trace", {}), other.found("trace", {})];
    const [first, second] = model.sent.map((sent) => sent.question);
    expect(first).not.toBe(second);
    model.says({ answer: second, found: "other" });
    model.says({ answer: first, found: "mine" });
    model.says({ answer: "nobody's", found: "lost" });
    model.says({});
    expect(await Promise.all(answers)).toEqual(["mine", "other"]);
  });

  it("brings a block, wherever in its buffer it lies", async () => {
    const model = new HandModel();
    const asked = new Comm(model).block("view", {});
    const header = { dtype: "float32", shape: [1, 3], aggregated: false };
    const values = Float32Array.of(0.1, 0.2, 0.7);
    model.says({ answer: model.sent[0]?.question }, [block(header, values)]);
    const found = await asked;
    expect(found.header).toMatchObject(header);
    expect([...found.values]).toEqual([...values]);
  });

  it("fails as Python says, or where the block is missing", async () => {
    const model = new HandModel();
    const comm = new Comm(model);
    const refused = comm.block("view", {});
    const error = { code: "view_too_large", values: { limit: 65536 }, message: "…" };
    model.says({ answer: model.sent[0]?.question, error });
    const problem = await refused.catch((thrown: unknown) => thrown);
    expect(problem).toBeInstanceOf(StudioError);
    expect(problem).toMatchObject({ code: "view_too_large", values: { limit: 65536 } });
    const bare = comm.block("view", {});
    model.says({ answer: model.sent[1]?.question });
    await expect(bare).rejects.toMatchObject({ code: "unexpected" });
  });

  it("that nobody waits for any more is dropped", async () => {
    const model = new HandModel();
    const comm = new Comm(model);
    const stop = new AbortController();
    const asked = comm.found("trace", {}, stop.signal);
    stop.abort();
    await expect(asked).rejects.toMatchObject({ name: "AbortError" });
    model.says({ answer: model.sent[0]?.question, found: 1 }); // too late, and no harm done
    await expect(comm.found("trace", {}, stop.signal)).rejects.toMatchObject({ name: "AbortError" });
    expect(model.sent).toHaveLength(1);
  });

  it("ends with its view", async () => {
    const model = new HandModel();
    const comm = new Comm(model);
    const asked = comm.found("trace", {});
    comm.close();
    await expect(asked).rejects.toMatchObject({ name: "AbortError" });
    expect(model.listeners("msg:custom")).toBe(0);
  });
});

describe("Python that is late", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("is said to be, until all answers have come", async () => {
    const model = new HandModel();
    const said: boolean[] = [];
    const comm = new Comm(model, (late) => said.push(late));
    const asked = [comm.found("trace", {}), comm.found("studio", {})];
    vi.advanceTimersByTime(SLOW - 1);
    expect(said).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(said).toEqual([true]);
    model.says({ answer: model.sent[0]?.question, found: 1 });
    expect(said).toEqual([true]);
    model.says({ answer: model.sent[1]?.question, found: 2 });
    expect(said).toEqual([true, false]);
    await Promise.all(asked);
    vi.advanceTimersByTime(2 * SLOW);
    expect(said).toEqual([true, false]);
  });

  it("is waited for anew by the next question", () => {
    const model = new HandModel();
    const said: boolean[] = [];
    const comm = new Comm(model, (late) => said.push(late));
    void comm.found("trace", {});
    model.says({ answer: model.sent[0]?.question, found: 1 });
    void comm.found("trace", {}).catch(() => undefined);
    vi.advanceTimersByTime(SLOW);
    expect(said).toEqual([false, true]);
    comm.close();
  });
});

describe("the source", () => {
  it("asks by the names that Python knows", () => {
    const model = new HandModel();
    const all = ["lines", "map", "numbers", "components", "arithmetic"];
    const source = overComm(new Comm(model), all);
    const cell = { part: "", layer: 0, head: 1, query: 2, key: 3 };
    void source.getStudio();
    void source.postTrace({ model: "", text: "", answer: null }, "es", never);
    void source.getPooled("notebook", "", never);
    void source.getQueryKey?.("notebook", { part: "", layer: 0, head: 1, query: 2, keys: [0, 1] }, never);
    void source.getArithmetic?.("notebook", cell, never);
    expect(model.sent.map(({ ask }) => ask)).toEqual([
      "studio",
      "trace",
      "pooled",
      "query_key",
      "arithmetic",
    ]);
    expect(model.sent[4]?.values).toEqual(cell);
    expect(source).toMatchObject({ fixed: true, connection: null, views: all });
    expect(source.filePath("notebook")).toBeNull();
  });

  it("has no arithmetic where Python offers none", () => {
    const source = overComm(new Comm(new HandModel()), ["lines", "map", "numbers"]);
    expect(source.getArithmetic).toBeNull();
    expect(source.getQueryKey).toBeNull();
  });
});
