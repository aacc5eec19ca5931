import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { isAnnealError } from "@anneal/core/errors";
import { drive_v3 } from "@googleapis/drive";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createDriveHarness, type DriveHarness } from "../../conformance/fake-google/drive-harness.ts";
import { MemoryDirectory } from "../../conformance/memory-directory.ts";
import { MemoryTarget } from "../../conformance/memory-target.ts";
import { testContext } from "../../conformance/test-context.ts";
import { RemoteError } from "../remote/remote-client.ts";
import type { RemoteEvent } from "../remote/remote-observer.ts";
import { gcsConfigSchema } from "./config.ts";
import { createDriveClient, getFile, readAccount } from "./drive-api.ts";
import { gcsConnector } from "./gcs-connector.ts";
import { gdriveConnector } from "./gdrive-connector.ts";
import { createGoogleClient } from "./google-client.ts";
import { parseServiceAccount } from "./service-account.ts";

/** What this process asks of others, by Node's own client and by both kinds of fetch. */
const channels = ["http.client.request.created", "undici:request:create"];

describe("Google's own libraries", () => {
  let harness: DriveHarness;
  let folder: string;
  let sent: string[];
  let announced: RemoteEvent[];
  const notice = (_: unknown, channel: string | symbol) => void sent.push(String(channel));
  const context = testContext({
    onRemoteEvent: (event) => void (event.type === "request" && announced.push(event)),
  });

  beforeEach(async () => {
    [sent, announced] = [[], []];
    harness = await createDriveHarness("shared-drive");
    folder = await mkdtemp(join(tmpdir(), "anneal-google-"));
    for (const channel of channels) subscribe(channel, notice);
    // What such a library finds on a machine of Google's, or on one where somebody works with Google's tools.
    const keyFile = join(folder, "key.json");
    await writeFile(keyFile, harness.google.tokens.keyFile());
    vi.stubEnv("GOOGLE_APPLICATION_CREDENTIALS", keyFile);
    vi.stubEnv("GCE_METADATA_HOST", new URL(harness.google.endpoint).host);
    vi.stubEnv("GOOGLE_CLOUD_UNIVERSE_DOMAIN", "elsewhere.example");
    vi.stubEnv("HTTPS_PROXY", harness.google.endpoint);
  });
  afterEach(async () => {
    for (const channel of channels) unsubscribe(channel, notice);
    vi.unstubAllEnvs();
    await rm(folder, { recursive: true });
    await harness.close();
  });

  const openDrive = () => {
    const { config, secrets } = harness;
    return createDriveClient({ account: parseServiceAccount(secrets.serviceAccountKey), config, context });
  };
  const thrownBy = (work: Promise<unknown>) =>
    work.then(
      () => null,
      (error: unknown) => error,
    );

  it("send nothing but through the gateway, and find no credentials but ours", async () => {
    const { google, config, secrets, put } = harness;
    await put("plans/a.md", "Alpha");
    google.buckets.buckets.set("archive", new Map());
    google.buckets.put("archive", "b.md", "Beta");
    const drive = new MemoryTarget();
    await drive.apply(gdriveConnector.read({ config, secrets, cursor: null, known: drive.known(), context }));
    await MemoryDirectory.read(gdriveConnector.readDirectory!({ config, secrets, context }));
    const bucket = new MemoryTarget();
    const place = gcsConfigSchema.parse({ bucket: "archive", endpoint: google.endpoint, allowPrivateHosts: true });
    await bucket.apply(gcsConnector.read({ config: place, secrets, cursor: null, known: bucket.known(), context }));
    expect([drive, bucket].map(({ documents }) => documents.size)).toEqual([1, 1]);
    expect(announced.length).toBeGreaterThan(10);
    expect(sent).toEqual(announced.map(() => "undici:request:create"));
    expect(google.takeLog().length).toBe(announced.length);
    // Unsigned, for they have no key: they look for none either.
    expect(await thrownBy(gcsConnector.check(place, {}, context))).toBeNull();
    expect(google.takeLog()).toEqual(["GET /storage/v1/b/archive/o"]);
  });

  it("would be noticed if they did", async () => {
    const library = new drive_v3.Drive({ rootUrl: harness.google.endpoint, retry: false });
    await thrownBy(library.about.get({ fields: "user" }));
    expect([sent.length, announced.length]).toEqual([1, 0]);
  });

  it("ask where the settings say, whatever the environment does", async () => {
    const asked: string[] = [];
    const fetchImplementation = async (input: unknown) => (asked.push(String(input)), Response.json({}));
    const client = createGoogleClient({
      service: "Google Drive",
      baseUrl: "https://www.googleapis.com",
      open: async (library) => new drive_v3.Drive({ ...library, fetchImplementation }),
      account: null,
      subject: null,
      scopes: [],
      place: { endpoint: null, allowPrivateHosts: false },
      context,
    });
    await thrownBy(readAccount(client as ReturnType<typeof openDrive>));
    await client.close();
    expect(asked).toEqual(["https://www.googleapis.com/drive/v3/about?fields=user%28emailAddress%29"]);
  });

  it("repeat nothing that the gateway gave up, and hand on its error alone", async () => {
    const client = openDrive();
    const { google } = harness;
    const missing = await thrownBy(getFile(client, "none"));
    expect(missing).toBeInstanceOf(RemoteError);
    expect(missing).toMatchObject({ status: 404, code: "SOURCE_NOT_FOUND" });
    expect(google.takeLog()).toEqual(["POST /token", "GET /drive/v3/files/none"]);
    Object.assign(google.drive, { userEmail: 7 });
    const unread = await thrownBy(readAccount(client));
    await client.close();
    expect(unread).toMatchObject({ code: "SOURCE_UNREACHABLE", message: expect.stringContaining("user.emailAddress") });
    for (const error of [missing, unread]) {
      expect(isAnnealError(error)).toBe(true);
      expect(inspect(error, { depth: 10, showHidden: true })).not.toMatch(/bearer|x-goog-api-client|fetchImpl/i);
    }
  });
});
