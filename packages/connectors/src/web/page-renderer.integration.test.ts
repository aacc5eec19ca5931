import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, it, vi } from "vitest";
import { testChromiumPath } from "../../conformance/start-web-crawl.ts";
import { createPageRenderer, type PageRenderer } from "./page-renderer.ts";
import type { PageResources } from "./page-resources.ts";
import { PageTime } from "./page-time.ts";

const beginNothing = (signal: AbortSignal) => ({ time: new PageTime(signal, Infinity), get: async () => null });
let renderer: PageRenderer;
let tempDir: string;
const rendererWith = (resources: PageResources, timeoutMs = 10_000) =>
  createPageRenderer({
    chromiumPath: testChromiumPath ?? "",
    userAgent: "AnnealBot",
    homeFolder: tempDir,
    login: null,
    resources,
    timeoutMs,
  });
beforeAll(async () => {
  tempDir = await mkdtemp(join(tmpdir(), "anneal-renderer-"));
  renderer = rendererWith({ begin: beginNothing });
});
afterAll(async () => {
  await renderer.close();
  await rm(tempDir, { recursive: true, force: true });
});

afterEach(() => vi.unstubAllEnvs());

const stringsOf = async (pid: number, name: string): Promise<string[]> =>
  (await readFile(`/proc/${pid}/${name}`, "utf8")).split("\0").filter(Boolean);
/** Of whichever thread started them. */
const childrenOf = async (pid: number): Promise<number[]> => {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  const lists = threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/children`, "utf8").catch(() => ""));
  return (await Promise.all(lists)).join(" ").split(" ").filter(Boolean).map(Number);
};

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

it.skipIf(testChromiumPath === null)(
  "tells the browser none of the worker's secrets",
  { timeout: 60_000 },
  async () => {
    vi.stubEnv("ANNEAL_ENCRYPTION_KEY", "a key of the worker");
    const before = new Set(await childrenOf(process.pid));
    /** What each kind of process has of its own environment. */
    const environs = new Map<string, string[]>();
    const lookAtBrowser = async () => {
      const waiting = (await childrenOf(process.pid)).filter((pid) => !before.has(pid));
      for (let pid = waiting.pop(); pid !== undefined; pid = waiting.pop()) {
        // Some end while they are looked at.
        const [line, environ] = await Promise.all(["cmdline", "environ"].map((name) => stringsOf(pid, name))).catch(
          () => [],
        );
        if (line === undefined || environ === undefined) continue;
        const kind = /--type=([a-z]+)/.exec(line.join(" "))?.[1] ?? "browser";
        environs.set(kind, [...(environs.get(kind) ?? []), ...environ]);
        waiting.push(...(await childrenOf(pid)));
      }
      return null;
    };
    // A page's process is there for sure while the page waits for a script.
    const watched = rendererWith({ begin: (signal) => ({ ...beginNothing(signal), get: lookAtBrowser }) });
    const page = Buffer.from(`<script src="/script.js"></script><p>text</p>`);
    await watched.render("http://site.example/", page, new AbortController().signal).finally(() => watched.close());
    expect([...environs.keys()]).toEqual(expect.arrayContaining(["browser", "renderer"]));
    expect([...environs.values()].flat().filter((variable) => variable.includes("ANNEAL"))).toEqual([]);
    // The others write their names over it.
    expect(environs.get("browser")).toContain(`HOME=${tempDir}`);
  },
);

it.skipIf(testChromiumPath === null)(
  "counts for too long only what a page takes itself, without the waits for its turns",
  { timeout: 60_000 },
  async () => {
    const renderIn2Ms = async (isWaiting: boolean) => {
      const begin: PageResources["begin"] = (signal) => {
        const begun = beginNothing(signal);
        if (isWaiting) begun.time.pause();
        return begun;
      };
      const impatient = rendererWith({ begin }, 1);
      const page = Buffer.from("<p>text</p>");
      return impatient
        .render("http://site.example/", page, new AbortController().signal)
        .finally(() => impatient.close());
    };
    expect(await renderIn2Ms(true)).toContain("text");
    await expect(renderIn2Ms(false)).rejects.toMatchObject({ code: "SOURCE_UNREACHABLE" });
  },
);
