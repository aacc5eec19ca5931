import { describe, expect, it } from "vitest";
import { requireKind } from "./source-kinds.ts";

const kinds = [
  ["file", "Folder"],
  ["smb", "Windows share"],
  ["gcs", "Google Cloud Storage"],
  ["gdrive", "Google Drive"],
].map(([kind, title]) => ({
  kind: kind!,
  title: title!,
  description: "",
  facts: [],
  config: {},
  secrets: {},
  addressFields: [],
  signIn: null,
}));
const all = "Use one of: file, smb, gcs, gdrive.";

describe("a kind of source that is asked for", () => {
  it("is found by its name", () => {
    expect(requireKind(kinds, "smb")).toBe(kinds[1]);
  });

  it.each([
    ["folder", `Did you mean file (Folder)? ${all}`],
    ["windows-share", `Did you mean smb (Windows share)? ${all}`],
    ["Google", `Did you mean gcs (Google Cloud Storage) or gdrive (Google Drive)? ${all}`],
    ["SMB", `Did you mean smb (Windows share)? ${all}`],
    ["printer", all],
    ["", all],
  ])("“%s” is none, and what it may mean is named", (wanted, action) => {
    expect(() => requireKind(kinds, wanted)).toThrow(
      expect.objectContaining({ code: "NOT_FOUND", message: `There is no source of kind “${wanted}”.`, action }),
    );
  });
});
