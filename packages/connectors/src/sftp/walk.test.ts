import { expect, it } from "vitest";
import { fakeSession, fileMode, folderMode, forbidden, gone, linkMode, type Told } from "./fake-session.fixture.ts";
import { sftpConfigSchema, type SftpConfig } from "./config.ts";
import { walkRemote, type WalkEntry } from "./walk.ts";

async function walk(entries: Record<string, Told>, config: Partial<SftpConfig> = {}) {
  const whole = sftpConfigSchema.parse({ host: "example.com", user: "ann", path: "/data", ...config });
  const found: WalkEntry[] = [];
  const root = { path: "/data", audience: null };
  const { signal } = new AbortController();
  for await (const entry of walkRemote(fakeSession(entries), root, whole, null, signal)) found.push(entry);
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
