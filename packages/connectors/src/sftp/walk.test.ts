import { AnnealError } from "@anneal/core/errors";
import { expect, it } from "vitest";
import type { RemoteStats, SftpSession } from "./sftp-session.ts";
import { sftpConfigSchema, type SftpConfig } from "./config.ts";
import { walkRemote, type WalkEntry } from "./walk.ts";

const fileMode = 0o100644;
const folderMode = 0o040755;
const linkMode = 0o120777;

/** What a listing says of an entry, and what a look at it says, which follows no link: no mode, an error, or a mode. */
type Told = { listed: number | undefined; looked?: number | AnnealError | undefined; target?: string };

const gone = new AnnealError("SOURCE_NOT_FOUND", "It does not exist.", { action: "Sync again." });
const forbidden = new AnnealError("SOURCE_FORBIDDEN", "It may not be read.", { action: "Give permission." });

/** A server by its absolute paths. */
function sessionOf(entries: Record<string, Told>): SftpSession {
  const statsOf = (mode: number | undefined): RemoteStats => ({ mode, uid: 0, gid: 0, size: 3, mtime: 1 });
  const look = async (path: string) => {
    const looked = entries[path]?.looked;
    if (looked instanceof AnnealError) throw looked;
    return statsOf(looked);
  };
  return {
    async *list(folder) {
      for (const [path, { listed }] of Object.entries(entries)) {
        const name = path.slice(folder.replace(/\/$/, "").length + 1);
        if (path.startsWith(folder) && !name.includes("/")) yield { name, stats: statsOf(listed) };
      }
    },
    lstat: look,
    stat: look,
    realPath: async (path) => entries[path]?.target ?? path,
    open: () => Promise.reject(forbidden),
    lost: () => null,
    close: async () => {},
  };
}

async function walk(entries: Record<string, Told>, config: Partial<SftpConfig> = {}) {
  const whole = sftpConfigSchema.parse({ host: "example.com", user: "ann", path: "/data", ...config });
  const found: WalkEntry[] = [];
  const root = { path: "/data", audience: null };
  const { signal } = new AbortController();
  for await (const entry of walkRemote(sessionOf(entries), root, whole, null, signal)) found.push(entry);
  return found.map((entry) => (entry.type === "file" ? entry.ref : [entry.ref, entry.error.code, entry.isUnknown]));
}

it.each([
  ["its permissions", undefined],
  ["its type among them", 0o644],
])("looks at an entry of which the listing leaves out %s", async (_, listed) => {
  const entries = {
    "/data/a.txt": { listed, looked: fileMode },
    "/data/folder": { listed, looked: folderMode },
    "/data/folder/b.txt": { listed, looked: fileMode },
    "/data/link": { listed, looked: linkMode, target: "/data/a.txt" },
    "/data/gone.txt": { listed, looked: gone },
  };
  expect(await walk(entries)).toEqual(["a.txt", "link", "folder/b.txt"]);
});

it("fails what may be a file or a folder where a look tells nothing either, and reads the rest", async () => {
  const entries = {
    "/data/a.txt": { listed: fileMode },
    "/data/silent": { listed: undefined, looked: undefined },
    "/data/shut": { listed: undefined, looked: forbidden },
    "/data/link": { listed: linkMode, target: "/data/silent" },
  };
  expect(await walk(entries)).toEqual([
    "a.txt",
    ["silent", "SOURCE_UNREACHABLE", true],
    ["shut", "SOURCE_FORBIDDEN", true],
    ["link", "SOURCE_UNREACHABLE", undefined],
  ]);
});

it("asks for nothing that is excluded, and fails what may be a folder of included files", async () => {
  const entries = {
    "/data/left-out": { listed: undefined, looked: undefined },
    "/data/may-hold-some": { listed: undefined, looked: undefined },
    "/data/picture.png": { listed: undefined, looked: fileMode },
  };
  expect(await walk(entries, { include: ["*.md"], exclude: ["left-out"] })).toEqual([
    ["may-hold-some", "SOURCE_UNREACHABLE", true],
  ]);
});
