import { it } from "vitest";
import { expectAllRead, limitMs, once, twice } from "./connectors-at-full-size.ts";

it.for([
  // With its contents, as one for all.
  ["postgres", []],
  ["mongodb", twice],
  ["rest", twice],
  ["imap", twice],
  ["jira", twice],
  ["confluence", twice],
  ["slack-days", twice],
  ["teams", twice],
] as const)(
  "reads 100,000 documents of %s within bounded memory, and none again",
  { timeout: limitMs },
  (source, context) => expectAllRead(source, context),
);

it.for([
  ["mysql", once],
  ["mssql", once],
  ["graphql", once],
] as const)("reads 100,000 documents of %s within bounded memory", { timeout: limitMs }, (source, context) =>
  expectAllRead(source, context),
);

// A page is three times the work of a file's permissions: most of them are not read here, but held as if they had been.
it.for([
  ["notion-resumed", twice],
  ["web-resumed", once],
] as const)(
  "goes on with 100,000 pages of %s, of which a made-up earlier run has read 95,000, within bounded memory",
  { timeout: limitMs },
  (source, context) => expectAllRead(source, context),
);
