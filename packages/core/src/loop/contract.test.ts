import { describe, expect, it } from "vitest";
import { stages, stagesOf } from "./contract.ts";
import { loopSettingsSchema } from "./settings.ts";

describe("the stages of a run", () => {
  it("are all of them, also where an earlier release did not say what the run is for", () => {
    expect(stagesOf({})).toEqual(stages);
    expect(stagesOf(loopSettingsSchema.parse({}))).toEqual(stages);
    expect(stagesOf({}, "train")).toEqual(["train", "register", "deploy", "index"]);
  });

  it("are only those that make documents findable, where that is what it is for", () => {
    const search = loopSettingsSchema.parse({ purpose: "search" });
    expect(stagesOf(search)).toEqual(["connect", "clean", "dedupe", "index"]);
    expect(stagesOf(search, "clean")).toEqual(["clean", "dedupe", "index"]);
    expect(stagesOf(search, "index")).toEqual(["index"]);
  });
});
