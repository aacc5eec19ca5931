import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readLoginState, type LoginCookie } from "./login-state.ts";

const now = Date.parse("2026-11-28T10:00:00Z");
const cookie = (overrides: Record<string, unknown> = {}) => ({
  name: "session",
  value: "s3cret",
  domain: "intranet.example",
  path: "/",
  expires: -1,
  httpOnly: true,
  secure: false,
  sameSite: "Lax",
  ...overrides,
});
const stateOf = (...cookies: unknown[]) => JSON.stringify({ cookies, origins: [] });
const read = (...cookies: unknown[]) => readLoginState(stateOf(...cookies), ["intranet.example"], now);

describe("readLoginState", () => {
  it("sends a cookie to its own host only, or to subdomains where it says so", () => {
    const login = read(cookie());
    expect(login.cookieHeader("https://intranet.example/a")).toBe("session=s3cret");
    for (const url of [
      "https://sub.intranet.example/",
      "https://evil-intranet.example/",
      "https://intranet.example.evil/",
      "https://example/",
    ]) {
      expect(login.cookieHeader(url), url).toBeNull();
    }
    expect(read(cookie({ domain: ".intranet.example" })).cookieHeader("https://sub.intranet.example/")).not.toBeNull();
  });

  it("keeps to path, to encryption and to the time that a cookie lasts", () => {
    const login = read(cookie({ path: "/docs" }), cookie({ name: "deep", path: "/docs/in" }));
    expect(login.cookieHeader("https://intranet.example/docs/in/x")).toBe("deep=s3cret; session=s3cret");
    expect(login.cookieHeader("https://intranet.example/docsets")).toBeNull();
    expect(read(cookie({ secure: true })).cookieHeader("http://intranet.example/")).toBeNull();
    expect(read(cookie({ secure: true })).cookieHeader("https://intranet.example/")).not.toBeNull();
    expect(() => read(cookie({ expires: now / 1000 - 1 }))).toThrow(/has expired/);
  });

  it("drops what belongs to others, and refuses a state in which nothing is ours", () => {
    const login = read(cookie(), cookie({ name: "idp", domain: "login.example" }));
    expect(login.cookies().map(({ name }) => name)).toEqual(["session"]);
    expect(
      read(cookie({ domain: "www.intranet.example" })).cookieHeader("https://www.intranet.example/"),
    ).not.toBeNull();
    expect(() => read(cookie({ domain: "login.example" }))).toThrow(/holds nothing for intranet.example/);
  });

  it("takes the new value of a session that the site renews, and no new cookie", () => {
    const login = read(cookie());
    login.renew("https://intranet.example/", ["session=next; Path=/; HttpOnly", "tracker=1; Path=/"]);
    login.renew("https://elsewhere.example/", ["session=stolen"]);
    login.renew("https://intranet.example/", [
      "session=; Max-Age=0",
      "session=gone; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
    ]);
    expect(login.cookieHeader("https://intranet.example/")).toBe("session=next");
  });

  it("keeps all else of the state as it was, and how long the renewed session lasts", () => {
    const idp = cookie({ name: "idp", domain: "login.example" });
    const login = read(cookie({ expires: now / 1000 + 60, priority: "High" }), idp);
    const stateAfter = (line: string) => {
      login.renew("https://intranet.example/", [line]);
      return (JSON.parse(login.state()) as { cookies: LoginCookie[] }).cookies;
    };
    expect(login.renew("https://intranet.example/", ["other=1"])).toBe(false);
    expect(login.renew("https://intranet.example/", ["session=s3cret"])).toBe(true);
    expect(login.renew("https://intranet.example/", ["session=s3cret"])).toBe(false);
    const expires = Date.parse("2100-01-01T00:00:00Z") / 1000;
    expect(stateAfter("session=next; Expires=Fri, 01 Jan 2100 00:00:00 GMT")).toMatchObject([
      { ...cookie({ value: "next", expires, priority: "High" }) },
      idp,
    ]);
    const [first] = stateAfter("session=last; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=3600");
    expect(first?.value).toBe("last");
    expect(first?.expires).toBeGreaterThan(Date.now() / 1000);
    expect(first?.expires).toBeLessThan(expires);
    expect(stateAfter(`session=${"x".repeat(5000)}`)[0]?.value).toBe("last");
  });

  it("says what is wrong with any other text, and repeats none of it", () => {
    for (const text of ["hunter2", "[]", '{"cookies":[{"name":"hunter2"}]}', '{"cookies":"hunter2"}', "null"]) {
      expect(() => readLoginState(text, ["intranet.example"], now), text).toThrow(
        expect.objectContaining({ code: "SOURCE_CREDENTIALS", message: expect.not.stringContaining("hunter2") }),
      );
    }
  });

  it("never lets a value write a second header", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (name, value) => {
        const login = read(cookie(), cookie({ name: name || "x", value }));
        expect(login.cookieHeader("https://intranet.example/")).toMatch(/^[\x20-\x7e]*$/);
      }),
    );
  });
});
