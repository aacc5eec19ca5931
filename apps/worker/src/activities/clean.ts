import { findConnector } from "@anneal/connectors/registry";
import { addTriedLanguages, writeCleanDigest } from "@anneal/core/clean/clean-digest";
import { cleanDocument } from "@anneal/core/clean/clean-document";
import { defaultCleanPolicy } from "@anneal/core/clean/policy";
import { canonicalJson } from "@anneal/core/canonical-json";
import { documentText, type ParsedDocument } from "@anneal/core/document/element";
import { plainTitle } from "@anneal/core/document/plain-title";
import { AnnealError } from "@anneal/core/errors";
import type { StageInput } from "@anneal/core/loop/contract";
import type { Database, Scope } from "@anneal/db/database";
import {
  countSourceDocuments,
  getDocument,
  listDocumentDrops,
  listDocumentsToClean,
  saveCleaned,
  saveDropped,
  type Document,
} from "@anneal/db/queries/documents";
import { replaceDrops } from "@anneal/db/queries/loop";
import { isOfBounds } from "@anneal/documents/document-errors";
import type { ParserPool } from "@anneal/documents/parser-pool";
import type { ObjectStore } from "@anneal/objects/object-store";
import { cancellationSignal } from "@temporalio/activity";
import { createHash, randomUUID } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { Readable } from "node:stream";
import { mainContentVersion, type MainContentExtractor } from "../drivers/main-content.ts";
import type { StageCounts } from "../workflows/run-stage.ts";
import { createProgressReporter } from "./progress.ts";

export type CleanActivities = ReturnType<typeof createCleanActivities>;

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

/** Below this much text main-content extraction has thrown away the page; the whole page is parsed instead. */
const minMainContentChars = 200;

const parallelDocuments = 2;

