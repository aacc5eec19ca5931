import { leaveOut, type LeftOut, type LeftOutReason } from "@anneal/core/connect/left-out";
import { AnnealError } from "@anneal/core/errors";
import { expect, it } from "vitest";
import type { SmbConfig } from "./config.ts";
import type { SmbSession } from "./smb-session.ts";
import { shareFolders, walkShare } from "./walk.ts";

/** Folders by their numbers, with the numbers of what is in them; files have none. */
const tree: Record<string, Record<string, string>> = {
  "1": { "a.md": "", docs: "2", "link.md": "", fifo: "", "tagged.md": "" },
  "2": { "b.md": "", top: "1", here: "2", deeper: "3" },
  "3": { "c.md": "", up: "2" },
};

/** A symbolic link, a pipe of Linux, and a file that only is stored in another way. */
const reparseTags: Record<string, number> = { "link.md": 0xa000_000c, fifo: 0x8000_0024, "tagged.md": 0x8000_0013 };

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
        attributes: (id === "" ? 0x80 : 0x10) | (name in reparseTags ? 0x400 : 0),
        size: 1,
        written: "1",
        fileId: id === "" ? "0" : id,
        reparseTag: reparseTags[name] ?? 0,
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
  const leftOut: LeftOut = {};
  const leave = (reason: LeftOutReason) => leaveOut(leftOut, reason);
  const { signal } = new AbortController();
  for await (const { ref } of walkShare(circling(), config, null, signal, shareFolders(false), leave)) {
    refs.push(ref);
    if (refs.length > 100) break;
  }
  // The top of the share has no number that anybody tells, so it is met once more.
  const below = ["docs/b.md", "docs/top/a.md", "docs/top/tagged.md", "docs/deeper/c.md"];
  expect(refs).toEqual(["a.md", "tagged.md", ...below]);
  // The links back to a folder above among them, and the pipe and the link at the top, which is met twice.
  expect(leftOut).toEqual({ link: 5, pipe: 2 });
});

it("counts what the patterns keep out, a folder once, without listing it", async () => {
  const config = { path: "", include: ["a.md"], exclude: ["docs"] } as unknown as SmbConfig;
  const refs: string[] = [];
  const leftOut: LeftOut = {};
  const leave = (reason: LeftOutReason) => leaveOut(leftOut, reason);
  const { signal } = new AbortController();
  for await (const { ref } of walkShare(circling(), config, null, signal, shareFolders(false), leave)) refs.push(ref);
  expect(refs).toEqual(["a.md"]);
  expect(leftOut).toEqual({ excluded: 4 });
});
