import { describe, expect, it } from "vitest";
import { describeResource } from "./model-resources.ts";

describe("describeResource", () => {
  it.each([
    ["base", "Base model"],
    ["adapter:*", "Every adapter"],
    ["assistant:*", "Every assistant"],
    ["adapter:support", "Adapter support"],
    ["assistant:help:desk", "Assistant help:desk"],
    ["unknown", "unknown"],
  ])("says what %s permits", (resource, words) => {
    expect(describeResource(resource)).toBe(words);
  });
});
