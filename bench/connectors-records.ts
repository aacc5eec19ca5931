import { hash } from "node:crypto";
import { startFakeConfluence } from "@anneal/connectors/conformance/fake-atlassian/fake-confluence";
import { startFakeJira } from "@anneal/connectors/conformance/fake-atlassian/fake-jira";
import { createTeamsHarness } from "@anneal/connectors/conformance/fake-microsoft/create-teams-harness";
import { FakeMongodb } from "@anneal/connectors/conformance/fake-mongodb/start-fake-mongodb";
import { FakeMssql } from "@anneal/connectors/conformance/fake-mssql/start-fake-mssql";
import { startFakeNotes } from "@anneal/connectors/conformance/fake-notes/start-fake-notes";
import { FakeNotion, paragraph } from "@anneal/connectors/conformance/fake-notion/fake-notion";
import { FakeSlack } from "@anneal/connectors/conformance/fake-slack/fake-slack";
import { findDovecot, startDovecot } from "@anneal/connectors/conformance/start-dovecot";
import { findMariadb, startMariadb } from "@anneal/connectors/conformance/start-mariadb";
import { linksTo, startSite } from "@anneal/connectors/conformance/start-site";
import { startTestPostgres } from "@anneal/connectors/conformance/start-test-postgres";
import { webConfigSchema } from "@anneal/connectors/web/config";
import { cursorOf } from "@anneal/connectors/web/crawl-journal";
import { linesOfCrawl, type BenchPage } from "./connectors-crawl.ts";
import { removeEarlierRun, writeEarlierRun, type EarlierLine, type EarlierRun } from "./connectors-earlier.ts";
import type { BenchSource, SourceRecipe } from "./connectors-source.ts";
import { documentName, documentText } from "./connectors-text.ts";

/** What is no file: rows, messages, pages, tickets. */
export const recordSources: Record<string, SourceRecipe> = {
  imap: { server: "dovecot", count: 1000, start: startMail },
  postgres: { server: "PostgreSQL", count: 10_000, start: startPostgresRows },
  mysql: { server: "MariaDB", count: 10_000, start: startMysqlRows },
  mssql: { server: "fake", count: 5000, start: startMssqlRows },
  mongodb: { server: "fake", count: 5000, start: startMongodbDocuments },
  rest: { server: "fake", count: 2000, start: (count) => startNotes("rest", count) },
  graphql: { server: "fake", count: 2000, start: (count) => startNotes("graphql", count) },
  confluence: { server: "fake", count: 300, start: startConfluence },
  jira: { server: "fake", count: 300, start: startJira },
  notion: { server: "fake", count: 500, start: startNotion },
  "notion-resumed": {
    server: "the same, 95 of 100 pages read by an earlier run, which is made up",
    count: 2000,
    start: startNotionMostlyRead,
  },
  slack: { server: "fake", count: 500, start: startSlackThreads },
  "slack-days": { server: "fake, days without threads", count: 5000, start: startSlackDays },
  teams: { server: "fake", count: 500, start: startTeams },
  web: { server: "a site on loopback, 1,000 requests/s allowed", count: 1000, start: startPages },
  "web-resumed": {
    server: "the same, 95 of 100 pages read by an earlier run, which is made up",
    count: 2000,
    start: startPagesMostlyRead,
  },
};

async function startMail(count: number): Promise<BenchSource | null> {
  const program = findDovecot();
  if (program === null) return null;
  const mail = { user: "reader@example.org", password: "reader-password" };
  // Nobody signs in with a token.
  const accounts = { users: [mail.user], password: mail.password, introspectionUrl: "http://127.0.0.1:9/" };
  const dovecot = await startDovecot(program, accounts);
  const place = { host: "127.0.0.1", port: dovecot.port };
  await dovecot.deliver(mail.user, messages(count));
  return {
    kind: "imap",
    config: { ...place, allowPrivateHosts: true, tls: "none", user: mail.user },
    secrets: { password: mail.password },
    stop: () => dovecot.stop(),
  };
}

