import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { MemoryTarget } from "../../conformance/memory-target.ts";
import { linksTo, startSite, type SitePage, type TestSite } from "../../conformance/start-site.ts";
import { startWebCrawl, testChromiumPath, type WebCrawl } from "../../conformance/start-web-crawl.ts";
import { webConnector } from "./web-connector.ts";

const longText = "The safe is opened on Mondays at nine by two people who both sign the sheet beside it. ".repeat(5);
const loginForm = `<title>Sign in</title><form>Welcome <input name="user"><input type="password" name="password"></form>`;

describe("a crawl behind a login", () => {
  let crawl: WebCrawl;
  let site: TestSite;
  /** What the server takes for a session, and what it says to everybody else. */
  let session: string;
  let strangers: (path: string) => SitePage;

  beforeEach(async () => {
    crawl = await startWebCrawl();
    ({ site } = crawl);
    session = "good";
    strangers = (path) => ({ body: "", status: 302, headers: { location: `/login?next=${path}` } });
    site.respond = ({ path, headers }) =>
      path.startsWith("/private/") && headers.cookie !== `session=${session}` ? strangers(path) : null;
    crawl.secrets = { storageState: stateOf() };
    crawl.page("/", linksTo(["/private/a", "/private/b", "/open", "/logout", "/private/?action=logout"]));
    crawl.page("/private/a", `<p>${longText}</p>`);
    crawl.page("/private/b", `<p>Also private. ${longText}</p>`);
    crawl.page("/open", "for everybody");
    crawl.page("/login", loginForm);
  });
  afterEach(() => crawl.stop());

  const stateOf = (overrides: Record<string, unknown> = {}) =>
    JSON.stringify({
      cookies: [
        {
          name: "session",
          value: "good",
          domain: "127.0.0.1",
          path: "/",
          expires: -1,
          httpOnly: true,
          secure: false,
          sameSite: "Lax",
          ...overrides,
        },
      ],
      origins: [],
    });

  it("reads what the login opens, sends it to no other host, and does not sign out", async () => {
    const away = `http://localhost:${new URL(site.origin).port}/open`;
    const target = await crawl.sync(new MemoryTarget(), { seeds: [away] });
    expect(crawl.paths(target)).toEqual(expect.arrayContaining(["/", "/open", "/private/a", "/private/b"]));
    expect(target.documents.get(away)?.text).toBe("for everybody");
    for (const { path, headers } of site.requests) {
      const isOwn = headers.host?.startsWith("127.0.0.1");
      expect(headers.cookie, `${headers.host}${path}`).toBe(isOwn ? "session=good" : undefined);
    }
    expect(site.requests.map(({ path }) => path).filter((path) => path.includes("logout"))).toEqual([]);
  });

  it.each([
    ["redirects to a login page", strangersRedirected],
    ["redirects to a page that only turns out to ask for a password", strangersElsewhere],
    ["redirects there by way of another page", strangersDetoured],
    ["shows a login form in its place", strangersAsked],
    ["loses its text to what anybody sees", strangersTeased],
    ["is answered with 401", strangersRefused],
  ])("takes a page that %s for a failure, and deletes nothing in such a crawl", async (_case, answer) => {
    const target = await crawl.sync(new MemoryTarget());
    const before = target.contents();
    session = "another";
    strangers = answer;
    crawl.page("/members", loginForm);
    crawl.page("/welcome", "", { location: "https://sso.example/login" }, 302);
    site.pages.delete("/open");
    await crawl.sync(target);
    expect(target.failures.filter(({ ref }) => ref in before).map(({ ref, error }) => [ref, error.code])).toEqual(
      ["/private/a", "/private/b"].map((path) => [site.origin + path, "SOURCE_CREDENTIALS"]),
    );
    expect(target.contents()).toMatchObject(before);
    session = "good";
    await crawl.sync(target);
    expect(crawl.paths(target)).not.toContain("/open");
  });

  it("takes a shorter text for a change as long as strangers see another", async () => {
    strangers = strangersTeased;
    const target = await crawl.sync(new MemoryTarget());
    crawl.page("/private/a", "<p>The safe was sold.</p>");
    await crawl.sync(target);
    expect(target.failures).toEqual([]);
    expect(target.documents.get(`${site.origin}/private/a`)?.text).toContain("The safe was sold.");
  });

  it("keeps a public page that moves behind a login, without any login of ours", async () => {
    crawl.secrets = {};
    strangers = (path) => site.pages.get(path)!;
    const target = await crawl.sync(new MemoryTarget());
    strangers = strangersRedirected;
    await crawl.sync(target);
    expect(crawl.paths(target)).toEqual(expect.arrayContaining(["/private/a", "/private/b"]));
    expect(target.failures.map(({ error }) => error.code)).toEqual(["SOURCE_CREDENTIALS", "SOURCE_CREDENTIALS"]);
  });

  it("does not take links to a login for failures where it knows none of the pages", async () => {
    crawl.secrets = {};
    const target = await crawl.sync(new MemoryTarget());
    expect(target.failures).toEqual([]);
    expect(crawl.paths(target)).toEqual(expect.arrayContaining(["/", "/open"]));
  });

  describe("that renews its session with every answer", () => {
    beforeEach(() => {
      const plain = site.respond;
      let turn = 0;
      site.respond = (request) => {
        const isMine = request.headers.cookie === `session=${session}`;
        const answer = plain(request) ?? site.pages.get(request.path) ?? { body: "", status: 404 };
        if (!isMine || request.path === "/robots.txt") return answer;
        turn += 1;
        session = `good-${turn}`;
        return { ...answer, headers: { ...answer.headers, "set-cookie": `session=${session}; HttpOnly; Path=/` } };
      };
      crawl.context.renewSecrets = async (renew) =>
        void (crawl.secrets = await renew({ ...crawl.secrets } as Record<string, string>));
    });

    it("goes on with the session as the site renews it, and so does the next sync", async () => {
      const target = await crawl.sync(new MemoryTarget(), { concurrency: 1 });
      for (const step of ["first", "next"]) {
        expect(target.failures, step).toEqual([]);
        expect(crawl.paths(target)).toEqual(expect.arrayContaining(["/private/a", "/private/b"]));
        await crawl.sync(target, { concurrency: 1 });
      }
      expect(target.failures).toEqual([]);
    });

    it("goes on with it after a wait that the site asks for, and where a worker has ended at any page", async () => {
      const target = new MemoryTarget();
      const renewing = site.respond;
      let isBusy = true;
      site.respond = (request) =>
        isBusy && ["/private/b", "/open"].includes(request.path)
          ? { body: "", status: 429, headers: { "retry-after": "3600" } }
          : renewing(request);
      await expect(crawl.sync(target, { concurrency: 1 })).rejects.toMatchObject({ code: "RATE_LIMITED" });
      isBusy = false;
      for await (const change of crawl.read(target, { concurrency: 1 })) {
        // Nothing more is done for one that is killed.
        if (change.type === "upsert") break;
      }
      await crawl.sync(target, { concurrency: 1 });
      expect(target.failures).toEqual([]);
      expect(crawl.paths(target)).toEqual(expect.arrayContaining(["/private/a", "/private/b"]));
    });

    it("leaves a login alone that a person has entered meanwhile", async () => {
      const renewing = site.respond;
      const entered = { storageState: stateOf({ value: "entered" }) };
      site.respond = (request) => {
        if (request.path === "/open") crawl.secrets = entered;
        return renewing(request);
      };
      await crawl.sync(new MemoryTarget(), { concurrency: 1 });
      expect(crawl.secrets).toEqual(entered);
    });
  });

  it("ends with one sentence when the login has expired, is of another site, or is no login", async () => {
    const codeOf = async (storageState: string) => {
      crawl.secrets = { storageState };
      const { error } = await webConnector.check(crawl.configOf(), crawl.secrets, crawl.context);
      return error?.code ?? null;
    };
    expect(await codeOf(stateOf())).toBeNull();
    expect(await codeOf(stateOf({ expires: 1_000_000_000 }))).toBe("SOURCE_CREDENTIALS");
    expect(await codeOf(stateOf({ domain: "example.org" }))).toBe("SOURCE_CREDENTIALS");
    expect(await codeOf("not a state")).toBe("SOURCE_CREDENTIALS");
    site.respond = ({ path }) => (path === "/" ? { body: "", status: 302, headers: { location: "/login" } } : null);
    expect(await codeOf(stateOf())).toBe("SOURCE_CREDENTIALS");
    await expect(crawl.sync(new MemoryTarget())).rejects.toMatchObject({ code: "SOURCE_CREDENTIALS" });
  });

  it("says in check() whether the first page answers to the login", async () => {
    const statusOf = async () =>
      (await webConnector.check(crawl.configOf(), crawl.secrets, crawl.context)).checks.find(
        ({ capability }) => capability === "login",
      )?.status;
    expect(await statusOf()).toBe("warning");
    site.respond = ({ path, headers }) => (path === "/" && headers.cookie ? { body: "Hello, Ada" } : null);
    expect(await statusOf()).toBe("ok");
  });

  describe.skipIf(testChromiumPath === null)("with a browser", () => {
    beforeEach(() => {
      crawl.context.chromiumPath = testChromiumPath;
    });

    it("gives pages that scripts fill their cookies and their stored token, on their own host only", async () => {
      const outside = await startSite();
      try {
        const away = `${outside.origin.replace("127.0.0.1", "localhost")}/api`;
        crawl.secrets = {
          storageState: JSON.stringify({
            ...(JSON.parse(stateOf({ httpOnly: false })) as object),
            origins: [{ origin: site.origin, localStorage: [{ name: "token", value: "t0ken" }] }],
          }),
        };
        crawl.page("/", linksTo(["/app"]) + "A long enough start page. ".repeat(20));
        crawl.page(
          "/app",
          `<title>App</title><div id="root"></div><script>
          fetch("${away}").catch(() => {});
          fetch("/api", { headers: { authorization: "Bearer " + localStorage.getItem("token") } }).then((r) => r.text())
            .then((text) => { root.textContent = text + " " + document.cookie; });</script>`,
        );
        site.respond = ({ path, headers }) =>
          path === "/api"
            ? {
                body:
                  headers.cookie === "session=good" && headers.authorization === "Bearer t0ken"
                    ? "Minutes of the board."
                    : "Sign in.",
              }
            : null;
        const target = await crawl.sync(new MemoryTarget(), { render: "auto" });
        expect(target.documents.get(`${site.origin}/app`)?.text).toContain("Minutes of the board. session=good");
        expect(outside.requests.map(({ path }) => path)).toEqual(["/robots.txt", "/api"]);
        for (const { headers } of outside.requests) {
          expect([headers.cookie, headers.authorization]).toEqual([undefined, undefined]);
        }
      } finally {
        await outside.stop();
      }
    });
  });
});

function strangersRedirected(path: string) {
  return { body: "", status: 302, headers: { location: `/login?next=${path}` } };
}

function strangersElsewhere() {
  return { body: "", status: 302, headers: { location: "/members" } };
}

function strangersDetoured() {
  return { body: "", status: 302, headers: { location: "/welcome" } };
}

function strangersAsked() {
  return { body: loginForm };
}

function strangersTeased() {
  return { body: "<p>Become a member.</p>" };
}

function strangersRefused() {
  return { body: "", status: 401 };
}
