import { Client } from "pg";
import type { SourceUriOptions } from "../src/source-uri.ts";
import { startMoto } from "./start-moto.ts";
import { linksTo, startSite, type TestSite } from "./start-site.ts";

/** A bucket, a database and a website with a few documents each, as addresses that `--source` takes. */
export type TestSources = {
  uris: { bucket: string; table: string; query: string; site: string };
  options: SourceUriOptions;
  site: TestSite;
  putObject(key: string, text: string): Promise<void>;
  deleteObject(key: string): Promise<void>;
  /** From here on the bucket wants a valid key, or again none. */
  requireKeys(required: boolean): Promise<void>;
  runSql(sql: string): Promise<void>;
  stop(): Promise<void>;
};

export const bucketDocuments: Record<string, string> = {
  "manuals/boiler.md": `# Boiler\n\nThe boiler in the cellar is lit on the first of October and rests from the end of April. The caretaker reads its pressure every Tuesday morning and writes the value on the sheet beside the door. When the needle stands below one bar, water is added slowly until it reaches one and a half. A service firm from Ostrau cleans the burner each September and leaves its report in the office.\n`,
  "manuals/lift.md": `# Lift\n\nThe goods lift carries six hundred kilograms, and people may not ride in it. Pallets are wrapped before they go up, because loose cartons have jammed the gate twice. The key hangs in the porter's room and is signed for by name and hour. After a power cut the cabin returns to the ground floor by itself, which takes about three minutes.\n`,
  "manuals/roof.md": `# Roof\n\nThe flat roof is walked twice a year, after the leaves have fallen and after the last snow. Gutters are emptied by hand, and the sieve above the downpipe is lifted and rinsed. Whoever goes up wears a harness and tells the front desk when they leave and when they are back. Photographs of cracks are stored with the date in the building's folder.\n`,
};

const pages: Record<string, [title: string, text: string]> = {
  "/": [
    "Harbour library",
    "The harbour library lends books, maps and sea charts to everyone who lives in the district. It opens at ten in the morning and closes at seven in the evening, on Saturdays at two. New members bring a letter with their address and receive a card on the same day. Children need the signature of a parent, and their cards cost nothing.",
  ],
  "/loans": [
    "Loans",
    "Books are lent for four weeks and charts for one. A loan is renewed once by telephone unless somebody else has reserved the title. Reference works stay in the reading room, where copies are made for ten cents a page. Damaged bindings are reported at the desk and mended by the bindery next door, which works on Wednesdays.",
  ],
  "/rooms": [
    "Rooms",
    "Two rooms above the hall can be used by clubs and classes in the evening. The larger one seats forty people and has a projector; the smaller one has a round table for twelve. Requests are written into the calendar at least a week ahead. Chairs are put back along the wall, and the last one out turns off the heating.",
  ],
};

export function pageOf(title: string, text: string, links: string[] = []): string {
  return `<html><head><title>${title}</title></head><body><main><h1>${title}</h1><p>${text}</p></main>${linksTo(links)}</body></html>`;
}

/** moto looks at the name in it and, unless it is told to, at nothing else. */
const authorization =
  "AWS4-HMAC-SHA256 Credential=testing/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=x";

/** @param databaseUrl of an owner, who may create the database that is read */
export async function startTestSources(python: string, databaseUrl: string): Promise<TestSources> {
  const [moto, site] = await Promise.all([startMoto(python), startSite()]);
  const atBucket = async (path: string, init: RequestInit) => {
    const response = await fetch(`${moto.endpoint}/${path}`, { ...init, headers: { authorization } });
    if (!response.ok) throw new Error(`${init.method} ${path}: ${response.status}`);
  };
  const putObject = (key: string, body: string) => atBucket(`papers/${key}`, { method: "PUT", body });
  await atBucket("papers", { method: "PUT" });
  for (const [key, text] of Object.entries(bucketDocuments)) await putObject(key, text);

  const paths = Object.keys(pages);
  for (const [path, [title, text]] of Object.entries(pages)) site.pages.set(path, { body: pageOf(title, text, paths) });

  const database = new URL(databaseUrl);
  await runSql(database, "create database harbour");
  database.pathname = "/harbour";
  await runSql(
    database,
    `create table berths (id int primary key, title text, body text);
     insert into berths values
       (1, 'North pier', 'The north pier takes ferries and the mail boat. Its bollards are numbered from the land outwards, and numbers seven to nine are kept free for the fire boat. The harbour master gives out the berths by radio on channel twelve, and a boat that arrives at night waits at the yellow buoy until it is called in.'),
       (2, 'Fishing quay', 'The fishing quay belongs to the cooperative, which washes it down after each landing. Crates are weighed on the green scale, whose seal is renewed in March. Nets may dry on the railings from noon onwards, but ropes are coiled and stowed, because the cart passes here on its way to the ice house.'),
       (3, 'Winter basin', 'The winter basin is closed by a boom from November to March. Yachts lie there without their masts and are pumped out by the watchman, who makes his round at six and at eighteen. Electric heaters are forbidden on board, and covers must leave a gap for air at the bow and at the stern.');
     create table notices (id int primary key, title text, body text, public boolean);
     insert into notices values
       (1, 'Dredging', 'The channel between the moles is dredged in the second half of May. During that time ships with a draught above four metres enter only two hours before and after high water. The dredger shows a red ball on the side that must not be passed, and a green one on the side that is clear for traffic.', true),
       (2, 'Fog signal', 'The fog signal on the east mole sounds two long tones each minute when the sight falls below eight hundred metres. Its compressor is tested on the first Monday of the month at noon, for one minute only. Complaints about the noise are answered by the harbour office, not by the lighthouse keeper.', true),
       (3, 'Wages', 'This line of text about wages is nobody''s but the office''s and must not be read.', false);`,
  );
  const query = "select id, title, body from notices where public";
  return {
    uris: {
      bucket: "s3://papers/manuals/",
      table: `${database.href}?tables=berths&writable=accept`,
      query: `${database.href}?query=${encodeURIComponent(query)}&key=id&writable=accept`,
      site: `${site.origin}/`,
    },
    options: { s3Endpoint: moto.endpoint, s3AccessKeyId: "AKIDHARBOUR", s3SecretAccessKey: "tide-table-secret" },
    site,
    putObject,
    deleteObject: (key) => atBucket(`papers/${key}`, { method: "DELETE" }),
    async requireKeys(required) {
      await fetch(`${moto.endpoint}/moto-api/reset-auth`, { method: "POST", body: required ? "0" : "Infinity" });
    },
    runSql: (sql) => runSql(database, sql),
    async stop() {
      await Promise.all([moto.stop(), site.stop()]);
    },
  };
}

async function runSql({ href }: URL, sql: string): Promise<void> {
  const client = new Client({ connectionString: href });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
