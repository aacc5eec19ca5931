import { expect, it } from "vitest";
import { withheldSentence } from "./withheld-sentence.ts";

it("names the version, how many documents, who cannot use it, and what to do", () => {
  const withheld = { name: "support", version: 2, documents: 11, people: ["a@x.org", "b@x.org", "c@x.org", "d@x.org"] };
  expect(withheldSentence(withheld)).toBe(
    "support v2 learned from 11 documents that not everyone may read now. a@x.org, b@x.org, c@x.org and 1 other have the permission for it and cannot use it; train again to leave those documents out.",
  );
  expect(withheldSentence({ ...withheld, documents: 1, people: ["a@x.org"] })).toContain("a@x.org has the permission");
});
