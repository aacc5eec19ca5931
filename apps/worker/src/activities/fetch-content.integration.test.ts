import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ContentHandle } from "@anneal/core/connect/change";
import { defaultLimits } from "@anneal/connectors/connector";
import { openFolderStore } from "@anneal/objects/folder-store";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fetchContent } from "./fetch-content.ts";

// A real server that sends a little for ever: no limit on silence ends it.

let dir: string;
let server: Server;
let isAsked: boolean;
let hungUp: PromiseWithResolvers<void>;
let cancel: AbortController;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "anneal-fetch-"));
  cancel = new AbortController();
  isAsked = false;
  hungUp = Promise.withResolvers();
  server = createServer((_, response) => {
    isAsked = true;
    const drip = setInterval(() => response.write("x".repeat(40_000)), 5);
    response.on("close", () => {
      clearInterval(drip);
      hungUp.resolve();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(dir, { recursive: true });
});

const address = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
const fetchIt = (content: ContentHandle, timeoutMs: number) => {
  const context = { tempDir: dir, limits: { ...defaultLimits, documentBytes: 2 ** 40 }, signal: cancel.signal };
  return fetchContent(openFolderStore(join(dir, "objects")), content, context, timeoutMs);
};
const bodyOf = (response: Response): AsyncIterable<Uint8Array> => response.body!;

describe("a content that never ends", () => {
  const obedient: ContentHandle = { open: async (signal) => bodyOf(await fetch(address(), { signal })) };
  const deaf: ContentHandle = { open: async () => bodyOf(await fetch(address())) };

  it.each([
    ["hears of it", obedient],
    ["does not", deaf],
  ])("is given up in time, and its connection with it, where the source %s", async (_, content) => {
    await expect(fetchIt(content, 500)).rejects.toMatchObject({
      code: "DOCUMENT_TIMEOUT",
      message: "The document's content had not come whole after 0.5 seconds.",
      action: expect.stringContaining("ANNEAL_DOCUMENT_TIMEOUT_SECONDS"),
    });
    // Where all the time went into the connection, there is none to hang up.
    if (isAsked) await hungUp.promise;
    expect(await readdir(dir)).toEqual([]);
  });

  it("ends with the sync, however long it might take, and is no document's fault then", async () => {
    const reason = new Error("the lock was lost");
    const fetching = fetchIt(deaf, 3_600_000);
    cancel.abort(reason);
    await expect(fetching).rejects.toBe(reason);
  });
});

it("a content that is never even begun is given up as well", async () => {
  const hanging: ContentHandle = { open: () => new Promise(() => undefined) };
  await expect(fetchIt(hanging, 20)).rejects.toMatchObject({ code: "DOCUMENT_TIMEOUT" });
});

it("a content that opens after it was given up is closed", async () => {
  const opened = Promise.withResolvers<void>();
  const late: ContentHandle = {
    async open() {
      await opened.promise;
      return bodyOf(await fetch(address()));
    },
  };
  await expect(fetchIt(late, 20)).rejects.toMatchObject({ code: "DOCUMENT_TIMEOUT" });
  opened.resolve();
  await hungUp.promise;
});

it("what comes in time is whole, and one that fails is told of by its own error", async () => {
  const parts: ContentHandle = {
    async open() {
      return (async function* () {
        yield Buffer.from("ab");
        yield Buffer.from("c");
      })();
    },
  };
  const held = await fetchIt(parts, 60_000);
  expect(held.facts.sizeBytes).toBe(3);
  await held.release();
  const broken: ContentHandle = { open: async () => Promise.reject(new Error("broken")) };
  await expect(fetchIt(broken, 60_000)).rejects.toThrow("broken");
});
