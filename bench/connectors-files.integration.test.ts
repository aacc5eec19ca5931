import { it } from "vitest";
import { expectAllRead, limitMs, once, twice } from "./connectors-at-full-size.ts";

it.for([
  ["file", twice],
  ["smb-plain", twice],
  ["sftp", twice],
  ["s3", twice],
  ["azure-blob", twice],
  ["gcs", twice],
  ["gdrive", twice],
  ["sharepoint", once],
  ["onedrive", once],
] as const)(
  "reads 100,000 documents of %s within bounded memory, and none again",
  { timeout: limitMs },
  (source, context) => expectAllRead(source, context),
);
