import { expect, it } from "vitest";
import { sectionLabel } from "./passage.ts";

it("names a section once: a title that the document says again as its first heading is left out", () => {
  expect(sectionLabel("Warranty", ["Warranty", "Pumps", "Drip 3"])).toBe("Pumps > Drip 3");
  expect(sectionLabel("Warranty", ["Pumps", "Warranty"])).toBe("Pumps > Warranty");
  expect(sectionLabel("Warranty", ["Warranty"])).toBeNull();
  expect(sectionLabel("Warranty", [])).toBeNull();
});
