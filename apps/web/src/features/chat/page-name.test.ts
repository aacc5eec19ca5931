import { describe, expect, it } from "vitest";
import { pageName } from "./page-name.ts";

describe("pageName", () => {
  const boxAt = (top: number) => ({ left: 0.1, top, width: 0.8, height: 0.1 });

  it.each([
    [0.05, "page 3, near the top"],
    [0.45, "page 3, in the middle"],
    [0.85, "page 3, near the bottom"],
  ])("says about where on its page something stands that begins at %s of its height", (top, shown) => {
    expect(pageName(3, boxAt(top))).toBe(shown);
  });

  it("says the page alone where no more is known, and nothing where there are no pages", () => {
    expect(pageName(3, undefined)).toBe("page 3");
    expect(pageName(null, undefined)).toBeNull();
  });
});