function* messages(count: number): Iterable<string> {
  for (let index = 0; index < count; index += 1) {
    const head = `From: Ann <ann@example.org>\r\nSubject: Note ${index}\r\nMessage-ID: <${index}@example.org>`;
    yield `${head}\r\n\r\n${documentText(index).replaceAll("\n", "\r\n")}`;
  }
}

const linksPerPage = 50;
const dayMs = 24 * 60 * 60_000;
/** Of what an earlier run has left unfinished. */
const readShare = 0.95;
const reader = { user: "reader", password: "reader-password" };
const local = { host: "127.0.0.1", allowPrivateHosts: true };

async function startPostgresRows(count: number): Promise<BenchSource> {
  const server = await startTestPostgres();
  await server.run("postgres", `CREATE ROLE ${reader.user} LOGIN PASSWORD '${reader.password}'`);
  await server.run("postgres", "CREATE DATABASE papers");
  await server.run(
    "papers",
    `CREATE TABLE page AS SELECT n AS id, 'Note ' || n AS title, repeat('A look at the pump. ', 50) AS body,
       clock_timestamp() AS changed FROM generate_series(1, ${count}) AS n;
     ALTER TABLE page ADD PRIMARY KEY (id); GRANT SELECT ON page TO ${reader.user}`,
  );
  return databaseSource("postgres", server.port, () => server.stop());
}

async function startMysqlRows(count: number): Promise<BenchSource | null> {
  const program = findMariadb();
  if (program === null) return null;
  const server = await startMariadb(program);
  await server.run(null, `CREATE USER ${reader.user} IDENTIFIED BY '${reader.password}'; CREATE DATABASE papers`);
  await server.run(
    "papers",
    `SET max_recursive_iterations = ${count + 1};
     CREATE TABLE page (id int PRIMARY KEY, title varchar(200), body text, changed datetime(6) NOT NULL DEFAULT now(6));
     INSERT INTO page (id, title, body) WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < ${count})
       SELECT n, concat('Note ', n), repeat('A look at the pump. ', 50) FROM s;
     GRANT SELECT ON papers.* TO ${reader.user}`,
  );
  return databaseSource("mysql", server.port, () => server.stop());
}

async function startMssqlRows(count: number): Promise<BenchSource> {
  const server = new FakeMssql();
  await server.start();
  server.create("papers").exec(
    `CREATE TABLE page (id int PRIMARY KEY, title nvarchar(200), body "nvarchar(max)", changed datetime2);
     WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < ${count})
     INSERT INTO page SELECT n, 'Note ' || n, '${"A look at the pump. ".repeat(50)}', '2026-01-01 00:00:00.0000000' FROM s`,
  );
  const rights = { roles: ["db_datareader"], databasePermissions: ["CONNECT", "SELECT"], objectPermissions: [] };
  server.logins.set(reader.user, { password: reader.password, ...rights });
  return databaseSource("mssql", server.port, () => server.stop());
}

function databaseSource(kind: string, port: number, stop: () => Promise<void>): BenchSource {
  const config = { ...local, port, database: "papers", user: reader.user, tables: [{ name: "page" }] };
  return { kind, config, secrets: { password: reader.password }, stop };
}

async function startMongodbDocuments(count: number): Promise<BenchSource> {
  const server = new FakeMongodb();
  await server.start();
  server.batchDocuments = 1000;
  const actions = ["find", "listCollections", "killCursors", "collStats"];
  server.users.set(reader.user, {
    password: reader.password,
    roles: [{ role: "readAnyDatabase", db: "admin" }],
    privileges: [{ resource: { db: "", collection: "" }, actions }],
  });
  const documents = server.collection("papers", "page");
  for (let index = 0; index < count; index += 1) documents.push({ _id: index, body: documentText(index) });
  server.lists.settled = true;
  const config = { ...local, port: server.port, database: "papers", user: reader.user };
  return {
    kind: "mongodb",
    config: { ...config, collections: [{ name: "page" }] },
    secrets: { password: reader.password },
    stop: () => server.stop(),
  };
}

