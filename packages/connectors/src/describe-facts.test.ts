import { describe, expect, it } from "vitest";
import type { CheckResult } from "./connector.ts";
import { describeFacts, withChanges } from "./describe-facts.ts";
import { connectors } from "./registry.ts";

const capabilities = { permissions: true, deletions: true, moves: true };

describe("what people are told of a kind of source", () => {
  it("differs with how it learns what changed, and with each thing that it can", () => {
    const models = ["delta", "delta-and-listing", "change-cursor", "fingerprint", "watermark", "conditional"] as const;
    const sentences = models.map((changeModel) => describeFacts({ changeModel, capabilities })[0]);
    expect(new Set(sentences).size).toBe(models.length);
    const all = describeFacts({ changeModel: "delta", capabilities });
    for (const [index, lacking] of (["permissions", "deletions", "moves"] as const).entries()) {
      const told = describeFacts({ changeModel: "delta", capabilities: { ...capabilities, [lacking]: false } });
      expect(told.map((sentence, at) => (sentence === all[at] ? -1 : at)).filter((at) => at >= 0)).toEqual([index + 1]);
    }
  });

  it("is in each check how what changed and what is gone is found, unless the kind says so itself", () => {
    const read = { capability: "read", status: "ok", message: "It can be listed." } as const;
    const permissions = { ...read, capability: "permissions" };
    const checked: CheckResult = { checks: [read, permissions], summary: "It can be read.", error: null };
    const facts = { changeModel: "fingerprint", capabilities, differsBy: "another time or size" } as const;
    const [first, told, last] = withChanges(facts, checked).checks;
    expect([first, last]).toEqual([read, permissions]);
    expect(told).toEqual({
      capability: "changes",
      status: "ok",
      message:
        "Each sync lists everything and reads what has another time or size. What is gone is found by the complete listing, and hidden here. What is only moved there is not fetched again.",
    });
    const keeps = withChanges({ ...facts, capabilities: { ...capabilities, deletions: false, moves: false } }, checked);
    expect(keeps.checks[1]?.message).toContain("size. What is deleted there stays here.");
    const own = { ...checked, checks: [read, { ...read, capability: "changes" }] };
    expect(withChanges(facts, own)).toBe(own);
    const report = { code: "SOURCE_UNREACHABLE", message: "It is gone.", action: "Look." } as const;
    const failed: CheckResult = { checks: [read], summary: null, error: report };
    expect(withChanges(facts, failed)).toBe(failed);
  });

  it.each(connectors)("is whole sentences for $kind", (connector) => {
    for (const sentence of describeFacts(connector)) expect(sentence).toMatch(/^\p{Lu}[^.]*\.$/u);
  });
});
