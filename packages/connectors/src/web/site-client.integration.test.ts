import { setImmediate } from "node:timers/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { collectBytes } from "../content.ts";
import { createGuardedFetch, type GuardedFetch } from "../guarded-fetch.ts";
import { systemClock } from "../clock.ts";
import { openHostPaces } from "./host-paces.ts";
import { createSiteClient, readBody, type SiteClient } from "./site-client.ts";

describe("createSiteClient, where connections are cut", () => {
  let server: Server;
  let fetch: GuardedFetch;
  let client: SiteClient;
  let origin: string;
  /** The number of the connection and of its request, in the order in which they came. */
  let asked: string[];
  let isCut: (request: number) => boolean;

  beforeEach(async () => {
    asked = [];
    const connections = new Map<Socket, { number: number; requests: number }>();
    server = createServer(({ socket }, response) => {
      const connection = connections.get(socket) ?? { number: connections.size + 1, requests: 0 };
      connections.set(socket, connection);
      connection.requests += 1;
      asked.push(`${connection.number}.${connection.requests}`);
      if (isCut(connection.requests)) socket.resetAndDestroy();
      else response.end("the answer");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    fetch = createGuardedFetch({ allowPrivateHosts: true, timeoutMs: 10_000 });
    client = createSiteClient({
      fetch,
      identity: { userAgent: "x", from: null },
      login: null,
      paces: openHostPaces({ requestsPerSecond: 1000, concurrency: 1 }, new Map()),
      signal: new AbortController().signal,
      clock: systemClock,
    });
  });
  afterEach(async () => {
    await fetch.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  const get = async (path: string) => {
    const response = await client.get(origin + path);
    return new TextDecoder().decode(await collectBytes(readBody(response, origin, 1000)));
  };

  it("asks once more where a connection that was kept open had ended before the answer began", async () => {
    isCut = (request) => request === 2;
    expect(await get("/1")).toBe("the answer");
    // The connection is free for the next request.
    await setImmediate();
    expect(await get("/2")).toBe("the answer");
    expect(asked).toEqual(["1.1", "1.2", "2.1"]);
  });

  it("does not ask a third time", async () => {
    isCut = () => true;
    await expect(get("/")).rejects.toMatchObject({ code: "SOURCE_UNREACHABLE" });
    expect(asked).toEqual(["1.1", "2.1"]);
  });
});
