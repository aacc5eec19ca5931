import { expect, it } from "vitest";
import { describeBytes, describeExactBytes } from "./describe-bytes.ts";

it.each([
  [0, "0 bytes", "0 B"],
  [1023, "1,023 bytes", "1,023 B"],
  [1024, "1 KiB", "1.0 KiB"],
  [1536, "1.5 KiB", "1.5 KiB"],
  [-1536, "-1.5 KiB", "-1.5 KiB"],
  [99.9 * 1024 ** 2, "99.9 MiB", "99.9 MiB"],
  [100.4 * 1024 ** 2, "100 MiB", "100 MiB"],
  [2 * 1024 ** 3, "2 GiB", "2.0 GiB"],
  [5 * 1024 ** 4, "5 TiB", "5.0 TiB"],
  [3000 * 1024 ** 5, "3,000 PiB", "3,000 PiB"],
])("tells %d bytes in a sentence as %s and in a column as %s", (sizeBytes, sentence, column) => {
  expect(describeBytes(sizeBytes)).toBe(sentence);
  expect(describeBytes(sizeBytes, "column")).toBe(column);
});

it("tells each byte where that is asked for", () => {
  expect(describeExactBytes(1024 ** 2 + 1)).toBe("1,048,577 bytes");
});