export function createCleanActivities(deps: {
  db: Database;
  objects: ObjectStore;
  parsers: ParserPool;
  mainContent: MainContentExtractor;
}) {
  const { db, objects, parsers, mainContent } = deps;

  /** Changes whenever the outcome for the same bytes may change: a new parser or policy cleans everything again. */
  const cleanVersion = sha256(
    canonicalJson({ parserVersion: parsers.version(), mainContentVersion, policy: defaultCleanPolicy }),
  ).slice(0, 12);

  async function parse(
    document: Document,
    isOfWebsite: boolean,
    { tempDir, signal }: { tempDir: string; signal: AbortSignal },
    onRecognition: () => void,
  ): Promise<ParsedDocument> {
    const path = join(tempDir, randomUUID());
    try {
      await pipeline(Readable.from(await objects.stream(document.contentKey)), createWriteStream(path));
      const fileName = fileNameOf(document);
      if (isOfWebsite && document.mediaType?.startsWith("text/html")) {
        const html = await readFile(path, "utf8");
        const main = await mainContent.extract({ html, url: document.uri }, signal);
        if (main !== null && main.markdown.length >= minMainContentChars) {
          await pipeline(Readable.from([main.markdown]), createWriteStream(path));
          const parsed = await parsers.parse({ path, fileName: "page.md", mediaType: "text/markdown", signal });
          const title = main.title === null ? null : plainTitle(main.title, html);
          return { ...parsed, title: title || parsed.title, mediaType: "text/html" };
        }
      }
      return await parsers.parse({
        path,
        fileName,
        ...(document.mediaType === null ? {} : { mediaType: document.mediaType }),
        signal,
        onRecognition,
      });
    } finally {
      await rm(path, { force: true });
    }
  }

  /** @returns false when the document has got another content meanwhile: what was made of the old one is not kept */
  async function cleanOne(
    scope: Scope,
    { id: documentId, sourceKind }: { id: string; sourceKind: string },
    { languages, ...work }: { languages: readonly string[]; tempDir: string; signal: AbortSignal },
  ): Promise<boolean> {
    const document = await getDocument(scope, documentId);
    const isOfWebsite = findConnector(sourceKind)?.bringsWebPages ?? false;
    let needsRecognition = false;
    const digest = (cutByBounds = false) => {
      const from = { cleanVersion, contentHash: document.contentHash };
      const tried = needsRecognition ? addTriedLanguages(document.cleanDigest, from, languages) : null;
      return writeCleanDigest(from, tried, cutByBounds ? parsers.bounds() : null);
    };
    try {
      const parsed = await parse(document, isOfWebsite, work, () => (needsRecognition = true));
      const cleaned = cleanDocument(parsed, defaultCleanPolicy);
      if (cleaned.status === "dropped") {
        return await saveDropped(scope, document, {
          status: "dropped",
          cleanDigest: digest(parsed.cutByBounds),
          drop: { stage: "clean", code: cleaned.code, reason: cleaned.reason },
          quality: cleaned.quality,
        });
      }
      const bytes = Buffer.from(JSON.stringify(cleaned.document));
      const cleanKey = `clean/${documentId}/${sha256(bytes.toString("utf8"))}.json`;
      await objects.put(cleanKey, bytes);
      return await saveCleaned(scope, document, {
        cleanKey,
        cleanDigest: digest(parsed.cutByBounds),
        title: cleaned.document.title ?? document.title,
        mediaType: parsed.mediaType,
        language: cleaned.language.code,
        textChars: documentText(cleaned.document.elements).length,
        quality: cleaned.quality,
        piiCounts: cleaned.pii,
        warnings: parsed.warnings,
      });
    } catch (error) {
      // What is wrong with one document is that document's; what is wrong with the machine ends the stage.
      if (!(error instanceof AnnealError) || !error.code.startsWith("DOCUMENT_")) throw error;
      return await saveDropped(scope, document, {
        status: "quarantined",
        cleanDigest: digest(isOfBounds(error.code)),
        drop: { stage: "clean", code: error.code, reason: `${error.message} ${error.action}` },
      });
    }
  }

  return {
    async cleanDocuments(input: StageInput): Promise<StageCounts> {
      const scope = { db, workspaceId: input.workspaceId };
      const { sourceIds } = input.settings;
      const signal = cancellationSignal();
      const languages = await parsers.recognitionLanguages();
      const queue = await listDocumentsToClean(scope, { cleanVersion, languages, bounds: parsers.bounds(), sourceIds });
      const progress = createProgressReporter({ scope, runId: input.runId, stage: "clean", unit: "documents" });
      const tempDir = await mkdtemp(join(tmpdir(), "anneal-clean-"));
      const total = queue.length;
      let done = 0;
      await progress.report(0, total);
      // A large document is silent for as long as its parser may take.
      const pulse = setInterval(() => void progress.report(done, total).catch(() => undefined), 5000);
      try {
        const work = queue.values();
        const lanes = Array.from({ length: parallelDocuments }, async () => {
          for (const row of work) {
            signal.throwIfAborted();
            while (!(await cleanOne(scope, row, { languages, tempDir, signal }))) signal.throwIfAborted();
            done += 1;
            await progress.report(done, total);
          }
        });
        await Promise.all(lanes);
      } finally {
        clearInterval(pulse);
        await rm(tempDir, { recursive: true, force: true });
      }
      const drops = await listDocumentDrops(scope, sourceIds, ["clean"]);
      await replaceDrops(scope, input.runId, "clean", drops);
      const unreadable = await listDocumentDrops(scope, sourceIds, ["connect"]);
      const inCount = (await countSourceDocuments(scope, sourceIds)) - unreadable.length;
      if (inCount === 0) {
        throw new AnnealError("SOURCE_EMPTY", "There is no document to clean.", {
          action:
            unreadable.length > 0
              ? "See why each could not be read, mend it and sync the source again."
              : "Sync the source first.",
        });
      }
      const outCount = inCount - drops.length;
      if (outCount === 0) {
        throw new AnnealError("SOURCE_EMPTY", "No document was left after cleaning.", {
          action: "See why each was dropped; add documents with more text.",
          details: { dropped: drops.slice(0, 20).map(({ ref, code, reason }) => ({ ref, code, reason })) },
        });
      }
      return { inCount, outCount, note: total === 0 ? "Nothing changed." : null };
    },
  };
}

function fileNameOf(document: Document): string {
  const path = URL.parse(document.uri)?.pathname ?? document.ref;
  try {
    return basename(decodeURIComponent(path)) || "document";
  } catch {
    return basename(path) || "document";
  }
}
