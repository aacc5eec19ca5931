import { describe, expect, it } from "vitest";
import {
  addressOf,
  hasCredentials,
  judgeUnasked,
  maxUnprovenSignIns,
  nothingTried,
  rememberAddress,
  rememberAnswer,
  rememberSignIn,
  type CheckMemory,
} from "./unasked-checks.ts";

const signIn = (memory: CheckMemory, entered: string, error: Parameters<typeof rememberAnswer>[2]) =>
  rememberAnswer(rememberSignIn(memory), entered, error);
const judge = (memory: CheckMemory, entered: string, address: string | null = null) =>
  judgeUnasked(memory, { entered, address });

describe("checks that nobody asked for", () => {
  it("do not try again what was refused, also after something else was", () => {
    const once = signIn(nothingTried, "a", "SOURCE_CREDENTIALS");
    expect(judge(once, "a")).toBe("refused");
    expect(judge(once, "b")).toBe("may");
    expect(judge(signIn(once, "b", "SOURCE_CREDENTIALS"), "a")).toBe("refused");
  });

  it("end before they could lock an account", () => {
    let memory = nothingTried;
    for (let tried = 0; tried < maxUnprovenSignIns; tried += 1) {
      expect(judge(memory, "new")).toBe("may");
      memory = signIn(memory, `wrong ${tried}`, "SOURCE_CREDENTIALS");
    }
    expect(judge(memory, "new")).toBe("spent");
  });

  it("count what was cut short, or had no answer, as if it had been refused", () => {
    const cutShort = rememberSignIn(rememberSignIn(nothingTried));
    expect(judge(cutShort, "new")).toBe("may");
    expect(judge(rememberSignIn(cutShort), "new")).toBe("spent");
    expect(judge(signIn(cutShort, "c", "OFFLINE"), "new")).toBe("spent");
    expect(judge(signIn(cutShort, "c", "SOURCE_CREDENTIALS"), "new")).toBe("spent");
  });

  it("do not count what was taken, or failed for another reason than the credentials", () => {
    let memory = nothingTried;
    for (const error of [null, "SOURCE_NOT_FOUND", "SOURCE_UNREACHABLE", null, "INTERNAL"] as const)
      memory = signIn(memory, "a", error);
    expect(memory).toEqual(nothingTried);
    // What was counted before stays.
    expect(judge(signIn(rememberSignIn(rememberSignIn(memory)), "a", null), "a")).toBe("may");
    expect(rememberAnswer(rememberSignIn(rememberSignIn(memory)), "a", null).unproven).toBe(1);
  });

  it("send typed credentials to no other address than they were typed for or the button has sent them to", () => {
    const typed = rememberAddress(nothingTried, "files.example.com");
    expect(judge(typed, "x", "files.example.com")).toBe("may");
    expect(judge(typed, "x", "files.example.co")).toBe("moved");
    // None were typed: what is stored goes nowhere else anyway.
    expect(judge(typed, "x", null)).toBe("may");
    const pressed = rememberAddress(typed, "files.example.co");
    expect(judge(pressed, "x", "files.example.co")).toBe("may");
    expect(judge(pressed, "x", "files.example.com")).toBe("moved");
  });

  it("know an address by its settings, whatever else changes", () => {
    const fields = ["host", "port"];
    const address = addressOf(fields, { host: "a", path: "/x" });
    expect(addressOf(fields, { host: "a", port: undefined, path: "/y" })).toBe(address);
    expect(addressOf(fields, { host: "a", port: "" })).toBe(address);
    expect(addressOf(fields, { host: "a", port: 22 })).not.toBe(address);
    expect(addressOf(fields, { host: "", port: "a" })).not.toBe(address);
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
