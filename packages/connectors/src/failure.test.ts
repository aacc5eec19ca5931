import { expect, it } from "vitest";
import { tooLarge } from "./failure.ts";

it.each([
  [5000, 1000, "is 4.9 KiB large; the limit is 1,000 bytes."],
  [150 * 1024 ** 2, 100 * 1024 ** 2, "is 150 MiB large; the limit is 100 MiB."],
  [2.5 * 1024 ** 3, 100 * 1024 ** 2, "is 2.5 GiB large; the limit is 100 MiB."],
  [1024 ** 2 + 1, 1024 ** 2, "is 1,048,577 bytes large; the limit is 1,048,576 bytes."],
  [null, 1024 ** 2, "is larger than allowed; the limit is 1 MiB."],
])("tells a size of %s bytes and a limit of %i so that they can be compared", (sizeBytes, limitBytes, sentence) => {
  expect(tooLarge("a.pdf", sizeBytes, limitBytes).message).toBe(`"a.pdf" ${sentence}`);
});
