import { expect, it } from "vitest";
import { directoryErrorFor } from "./source-figures.ts";

it("names a group or a document whose people could not be read to those alone who run sources", () => {
  const error = {
    code: "SOURCE_UNREACHABLE" as const,
    message: 'Who may read "Closing the plant.docx" cannot be read.',
    action: "Sync again later.",
    details: { ref: "Closing the plant.docx" },
  };
  for (const role of ["admin", "data_scientist", "operator"] as const) {
    expect(directoryErrorFor({ role }, error)).toEqual(error);
  }
  const told = directoryErrorFor({ role: "member" }, error);
  expect(told?.code).toBe("SOURCE_UNREACHABLE");
  expect(JSON.stringify(told)).not.toContain("plant");
  expect(directoryErrorFor({ role: "member" }, null)).toBeNull();
});
