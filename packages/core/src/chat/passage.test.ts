import { describe, expect, it } from "vitest";
import { workspaceMembers } from "../access/acl.ts";
import { chunkDocument } from "../indexing/chunk-document.ts";
import { chunkPayload, chunkPayloadSchema } from "../indexing/payload.ts";
import { identifyChunks } from "../indexing/plan-indexing.ts";
import { citePassage, passageFromPayload, sectionLabel } from "./passage.ts";

it("names a section once: a title that the document says again as its first heading is left out", () => {
  expect(sectionLabel("Warranty", ["Warranty", "Pumps", "Drip 3"])).toBe("Pumps > Drip 3");
  expect(sectionLabel("Warranty", ["Pumps", "Warranty"])).toBe("Pumps > Warranty");
  expect(sectionLabel("Warranty", ["Warranty"])).toBeNull();
  expect(sectionLabel("Warranty", [])).toBeNull();
});

describe("citePassage", () => {
  const box = { left: 0.1, top: 0.2, width: 0.8, height: 0.1 };
  const document = {
    documentId: "d",
    uri: "file:///a.pdf",
    title: "A",
    acl: { allow: [workspaceMembers("w")], deny: [] },
  };
  const place = { ...document, workspaceId: "w", sourceId: "s", language: "en", hiddenIn: [] };
  const elements = [
    { kind: "paragraph" as const, text: "One.", section: [], page: 4 },
    { kind: "paragraph" as const, text: "Two.", section: [], page: 5, box },
  ];
  const [chunk] = identifyChunks(chunkDocument({ title: "A", elements }), document);
  const payload = chunkPayload(chunk!, place);
  const cite = (stored: unknown, quote: string) => {
    const passage = passageFromPayload("c", chunkPayloadSchema.parse(stored), null);
    const start = passage.text.indexOf(quote);
    return citePassage(passage, { start, end: start + quote.length }, 1);
  };

  it("carries the page of the quote, and its place on it where that is known", () => {
    expect(cite(payload, "Two.")).toMatchObject({ page: 5, box });
    expect(cite(payload, "One.")).toMatchObject({ page: 4 });
    expect(cite(payload, "One.")).not.toHaveProperty("box");
  });

  it("reads passages that were stored without places on the page", () => {
    const places = payload.places.map(({ box: _, ...old }) => old);
    const old = cite({ ...payload, places }, "Two.");
    expect(old).toMatchObject({ page: 5, quote: "Two." });
    expect(old).not.toHaveProperty("box");
  });
});