async function startNotes(kind: "rest" | "graphql", count: number): Promise<BenchSource> {
  const notes = await startFakeNotes();
  notes.pageSize = 1000;
  for (let index = 0; index < count; index += 1) notes.put(documentName(index), documentText(index));
  notes.lists.settled = true;
  const shared = { id: "id", title: "{name}", content: ["{text}"], updatedAt: "updatedAt", allowPrivateHosts: true };
  const config =
    kind === "rest"
      ? { url: `${notes.origin}/api`, list: "notes", items: "data.items", pagination: "page", ...shared }
      : {
          url: `${notes.origin}/graphql`,
          query: [
            "query ($first: Int!, $after: String) {",
            "  notes(first: $first, after: $after) {",
            "    edges { node { id name updatedAt text } }",
            "    pageInfo { hasNextPage endCursor }",
            "  }",
            "}",
          ],
          variables: ["first=1000"],
          items: "notes.edges[*].node",
          pageInfo: "notes.pageInfo",
          ...shared,
        };
  return { kind, config, secrets: {}, stop: () => notes.stop() };
}

async function startConfluence(count: number): Promise<BenchSource> {
  const fake = await startFakeConfluence();
  const { site } = fake;
  site.pageSize = 100;
  site.setGroup("confluence-users", [site.bot.accountId]);
  fake.entrances.add("group-id-confluence-users");
  const space = fake.addSpace("KB", { users: [], groups: ["group-id-confluence-users"] });
  for (let index = 0; index < count; index += 1) {
    fake.add(space, { title: `Note ${index}`, body: `<p>${documentText(index)}</p>` });
  }
  site.lists.settled = true;
  return {
    kind: "confluence",
    config: { url: site.url, email: site.bot.email, spaces: ["KB"], allowPrivateHosts: true },
    secrets: { token: site.token },
    stop: () => fake.close(),
  };
}

async function startJira(count: number): Promise<BenchSource> {
  const fake = await startFakeJira();
  const { site } = fake;
  site.pageSize = 100;
  site.setGroup("jira-users", [site.bot.accountId]);
  fake.applicationGroups.add("group-id-jira-users");
  const project = fake.addProject("SUP", { browse: [{ type: "applicationRole" }] });
  for (let index = 0; index < count; index += 1) {
    fake.add(project, { summary: `Note ${index}`, description: documentText(index) });
  }
  site.lists.settled = true;
  return {
    kind: "jira",
    config: { url: site.url, email: site.bot.email, projects: ["SUP"], allowPrivateHosts: true },
    secrets: { token: site.token },
    stop: () => fake.close(),
  };
}

async function startNotion(count: number): Promise<BenchSource> {
  return notionSource(await fillNotion(count, new Date()));
}

/** They were edited long ago, so that what was read of them counts. */
async function startNotionMostlyRead(count: number): Promise<BenchSource> {
  const notion = await fillNotion(count, new Date(Date.now() - 30 * dayMs));
  const settledTo = new Date(Date.now() - dayMs).toISOString();
  const cursor = { version: 1, editedTo: null, settledTo, syncs: 0, retry: [], total: count };
  const read = [...notion.pages.values()].slice(0, Math.floor(count * readShare));
  const lines = read.map(({ id, editedAt }): EarlierLine => {
    // Notion tells the minute, and what follows it is only compared where the minute is another.
    const minute = `${editedAt.toISOString().slice(0, 16)}:00.000Z`;
    return { ref: id, fingerprint: `${minute}|1-${hash("sha256", id).slice(0, 32)}`, entries: [] };
  });
  return goingOn(notionSource(notion), await writeEarlierRun(cursor, lines));
}

async function fillNotion(count: number, editedAt: Date): Promise<FakeNotion> {
  const notion = await FakeNotion.start();
  notion.pageSize = 100;
  for (let index = 0; index < count; index += 1) {
    notion.addPage(`Note ${index}`, [paragraph(documentText(index))], { editedAt });
  }
  notion.lists.settled = true;
  return notion;
}

function notionSource(notion: FakeNotion): BenchSource {
  return {
    kind: "notion",
    config: { apiUrl: notion.apiUrl, allowPrivateHosts: true },
    secrets: { token: notion.token },
    stop: () => notion.close(),
  };
}

