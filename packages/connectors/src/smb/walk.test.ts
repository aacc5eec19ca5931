import { AnnealError } from "@anneal/core/errors";
import { expect, it } from "vitest";
import type { SmbConfig } from "./config.ts";
import type { SmbSession } from "./smb-session.ts";
import { walkShare } from "./walk.ts";

/** Folders by their numbers, with the numbers of what is in them; files have none. */
const tree: Record<string, Record<string, string>> = {
  "1": { "a.md": "", docs: "2" },
  "2": { "b.md": "", top: "1", here: "2", deeper: "3" },
  "3": { "c.md": "", up: "2" },
};

/** A share of a server that goes round in circles, and does not say where it goes. */
function circling(): SmbSession {
  const handles: string[] = [];
  const unread = new Set<number>();
  const answers: Record<string, (asked: Record<string, unknown>) => unknown> = {
    list({ path }) {
      const parts = String(path)
        .split("\\")
        .filter((part) => part !== "");
      const id = parts.reduce((folder, part) => tree[folder]![part]!, "1");
      unread.add(handles.push(id) - 1);
      return { handle: handles.length - 1 };
    },
    page({ handle }) {
      if (!unread.delete(Number(handle))) return { entries: null };
      const entries = Object.entries(tree[handles[Number(handle)]!]!).map(([name, id]) => ({
        name,
        malformed: false,
        attributes: id === "" ? 0x80 : 0x10,
        size: 1,
        written: "1",
        fileId: id === "" ? "0" : id,
        reparseTag: 0,
        descriptor: null,
      }));
      return { entries };
    },
    close: () => ({}),
  };
  return {
    async request({ op, ...asked }, schema) {
      const answer = answers[op];
      if (answer === undefined) throw new AnnealError("INVALID_INPUT", `It knows no ${op}.`, { action: "None." });
      return schema.parse(answer(asked));
    },
    received: () => {},
    isSamba: false,
    lost: () => null,
    close: () => {},
  };
}

it("goes into no folder that it lies in, of a server that does not tell what is a link", async () => {
  const config = { path: "", include: [], exclude: [] } as unknown as SmbConfig;
  const refs: string[] = [];
  for await (const { ref } of walkShare(circling(), config, null, new AbortController().signal)) {
    refs.push(ref);
    if (refs.length > 100) break;
  }
  // The top of the share has no number that anybody tells, so it is met once more.
  expect(refs).toEqual(["a.md", "docs/b.md", "docs/top/a.md", "docs/deeper/c.md"]);
});
