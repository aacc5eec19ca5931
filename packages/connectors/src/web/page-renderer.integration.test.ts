import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { testChromiumPath } from "../../conformance/start-web-crawl.ts";
import { createPageRenderer, type PageRenderer } from "./page-renderer.ts";
import type { PageResources } from "./page-resources.ts";
import { PageTime } from "./page-time.ts";

const nothing: PageResources = {
  begin: (signal) => ({ time: new PageTime(signal, Infinity), get: async () => null }),
};
let renderer: PageRenderer;
beforeAll(() => {
  renderer = createPageRenderer({
    chromiumPath: testChromiumPath ?? "",
    userAgent: "AnnealBot",
    login: null,
    resources: nothing,
    timeoutMs: 10_000,
  });
});
afterAll(() => renderer.close());

const childrenOf = async (pid: number) =>
  (await readFile(`/proc/${pid}/task/${pid}/children`, "utf8")).trim().split(" ").filter(Boolean).map(Number);

it.skipIf(testChromiumPath === null)(
  "goes on with another browser where one has ended",
  { timeout: 60_000 },
  async () => {
    const render = () =>
      renderer.render(
        "http://site.example/",
        Buffer.from(`<p id="said"></p><script>said.textContent = "by a script"</script>`),
        new AbortController().signal,
      );
    const before = new Set(await childrenOf(process.pid));
    expect(await render()).toContain("by a script");
    const started = (await childrenOf(process.pid)).filter((pid) => !before.has(pid));
    expect(started).toHaveLength(1);
    process.kill(started[0]!, "SIGKILL");
    // The page that it takes with it may be lost, and no other.
    await render().catch(() => {});
    expect(await Promise.all([render(), render()])).toEqual([
      expect.stringContaining("by a script"),
      expect.stringContaining("by a script"),
    ]);
  },
);
