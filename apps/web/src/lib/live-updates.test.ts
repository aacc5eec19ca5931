import { hydrate, dehydrate, QueryClient, QueryObserver } from "@tanstack/react-query";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { clockSkewMs } from "./change-memory.ts";
import { createLiveUpdates, type LiveUpdates } from "./live-updates.tsx";

const longAgo = Date.UTC(2026, 0, 1);
let client: QueryClient;
let updates: LiveUpdates;
beforeEach(() => {
  client = new QueryClient({ defaultOptions: { queries: { staleTime: Infinity } } });
  updates = createLiveUpdates(client);
});
afterEach(() => client.clear());

/** A page that a server read, and that arrives and is shown only now. */
function arrive(router: string) {
  const server = new QueryClient();
  server.setQueryData([[router, "list"]], "as it was read");
  hydrate(client, dehydrate(server));
  const queryFn = vi.fn<() => Promise<string>>(async () => "as it is");
  new QueryObserver(client, { queryKey: [[router, "list"]], queryFn }).subscribe(() => undefined);
  return { queryFn, shown: () => client.getQueryData([[router, "list"]]) };
}

it("asks again for what was read before a change that was heard of before it arrived", async () => {
  updates.hear(["sources"], longAgo + clockSkewMs + 1);
  const page = arrive("connect");
  updates.catchUp(longAgo);
  await vi.waitFor(() => expect(page.shown()).toBe("as it is"));
});

it("takes what was read after all changes, and what none of them touched, as it came", async () => {
  updates.hear(["sources"], longAgo);
  updates.hear(["pools"], longAgo + 2 * clockSkewMs);
  const [older, other] = [arrive("connect"), arrive("chat")];
  updates.catchUp(longAgo + clockSkewMs + 1);
  // A change of its own is what asks for it, so that nothing else has by then.
  updates.hear(["conversations"], longAgo + 2 * clockSkewMs);
  await vi.waitFor(() => expect(other.shown()).toBe("as it is"));
  expect(other.queryFn).toHaveBeenCalledTimes(1);
  expect(older.queryFn).not.toHaveBeenCalled();
});

it("asks again for everything after a gap", async () => {
  updates.hear(["*"], longAgo);
  const page = arrive("connect");
  updates.catchUp(longAgo);
  await vi.waitFor(() => expect(page.shown()).toBe("as it is"));
});
