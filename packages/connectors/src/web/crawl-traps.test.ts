import { describe, expect, it } from "vitest";
import { patternOf, TrapLedger, trapOf } from "./crawl-traps.ts";
import { digestWords } from "./digest-words.ts";

const at = (path: string) => `https://example.org${path}`;

describe("trapOf", () => {
  it.each([
    ["/x/y/x/y/x/y/x/y", "TRAP_REPEATING_PATH"],
    [`/${Array.from({ length: 30 }, (_, index) => `d${index}`).join("/")}`, "TRAP_DEEP_PATH"],
    ["/list?a=1&b=1&c=1&d=1&e=1&f=1&g=1&h=1&i=1", "TRAP_MANY_PARAMETERS"],
    [`/${"x".repeat(4096)}`, "TRAP_LONG_ADDRESS"],
    [`/${"x".repeat(4000)}`, null],
    ["/docs/v2/guide/install", null],
    ["/a/b/a", null],
  ])("tells of %s: %s", (path, trap) => {
    expect(trapOf(at(path))).toBe(trap);
  });
});

describe("patternOf", () => {
  it.each([
    ["/calendar/2026/11/28", "/calendar/*/*/*"],
    ["/calendar/2026-11-28", "/calendar/*"],
    ["/list?sort=price&order=asc", "/list?…"],
    ["/page-12.html", "/page-*.html"],
    ["/item/0123456789abcdef0123", "/item/*"],
    ["/a/b/c/d/e/f/g/h", "/a/b/c/d/e/f/…"],
  ])("puts %s with its like under %s", (path, pattern) => {
    expect(patternOf(at(path))).toBe(at(pattern));
  });

  it("knows no pattern of pages that have names", () => {
    for (const path of ["/", "/about", "/2026-annual-report", "/docs/install.html", "/größe"]) {
      expect(patternOf(at(path)), path).toBeNull();
    }
  });
});

describe("TrapLedger", () => {
  it("ends a pattern whose pages say the same but for numbers, and reports it once", () => {
    const ledger = new TrapLedger(500);
    let visited = 0;
    for (let month = 0; month < 300; month += 1) {
      const url = at(`/calendar/${2026 + Math.floor(month / 12)}/${(month % 12) + 1}`);
      if (ledger.admit(url, at("/calendar/2020/1")) === "left-out") continue;
      visited += 1;
      const name = new Date(Date.UTC(2026, month % 12, 1)).toLocaleString("en", { month: "long" });
      ledger.note(url, digestWords(`${name} ${month} Mon Tue Wed: no events`));
    }
    expect(visited).toBe(21);
    const [report, ...others] = ledger.reports();
    expect(others).toEqual([]);
    expect(report?.ref).toBe(at("/calendar/*/*"));
    expect(report?.error).toMatchObject({ details: { code: "TRAP_SAME_TEXT", leftOut: 279 } });
    expect(ledger.isLeftOut(at("/calendar/2020/1"))).toBe(true);
    expect(ledger.isLeftOut(at("/about"))).toBe(false);
  });

  it("takes one list in many orders for one page, and pages that differ for many", () => {
    expect(digestWords("Pump A 10, Valve B 20")).toBe(digestWords("Valve B 20, Pump A 10"));
    const ledger = new TrapLedger(100);
    for (let id = 0; id < 150; id += 1) {
      const url = at(`/article?id=${id}`);
      if (ledger.admit(url, at("/article?id=x")) === "grown")
        ledger.note(url, digestWords(`Story about ${"ab".repeat(id + 1)}`));
    }
    expect(ledger.reports()[0]?.error).toMatchObject({ details: { code: "TRAP_PATTERN_FULL", leftOut: 50 } });
  });

  it("does not count what the site lists in a sitemap, or on a page of another kind", () => {
    const ledger = new TrapLedger(10);
    for (let id = 0; id < 50; id += 1) {
      expect(ledger.admit(at(`/article/${id}`), null)).toBe("admitted");
      expect(ledger.admit(at(`/article/${id}`), at("/archive"))).toBe("admitted");
      ledger.note(at(`/article/${id}`), "the same");
    }
    expect(ledger.reports()).toEqual([]);
  });

  it("sees through two patterns that lead to each other", () => {
    const ledger = new TrapLedger(500);
    let visited = 0;
    for (let day = 0; day < 200; day += 1) {
      const [url, from] = day % 2 === 0 ? [`/day/${day}`, `/week/${day - 1}`] : [`/week/${day}`, `/day/${day - 1}`];
      if (ledger.admit(at(url), at(from)) === "left-out") continue;
      visited += 1;
      ledger.note(at(url), digestWords("no events"));
    }
    expect(visited).toBe(42);
  });

  it("counts the patterns that it does not name", () => {
    const ledger = new TrapLedger(500);
    for (let folder = 0; folder < 60; folder += 1) ledger.admit(at(`/f${folder}${"/x".repeat(5)}`), null);
    const reports = ledger.reports();
    expect(reports).toHaveLength(51);
    expect(reports.at(-1)).toMatchObject({ ref: at("/#more-patterns"), error: { details: { leftOut: 10 } } });
  });
});
