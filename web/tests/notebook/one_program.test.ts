import { describe, expect, it } from "vitest";

import { withinShadow } from "../../one_program.ts";

describe("a page's style sheet in a widget", () => {
  it("speaks of the host where it spoke of the page", () => {
    expect(withinShadow(":root{--a:1px}")).toBe(":host{--a:1px}");
    expect(withinShadow(':root[data-theme="dark"]{a:b}')).toBe(':host([data-theme="dark"]){a:b}');
  });

  it("has pixels for rems, since the root is another's", () => {
    expect(withinShadow("a{margin:1rem -.5rem 0.25rem}")).toBe("a{margin:14px -7px 3.5px}");
    expect(withinShadow(".prem1rem{}")).toBe(".prem1rem{}");
  });

  it("asks for the widget's width, and leaves what it asks of the reader", () => {
    expect(withinShadow("@media (max-width:40rem){a{}}")).toBe(
      "@container vitral (max-width:560px){a{}}",
    );
    expect(withinShadow("@media(width<=52rem){a{}}")).toBe("@container vitral (width<=728px){a{}}");
    const motion = "@media (prefers-reduced-motion:reduce){a{}}";
    expect(withinShadow(motion)).toBe(motion);
  });
});
