import { describe, expect, it } from "vitest";
import { describeFacts } from "./describe-facts.ts";
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

  it.each(connectors)("is whole sentences for $kind", (connector) => {
    for (const sentence of describeFacts(connector)) expect(sentence).toMatch(/^\p{Lu}[^.]*\.$/u);
  });
});
