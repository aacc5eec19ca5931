import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { collectBytes } from "../content.ts";
import { fileMode, folderMode } from "./fake-session.fixture.ts";
import { aheadBytes, remoteContent } from "./sftp-content.ts";
import type { RemoteStats, SftpSession } from "./sftp-session.ts";

const { signal } = new AbortController();
const statsOf = (size: number | undefined, mode = fileMode): RemoteStats => ({ mode, uid: 0, gid: 0, size, mtime: 1 });

/** A server that answers what was asked for together, and notes it; `byteLength` bytes are in the file. */
function createServer(byteLength: number, told: { looked?: RemoteStats; after?: RemoteStats; places?: string[] } = {}) {
  const rounds: string[][] = [];
  let waiting: (() => void)[] = [];
  const answer = async <T>(request: string, value: T): Promise<T> => {
    if (waiting.length === 0) {
      rounds.push([]);
      void nextTurn().then(() => {
        const all = waiting;
        waiting = [];
        for (const release of all) release();
      });
    }
    rounds.at(-1)!.push(request);
    await new Promise<void>((resolve) => waiting.push(resolve));
    return value;
  };
  const places = [...(told.places ?? [])];
  const looked = told.looked ?? statsOf(byteLength);
  let isClosed = false;
  const session: Pick<SftpSession, "realPath" | "lstat" | "open"> = {
    realPath: (path) => answer("realPath", places.shift() ?? path),
    lstat: () => answer("lstat", looked),
    open: () =>
      answer("open", {
        stat: () => answer("stat", told.after ?? looked),
        read: (offset: number, length: number) =>
          answer("read", new Uint8Array(Math.max(0, Math.min(length, byteLength - offset)))),
        close: () => void (isClosed = true),
      }),
  };
  const content = remoteContent(session as SftpSession, "/data", "/data/a.txt", 100 * aheadBytes);
  return {
    session: session as SftpSession,
    rounds,
    isClosed: () => isClosed,
    content,
    read: async () => collectBytes(await content.open(signal)),
  };
}

describe("remoteContent", () => {
  it("asks for a small file in four round trips, and for its end only where its size is not told", async () => {
    const small = createServer(1000);
    expect((await small.read()).byteLength).toBe(1000);
    expect(small.rounds).toEqual([["realPath", "lstat"], ["open"], ["realPath", "read"], ["stat"]]);
    expect(small.isClosed()).toBe(true);
    const unsized = createServer(1000, { looked: statsOf(undefined) });
    expect((await unsized.read()).byteLength).toBe(1000);
    expect(unsized.rounds.flat().filter((request) => request === "read").length).toBeGreaterThan(1);
  });

  it("asks for all of a larger file at once, and of a very large one for no more than may be held", async () => {
    const large = createServer(1_000_000);
    expect((await large.read()).byteLength).toBe(1_000_000);
    expect(large.rounds).toHaveLength(4);
    const huge = createServer(aheadBytes + 1_000_000);
    await huge.content.open(signal);
    await nextTurn();
    expect(huge.rounds.flat().filter((request) => request === "read")).toHaveLength(aheadBytes / (32 * 1024));
  });

  it.each([
    ["grew", statsOf(1001)],
    ["shrank", statsOf(999)],
  ])("fails a file that %s since it was looked at", async (_, after) => {
    const server = createServer(1000, { after });
    await expect(server.read()).rejects.toMatchObject({ code: "CONFLICT", retryable: true });
    expect(server.isClosed()).toBe(true);
  });

  it("opens nothing that is no file, or lies outside", async () => {
    for (const told of [{ looked: statsOf(0, folderMode) }, { places: ["/elsewhere/a.txt"] }]) {
      const server = createServer(0, told);
      await expect(server.read()).rejects.toThrow();
      expect(server.rounds.flat()).not.toContain("open");
    }
  });

  it("gives nobody a text by rights that changed since the file was listed", async () => {
    const { session } = createServer(1000);
    for (const told of [{ mode: fileMode ^ 0o004 }, { uid: 7 }, { gid: 7 }]) {
      const content = remoteContent(session, "/data", "/data/a.txt", aheadBytes, { ...statsOf(1000), ...told });
      await expect(content.open(signal)).rejects.toMatchObject({ code: "CONFLICT", retryable: true });
    }
    await remoteContent(session, "/data", "/data/a.txt", aheadBytes, statsOf(900)).open(signal);
  });

  it("hands out nothing of what led outside once it was open", async () => {
    const server = createServer(1000, { places: ["/data/a.txt", "/elsewhere/a.txt"] });
    await expect(server.content.open(signal)).rejects.toMatchObject({ code: "SOURCE_FORBIDDEN" });
    expect(server.isClosed()).toBe(true);
  });
});
