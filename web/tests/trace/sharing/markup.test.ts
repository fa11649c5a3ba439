import { describe, expect, it } from "vitest";

import { element, escaped } from "../../../src/trace/sharing/markup";

describe("markup", () => {
  it("keeps what a text says from being markup", () => {
    expect(escaped(`<b> & "x"`)).toBe("&lt;b&gt; &amp; &quot;x&quot;");
    expect(element("text", { fill: '"red" onload="x' }, escaped("</text>"))).toBe(
      '<text fill="&quot;red&quot; onload=&quot;x">&lt;/text&gt;</text>',
    );
  });

  it("leaves out what XML cannot hold, and keeps every letter", () => {
    expect(escaped("a\u0000b\u000bñ😀\ud800")).toBe("abñ😀");
  });

  it("writes numbers to a hundredth", () => {
    expect(element("rect", { x: 1 / 3, y: 2 })).toBe('<rect x="0.33" y="2"/>');
  });
});
