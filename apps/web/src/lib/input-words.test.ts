import { afterAll, beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { sentenceOf, wordInputForPeople } from "./input-words.ts";

beforeAll(wordInputForPeople);
afterAll(() => z.config({ customError: undefined }));

const schema = z.object({
  maxPages: z.number().int().min(1).max(10),
  name: z.string().min(1).max(3),
  share: z.number().lt(1),
  kind: z.enum(["a", "b"]),
  runId: z.uuid(),
  tags: z.array(z.string()).min(2),
  alias: z.string().regex(/^x/, "Begin it with an x."),
});
const good = { maxPages: 1, name: "n", share: 0, kind: "a", runId: crypto.randomUUID(), tags: ["a", "b"], alias: "x" };

it.each([
  [{ maxPages: 0 }, "maxPages must be at least 1."],
  [{ maxPages: 11 }, "maxPages must be at most 10."],
  [{ maxPages: Number.NaN }, "maxPages must be a number."],
  [{ maxPages: 1.5 }, "maxPages must be a whole number."],
  [{ maxPages: undefined }, "maxPages is missing."],
  [{ name: "" }, "name must not be empty."],
  [{ name: "four" }, "name must have at most 3 characters."],
  [{ share: 1 }, "share must be less than 1."],
  [{ kind: "c" }, "kind must be one of a, b."],
  [{ runId: "xyz" }, "runId must be an id (a UUID)."],
  [{ tags: ["a"] }, "tags must have at least 2 entries."],
  [{ tags: ["a", 2] }, "tags.1 must be a text."],
  [{ alias: "y" }, "alias: Begin it with an x."],
])("says of %j in words of people what is wrong", (change, words) => {
  const { error } = schema.safeParse({ ...good, ...change });
  expect(error?.issues.map((issue) => sentenceOf(issue))).toEqual([words]);
});

it("says it without a name where the field stands beside it", () => {
  const { error } = schema.safeParse({ ...good, maxPages: 0 });
  expect(sentenceOf(error!.issues[0]!, "")).toBe("Must be at least 1.");
});
