import { expect, it } from "vitest";
import { chooseDocuments } from "./choose-documents.ts";

const documents = [
  { id: "a", sourceId: "wiki", duplicateOf: null },
  { id: "b", sourceId: "mail", duplicateOf: "a" },
  { id: "c", sourceId: "mail", duplicateOf: "a" },
  { id: "d", sourceId: "files", duplicateOf: "a" },
  { id: "e", sourceId: "mail", duplicateOf: null },
];
const chosen = (sourceIds: string[] | null) => chooseDocuments(documents, sourceIds).map(({ id }) => id);

it("leaves a copy out of a dataset that has its original", () => {
  expect(chosen(null)).toEqual(["a", "e"]);
  expect(chosen(["wiki", "mail"])).toEqual(["a", "e"]);
});

it("keeps the first copy, once, where the original is of another source", () => {
  expect(chosen(["mail"])).toEqual(["b", "e"]);
  expect(chosen(["mail", "files"])).toEqual(["b", "e"]);
  expect(chosen(["files"])).toEqual(["d"]);
});
