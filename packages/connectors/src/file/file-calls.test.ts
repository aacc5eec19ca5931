import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { testContext } from "../../conformance/test-context.ts";
import { openFileCalls } from "./file-calls.ts";

const impatient = testContext({ limits: { requestTimeoutMs: 20 } });
const unreachable = { code: "SOURCE_UNREACHABLE", retryable: true };
let folders = 0;
/** Nothing is asked of it: what hangs is remembered by its name. */
const folder = () => `/folder-${(folders += 1)}`;

it("has no more than three calls under way, and asks for nothing after the first that is not answered", async () => {
  const calls = await openFileCalls(folder(), impatient);
  let asked = 0;
  const hanging = Array.from({ length: 8 }, () => calls.call("/a.md", () => new Promise(() => (asked += 1))));
  for (const end of await Promise.allSettled(hanging)) expect(end).toMatchObject({ reason: unreachable });
  await expect(calls.call("/b.md", async () => (asked += 1))).rejects.toMatchObject(unreachable);
  expect(asked).toBe(3);
});

it("asks again once what hung is answered, and not before; what opened too late is closed", async () => {
  const place = folder();
  const calls = await openFileCalls(place, impatient);
  const answer = Promise.withResolvers<{ close(): Promise<void> }>();
  await expect(calls.open("/a.md", () => answer.promise)).rejects.toMatchObject(unreachable);
  await expect(openFileCalls(place, impatient)).rejects.toMatchObject(unreachable);
  const closed = Promise.withResolvers<void>();
  answer.resolve({ close: async () => closed.resolve() });
  await closed.promise;
  const again = await openFileCalls(place, impatient);
  expect(await again.call("/a.md", async () => "text")).toBe("text");
});

it("waits for what a cancelled sync left behind, and leaves no rejection behind when that fails", async () => {
  const place = folder();
  const cancel = new AbortController();
  const calls = await openFileCalls(place, testContext({ signal: cancel.signal }));
  const answer = Promise.withResolvers<string>();
  const asked = calls.call("/a.md", () => answer.promise);
  cancel.abort(new Error("cancelled"));
  await expect(asked).rejects.toThrow("cancelled");
  const later = openFileCalls(place, testContext());
  answer.reject(new Error("EIO"));
  expect(await (await later).call("/a.md", async () => "text")).toBe("text");
});

it("takes a call that goes on being answered for no silence", async () => {
  const calls = await openFileCalls(folder(), testContext({ limits: { requestTimeoutMs: 300 } }));
  const until = performance.now() + 700;
  const slow = async (heard: () => void) => {
    while (performance.now() < until) {
      await readFile(import.meta.filename);
      heard();
    }
    return "text";
  };
  expect(await calls.call("/a.md", slow)).toBe("text");
});

it("ends a call with its document, and others go on", async () => {
  const calls = await openFileCalls(folder(), testContext());
  const document = new AbortController();
  const asked = calls.call("/a.md", () => new Promise(() => {}), document.signal);
  document.abort(new Error("given up"));
  await expect(asked).rejects.toThrow("given up");
  expect(await calls.call("/b.md", async () => "text")).toBe("text");
});
