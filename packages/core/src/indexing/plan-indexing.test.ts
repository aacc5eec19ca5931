import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nobody, workspaceMembers } from "../access/acl.ts";
import { chunkDocument } from "./chunk-document.ts";
import { type DocumentPlace, identifyChunks, type IndexedChunk, planIndexing, wordIndexed } from "./plan-indexing.ts";

const place: DocumentPlace = {
  documentId: "doc-1",
  uri: "file:///a.md",
  title: "A",
  acl: { allow: [workspaceMembers("w")], deny: [] },
};
const chunksOf = (...sections: string[]) =>
  chunkDocument({
    title: "A",
    elements: sections.flatMap((text, index) => [
      { kind: "paragraph" as const, text, section: [`S${index % 3}`, `${text}`] },
    ]),
  });
const identify = (sections: string[], overrides: Partial<DocumentPlace> = {}) =>
  identifyChunks(chunksOf(...sections), { ...place, ...overrides });
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe("planIndexing", () => {
  it("touches nothing when nothing changed", () => {
    const chunks = identify(["one.", "two.", "one."]);
    const plan = planIndexing(chunks, chunks);
    expect(plan).toEqual({ upsert: [], setPayload: [], setAcl: [], delete: [], unchanged: 3 });
  });

  it("gives equal passages of one document different, valid UUIDs", () => {
    const ids = identify(["same.", "x.", "y.", "same."]).map((chunk) => chunk.pointId);
    expect(new Set(ids).size).toBe(4);
    for (const id of ids) expect(id).toMatch(uuid);
    expect(identify(["same."], { documentId: "doc-2" })[0]?.pointId).not.toBe(identify(["same."])[0]?.pointId);
  });

  it("embeds only the new passage when one is inserted above the others, and moves the rest", () => {
    const before = identify(["alpha text.", "beta text."]);
    const elements = (texts: string[]) => texts.map((text) => ({ kind: "paragraph" as const, text, section: [text] }));
    const held = identifyChunks(
      chunkDocument({ title: "A", elements: elements(["alpha text.", "beta text."]) }),
      place,
    );
    const next = identifyChunks(
      chunkDocument({ title: "A", elements: elements(["new text.", "alpha text.", "beta text."]) }),
      place,
    );
    const plan = planIndexing(held, next);
    expect(before).toHaveLength(2);
    expect(plan.upsert.map(({ chunk }) => chunk.text)).toEqual(["new text."]);
    expect(plan.setPayload.map(({ chunk }) => chunk.text)).toEqual(["alpha text.", "beta text."]);
    expect(plan.delete).toEqual([]);
  });

  it("embeds nothing anew when only the place on the page became known, and leaves alone what has none", () => {
    const box = { left: 0.1, top: 0.2, width: 0.8, height: 0.1 };
    const cut = (known: boolean) => {
      const elements = [
        { kind: "paragraph" as const, text: "alpha text.", section: ["A"], page: 1, ...(known ? { box } : {}) },
        { kind: "paragraph" as const, text: "beta text.", section: ["B"] },
      ];
      return identifyChunks(chunkDocument({ title: null, elements }), place);
    };
    const { upsert, setPayload, unchanged } = planIndexing(cut(false), cut(true));
    expect([upsert, setPayload.map(({ chunk }) => chunk.text), unchanged]).toEqual([[], ["alpha text."], 1]);
  });

  it("rewrites only the audience when only the ACL changed", () => {
    const plan = planIndexing(identify(["one.", "two."]), identify(["one.", "two."], { acl: nobody }));
    expect([plan.upsert, plan.setPayload, plan.delete].flat()).toEqual([]);
    expect(plan.setAcl).toHaveLength(2);
  });

  it("deletes every point of a document that is gone", () => {
    const held = identify(["one.", "two."]);
    expect(planIndexing(held, []).delete).toEqual(held.map((chunk) => chunk.pointId));
  });

  it("leaves exactly the wanted points behind, whatever was there", () => {
    const texts = fc.array(fc.constantFrom("a.", "b.", "c.", "d."), { maxLength: 6 });
    fc.assert(
      fc.property(texts, texts, (old, now) => {
        const held = identify(old);
        const next = identify(now);
        const plan = planIndexing(held, next);
        const store = new Map<string, IndexedChunk>(held.map((chunk) => [chunk.pointId, chunk]));
        for (const id of plan.delete) store.delete(id);
        for (const chunk of [...plan.upsert, ...plan.setPayload, ...plan.setAcl]) store.set(chunk.pointId, chunk);
        expect([...store.keys()].sort()).toEqual(next.map((chunk) => chunk.pointId).sort());
        expect(planIndexing([...store.values()], next).unchanged).toBe(next.length);
      }),
    );
  });
});

it("says in a sentence how many passages an index run has written or removed", () => {
  expect([0, 1, 1234].map(wordIndexed)).toEqual([
    "Nothing changed.",
    "1 passage written or removed.",
    "1,234 passages written or removed.",
  ]);
});
