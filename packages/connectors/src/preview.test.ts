import { expect, it } from "vitest";
import { addToPreview, describePreview, type Preview } from "./preview.ts";

function previewOf(count: number, complete = true): Preview {
  const preview: Preview = { count: 0, complete, samples: [] };
  for (let index = 1; index <= count; index += 1) addToPreview(preview, `${index}.md`);
  return preview;
}

it.each([
  [previewOf(0), "no file to read"],
  [previewOf(1), "1 file: 1.md"],
  [previewOf(3), "3 files: 1.md, 2.md and 3.md"],
  [previewOf(1200), "1,200 files, such as 1.md, 2.md and 3.md"],
  [previewOf(1000, false), "at least 1,000 files, such as 1.md, 2.md and 3.md"],
  [previewOf(0, false), "no file to read as far as was looked"],
])("counts and names a few", (preview, sentence) => {
  expect(describePreview(preview, "file")).toBe(sentence);
});
