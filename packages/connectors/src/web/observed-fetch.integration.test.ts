import { expect, it } from "vitest";
import { startApi } from "../../conformance/start-api.ts";
import { testContext } from "../../conformance/test-context.ts";
import type { RemoteEvent } from "../remote/remote-observer.ts";
import { connectTo } from "./open-crawl.ts";
import { webConfigSchema } from "./config.ts";

it("counts a crawl's requests by the hosts that it was given, and tells no page and no other host", async () => {
  const site = await startApi(({ path }) => {
    if (path === "/robots.txt") return { status: 404 };
    return path === "/busy" ? { status: 503 } : { headers: { "content-type": "text/html" }, body: "<p>Hello</p>" };
  });
  const other = await startApi(() => ({ body: "" }));
  const events: RemoteEvent[] = [];
  const config = webConfigSchema.parse({ url: `${site.origin}/people/ann`, allowPrivateHosts: true });
  const context = testContext({ onRemoteEvent: (event) => events.push(event) });
  const connection = connectTo(config, {}, context);
  try {
    const { loader } = await connection.open();
    for (const url of [`${site.origin}/busy`, `${other.origin}/page`]) {
      await loader.client.get(url);
    }
  } finally {
    await connection.close();
    await site.stop();
    await other.stop();
  }
  const { host } = new URL(site.origin);
  const requests = events.flatMap((event) => (event.type === "request" ? [[event.host, event.status]] : []));
  expect(requests).toContainEqual([host, 404]);
  expect(requests.slice(-2)).toEqual([
    [host, 503],
    ["elsewhere", 200],
  ]);
  expect(events).toContainEqual({ type: "throttled", host });
  expect(JSON.stringify(events)).not.toMatch(/ann|busy/);
});
