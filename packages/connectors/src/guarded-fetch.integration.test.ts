import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startSite, type TestSite } from "../conformance/start-site.ts";
import { createGuardedFetch, toFetchError } from "./guarded-fetch.ts";
import type { Resolve } from "./host-guard.ts";
import { readText } from "./remote/remote-answer.ts";

const request = { signal: new AbortController().signal };

describe("createGuardedFetch", () => {
  let site: TestSite;
  beforeEach(async () => {
    site = await startSite();
    site.pages.set("/", { body: "inside" });
  });
  afterEach(() => site.stop());

  const resolvesTo =
    (...answers: string[][]): Resolve =>
    (_host, _options, callback) => {
      const addresses = answers.length > 1 ? answers.shift()! : answers[0]!;
      callback(
        null,
        addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })),
      );
    };
  const urlOf = (host: string) => `http://${host}:${new URL(site.origin).port}/`;

  it("refuses a public name that leads to a private address, at the moment of connecting", async () => {
    const guarded = createGuardedFetch({
      allowPrivateHosts: false,
      timeoutMs: 2000,
      resolve: resolvesTo(["127.0.0.1"]),
    });
    await expect(guarded.fetch(urlOf("public.example"), request)).rejects.toMatchObject({ code: "SOURCE_FORBIDDEN" });
    await guarded.close();
    expect(site.takeLog()).toEqual([]);
  });

  it("refuses a name whose answer mixes public and private addresses", async () => {
    const resolve = resolvesTo(["93.184.216.34", "127.0.0.1"]);
    const guarded = createGuardedFetch({ allowPrivateHosts: false, timeoutMs: 2000, resolve });
    await expect(guarded.fetch(urlOf("mixed.example"), request)).rejects.toMatchObject({ code: "SOURCE_FORBIDDEN" });
    await guarded.close();
  });

  it("judges a name anew when it resolves differently for the next connection", async () => {
    const resolve = resolvesTo(["127.0.0.1"], ["169.254.169.254"]);
    const guarded = createGuardedFetch({ allowPrivateHosts: true, timeoutMs: 2000, resolve });
    const first = await guarded.fetch(urlOf("rebinding.example"), { ...request, headers: { connection: "close" } });
    expect(await readText(first.body())).toBe("inside");
    await site.stop();
    await site.start();
    await expect(guarded.fetch(urlOf("rebinding.example"), request)).rejects.toMatchObject({
      code: "SOURCE_FORBIDDEN",
    });
    await guarded.close();
  });

  it("returns a redirect instead of following it, and fetches nothing but http", async () => {
    site.pages.set("/", { body: "", status: 302, headers: { location: "http://169.254.169.254/" } });
    const guarded = createGuardedFetch({ allowPrivateHosts: true, timeoutMs: 2000 });
    expect((await guarded.fetch(site.origin, request)).status).toBe(302);
    for (const url of ["file:///etc/passwd", "ftp://example.org/", "data:text/plain,x"]) {
      await expect(guarded.fetch(url, request)).rejects.toMatchObject({ code: "INVALID_INPUT" });
    }
    // Ports that the fetch standard keeps from web pages.
    await expect(guarded.fetch("http://127.0.0.1:9/", request)).rejects.toMatchObject({
      code: "INVALID_INPUT",
      message: expect.stringContaining("Port 9 is kept for another protocol"),
    });
    await guarded.close();
  });

  it("leaves no timer behind, whether a body is read, thrown away, empty or never comes", async () => {
    site.pages.set("/empty", { body: "", status: 204 });
    let open: () => void = () => {};
    site.pages.set("/never", { body: "", gate: new Promise<void>((resolve) => (open = resolve)) });
    const guarded = createGuardedFetch({ allowPrivateHosts: true, timeoutMs: 60_000 });
    const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
    const before = timers();
    expect(await readText((await guarded.fetch(site.origin, request)).body())).toBe("inside");
    (await guarded.fetch(site.origin, request)).discard();
    await guarded.fetch(`${site.origin}/empty`, request);
    const abort = new AbortController();
    const never = guarded.fetch(`${site.origin}/never`, { signal: abort.signal });
    abort.abort();
    await expect(never).rejects.toMatchObject({ name: "AbortError" });
    await expect(guarded.fetch("http://127.0.0.1:1/", request)).rejects.toMatchObject({ code: "INVALID_INPUT" });
    open();
    await guarded.close();
    expect(timers()).toBeLessThanOrEqual(before);
  });

  it("ends an answer that trickles without an end, as one that took too long", async () => {
    const server = createServer((_request, response) => {
      response.writeHead(200);
      const trickle = setInterval(() => response.write("x"), 20);
      response.on("close", () => clearInterval(trickle));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    const guarded = createGuardedFetch({ allowPrivateHosts: true, timeoutMs: 50 });
    const response = await guarded.fetch(url.href, request);
    const error = await readText(response.body()).then(
      () => null,
      (thrown: unknown) => toFetchError(thrown, url),
    );
    expect(error).toMatchObject({ code: "SOURCE_UNREACHABLE", message: expect.stringContaining("took too long") });
    await guarded.close();
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });
});
