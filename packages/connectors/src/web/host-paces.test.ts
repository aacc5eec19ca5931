import { describe, expect, it } from "vitest";
import { openHostPaces } from "./host-paces.ts";

describe("openHostPaces", () => {
  it("lets two crawls of one host ask no faster than the slower of them, and others as they wish", () => {
    const all = new Map();
    const quick = openHostPaces({ requestsPerSecond: 10, concurrency: 4 }, all);
    const slow = openHostPaces({ requestsPerSecond: 1, concurrency: 2 }, all);
    const pace = quick.paceOf("shared.example");
    expect(pace).toMatchObject({ delayMs: 100 });
    expect(slow.paceOf("shared.example")).toBe(pace);
    expect(pace).toMatchObject({ delayMs: 1000 });
    expect(pace.limit.concurrency).toBe(2);
    expect(quick.paceOf("other.example")).toMatchObject({ delayMs: 100 });
  });

  it("forgets a host once nobody crawls it, and not before", () => {
    const all = new Map();
    const [first, second] = [1, 2].map((concurrency) => openHostPaces({ requestsPerSecond: 1, concurrency }, all));
    const pace = first!.paceOf("site.example");
    // Asked for twice by one crawl, which is still one.
    first!.paceOf("site.example");
    second!.paceOf("site.example");
    first!.close();
    expect(all.get("site.example")).toBe(pace);
    second!.close();
    expect(all.size).toBe(0);
  });

  it("is one for the whole process", () => {
    const [first, second] = [1, 2].map(() => openHostPaces({ requestsPerSecond: 1, concurrency: 1 }));
    expect(first!.paceOf("one.example")).toBe(second!.paceOf("one.example"));
    first!.close();
    second!.close();
  });
});
