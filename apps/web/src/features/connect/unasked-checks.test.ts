import { describe, expect, it } from "vitest";
import { hasCredentials, judgeUnasked, maxRefusedSignIns, nothingTried, rememberRefusal } from "./unasked-checks.ts";

describe("checks that nobody asked for", () => {
  it("do not try again what was refused, also after something else was", () => {
    const once = rememberRefusal(nothingTried, "a");
    expect(judgeUnasked(once, "a")).toBe("refused");
    expect(judgeUnasked(once, "b")).toBe("may");
    expect(judgeUnasked(rememberRefusal(once, "b"), "a")).toBe("refused");
  });

  it("end before they could lock an account", () => {
    let memory = nothingTried;
    for (let tried = 0; tried < maxRefusedSignIns; tried += 1) {
      expect(judgeUnasked(memory, "new")).toBe("may");
      memory = rememberRefusal(memory, `wrong ${tried}`);
    }
    expect(judgeUnasked(memory, "new")).toBe("spent");
  });

  it("wait for the credentials that a kind needs, or usually has", () => {
    const needed = { properties: { token: {} }, required: ["token"] };
    expect(hasCredentials(needed, {})).toBe(false);
    expect(hasCredentials(needed, { token: "" })).toBe(false);
    expect(hasCredentials(needed, { token: "t" })).toBe(true);
    const oneOf = { properties: { password: {}, privateKey: { examples: ["…"] } } };
    expect(hasCredentials(oneOf, {})).toBe(false);
    expect(hasCredentials(oneOf, { password: "p" })).toBe(true);
    expect(hasCredentials({ properties: { storageState: {} } }, {})).toBe(true);
    expect(hasCredentials({}, {})).toBe(true);
  });
});
