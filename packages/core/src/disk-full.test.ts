import { expect, it } from "vitest";
import { isDiskFull } from "./disk-full.ts";

it.each([
  ["a file system without room", Object.assign(new Error("write"), { code: "ENOSPC" }), true],
  ["a quota that is used up", Object.assign(new Error("write"), { code: "EDQUOT" }), true],
  [
    "PostgreSQL, wrapped by its client",
    new Error("Failed query", { cause: Object.assign(new Error("could not extend file"), { code: "53100" }) }),
    true,
  ],
  ["a missing file", Object.assign(new Error("open"), { code: "ENOENT" }), false],
  ["nothing of the kind", "ENOSPC", false],
])("recognises a full disk behind an error: %s", (_, error, full) => {
  expect(isDiskFull(error)).toBe(full);
});
