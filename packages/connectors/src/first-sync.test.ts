import { AnnealError } from "@anneal/core/errors";
import { describe, expect, it } from "vitest";
import { beginFirstSync, countOrNull, cursorOnTheWay } from "./first-sync.ts";

const refused = new AnnealError("SOURCE_FORBIDDEN", "It does not count.", { action: "Ask for it." });

describe("what a first sync counts", () => {
  it("is counted once, also where the sync is resumed, and not by a later sync", async () => {
    let counts = 0;
    const count = async () => {
      counts += 1;
      return 7;
    };
    const first = await beginFirstSync(null, count);
    expect(first).toEqual({ total: 7 });
    expect(await beginFirstSync(cursorOnTheWay(first), count)).toEqual({ total: 7 });
    expect(await beginFirstSync({ version: 1 }, count)).toBeNull();
    expect(cursorOnTheWay(null)).toEqual({ version: 1 });
    expect(counts).toBe(1);
  });

  it("is nothing where the source refuses to be counted, and a fault of ours or a cancellation is none of those", async () => {
    const { signal } = new AbortController();
    expect(await countOrNull({ signal }, () => Promise.reject(refused))).toBeNull();
    await expect(countOrNull({ signal }, () => Promise.reject(new TypeError("ours")))).rejects.toThrow("ours");
    const cancelled = AbortSignal.abort(new Error("cancelled"));
    await expect(countOrNull({ signal: cancelled }, () => Promise.reject(refused))).rejects.toThrow("cancelled");
  });
});