/** Each document is a thread, whose replies are asked for. */
async function startSlackThreads(count: number): Promise<BenchSource> {
  const slack = await FakeSlack.start();
  const { id } = slack.addUser("ann");
  const channels = Array.from({ length: 10 }, (_, index) => slack.addChannel(`channel-${index}`));
  for (let index = 0; index < count; index += 1) {
    const channel = channels[index % channels.length]!;
    const root = slack.post(channel, id, documentText(index));
    slack.post(channel, id, "Thanks, noted.", { thread: root.ts });
  }
  return slackSource(slack);
}

/** Each document is a day of a channel, which its history tells whole. */
async function startSlackDays(count: number): Promise<BenchSource> {
  const slack = await FakeSlack.start();
  const { id } = slack.addUser("ann");
  const today = Date.now();
  for (let start = 0; start < count; start += 1000) {
    const channel = slack.addChannel(`channel-${start}`);
    for (let index = start; index < Math.min(count, start + 1000); index += 1) {
      slack.post(channel, id, documentText(index), { at: new Date(today - (index - start) * dayMs) });
    }
  }
  return slackSource(slack);
}

function slackSource(slack: FakeSlack): BenchSource {
  slack.pageSize = 200;
  slack.lists.settled = true;
  return {
    kind: "slack",
    config: { apiUrl: slack.apiUrl, allowPrivateHosts: true },
    secrets: { botToken: slack.token },
    stop: () => slack.close(),
  };
}

async function startTeams(count: number): Promise<BenchSource> {
  const { fake, teamId, config, secrets, close } = await createTeamsHarness();
  fake.tenant.pageSize = 50;
  const { messages } = fake.tenant.addChannel(teamId, "General", "standard");
  for (let index = 0; index < count; index += 1) fake.tenant.post(messages, documentText(index));
  fake.tenant.lists.settled = true;
  return { kind: "teams", config, secrets, stop: close };
}

/** A tree, as websites are: each page leads to as many others as there is place for in a menu. */
async function startPages(count: number): Promise<BenchSource> {
  const site = await startSite();
  for (const { url, title, text, links } of pagesOf(site.origin, count)) {
    const { pathname } = new URL(url);
    const body = `<title>${title}</title><main><p>${text}</p></main>${linksTo(links.map((link) => new URL(link).pathname))}`;
    site.pages.set(pathname, { body });
  }
  const pace = { requestsPerSecond: 1000, concurrency: 4, maxPages: count, maxPagesPerPattern: Math.max(10, count) };
  const config = { url: `${site.origin}/`, ...pace, render: "never", allowPrivateHosts: true };
  return { kind: "web", config, secrets: {}, stop: () => site.stop() };
}

/** The first of them are known from an earlier run, which was ended there. */
async function startPagesMostlyRead(count: number): Promise<BenchSource> {
  const source = await startPages(count);
  const config = webConfigSchema.parse(source.config);
  const pages = pagesOf(new URL(config.url).origin, Math.floor(count * readShare), count);
  return goingOn(source, await writeEarlierRun(cursorOf(config, null, Date.now()), linesOfCrawl(pages)));
}

/** The source with what an earlier run has left of it. */
function goingOn(source: BenchSource, earlier: EarlierRun): BenchSource {
  return {
    ...source,
    earlier,
    async stop() {
      await source.stop();
      await removeEarlierRun(earlier);
    },
  };
}

/** The first pages of so many, in the order in which a crawl meets them. */
function* pagesOf(origin: string, count: number, ofAll = count): Iterable<BenchPage> {
  const urlOf = (index: number) => `${origin}${index === 0 ? "/" : `/note-${index}`}`;
  for (let index = 0; index < count; index += 1) {
    const first = index * linksPerPage + 1;
    const below = Array.from({ length: Math.max(0, Math.min(linksPerPage, ofAll - first)) }, (_, at) => first + at);
    // Pages that differ in digits alone are taken for a trap.
    const spelled = String(index).replace(/\d/g, (digit) => "abcdefghij".charAt(Number(digit)));
    const text = `Of ${spelled}. ${documentText(index)}`;
    yield { url: urlOf(index), depth: depthOf(index), title: `Note ${index}`, text, links: below.map(urlOf) };
  }
}

function depthOf(index: number): number {
  return index === 0 ? 0 : 1 + depthOf(Math.floor((index - 1) / linksPerPage));
}
