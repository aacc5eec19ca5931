import { it } from "vitest";
import { expectAllRead, limitMs, once, twice } from "./connectors-at-full-size.ts";

it.for([
  ["file", twice],
  ["s3", twice],
  ["gdrive", twice],
] as const)(
  "reads 100,000 documents of %s within bounded memory, and none again",
  { timeout: limitMs },
  (source, context) => expectAllRead(source, context),
);

it.for([
  ["smb-plain", once],
  ["sftp", once],
  ["azure-blob", once],
  ["gcs", once],
  ["sharepoint", once],
  ["onedrive", once],
] as const)("reads 100,000 documents of %s within bounded memory", { timeout: limitMs }, (source, context) =>
  expectAllRead(source, context),
);
