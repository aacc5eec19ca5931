import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { canonicalEvent, genesisHash } from "./audit/chain.ts";
import { canonicalJson } from "./canonical-json.ts";
import { datasetDigest, type DatasetExample } from "./dataset/dataset-digest.ts";

describe("canonicalJson", () => {
  it("has one text for equal values, sorted at every level, numeric keys as text", () => {
    const text = '{"10":1,"9":[{"a":null,"b":"é"}]}';
    expect(canonicalJson({ 9: [{ b: "é", a: null }], 10: 1, left: undefined })).toBe(text);
    expect(canonicalJson(JSON.parse(text))).toBe(text);
  });

  // What is stored was named and chained by these bytes: another rendering would disown all of it.
  it("gives a dataset the name that it always had", () => {
    const source = { charStart: 0, charEnd: 5, quote: "Ärger", section: ["A", "B"], page: null, container: null };
    const example: DatasetExample = {
      messages: [
        { role: "user", content: 'Wie heißt "Ä"?\n' },
        { role: "assistant", content: "Ärger\u2028 😀" },
      ],
      metadata: { id: "e1", kind: "grounded", pairId: "p1", documentIds: ["d2", "d1"], chunkIds: [], source },
      split: "train",
    };
    expect(datasetDigest([example])).toBe("8ce0798b3c340c4135a92364912699e3a527058face71782dca0fdd5318e0ccd");
  });

  it("gives an audit event the hash that it always had", () => {
    const event = {
      at: "2026-01-02T03:04:05.006Z",
      workspaceId: "w",
      actor: "ada@example.com",
      action: "key.create",
      subject: 'key:1 "ü"',
      details: { z: [1, { b: null, a: "x" }], a: { nested: true, left: undefined } },
      allowed: true,
      prevHash: genesisHash,
    };
    expect(createHash("sha256").update(canonicalEvent(event)).digest("hex")).toBe(
      "7e953f098358d1b8f95741bf1168d95ab5ace72636b05fa5e715b44f056363ae",
    );
  });
});
