import { QueryClient, QueryObserver } from "@tanstack/react-query";
import { afterEach, expect, it, vi } from "vitest";
import { refreshQueries } from "./refresh-queries.ts";

const client = new QueryClient({ defaultOptions: { queries: { staleTime: Infinity } } });
afterEach(() => client.clear());

/** A query that is shown, and the answers that it waits for, in the order in which they were asked for. */
function show(name: string) {
  const asked: ((answer: string) => void)[] = [];
  const queryFn = () => new Promise<string>((resolve) => asked.push(resolve));
  const observer = new QueryObserver(client, { queryKey: [name, "of a page"], queryFn });
  observer.subscribe(() => undefined);
  return { asked, shown: () => observer.getCurrentResult().data };
}

it("asks again for what was first asked for before the change and is answered after it", async () => {
  const { asked, shown } = show("syncs");
  refreshQueries(client, ["syncs"]);
  asked[0]!("as it was before");
  await vi.waitFor(() => expect(asked).toHaveLength(2));
  asked[1]!("as it is");
  await vi.waitFor(() => expect(shown()).toBe("as it is"));
  expect(asked).toHaveLength(2);
});

it("asks once for what is shown already, and lets the answer to an older question go", async () => {
  const { asked, shown } = show("syncs");
  asked[0]!("first");
  await vi.waitFor(() => expect(shown()).toBe("first"));
  refreshQueries(client);
  refreshQueries(client);
  asked[2]!("as it is");
  asked[1]!("as it was before");
  await vi.waitFor(() => expect(shown()).toBe("as it is"));
  expect(asked).toHaveLength(3);
});

it("asks for nothing that did not change", async () => {
  const [changed, other] = [show("syncs"), show("chat")];
  for (const { asked } of [changed, other]) asked[0]!("first");
  await vi.waitFor(() => expect([changed.shown(), other.shown()]).toEqual(["first", "first"]));
  refreshQueries(client, ["syncs"]);
  await vi.waitFor(() => expect(changed.asked).toHaveLength(2));
  expect(other.asked).toHaveLength(1);
});
