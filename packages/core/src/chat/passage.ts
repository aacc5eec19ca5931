import type { Citation } from "../loop/contract.ts";
import { type Chunk, type ChunkPlace, placeAt } from "../indexing/chunk-document.ts";
import type { ChunkPayload } from "../indexing/payload.ts";

/** A retrieved chunk, as prompts and grounding read it. */
export type Passage = {
  documentId: string;
  chunkId: string;
  uri: string;
  title: string;
  /** "Title > Section": shown to the model and matched, never quoted. */
  context: string;
  tableHeader: string | null;
  text: string;
  /** Offset of `text` in the document's text. */
  charStart: number;
  places: ChunkPlace[];
  language: string | null;
  /** Cosine of question and passage embeddings, -1 to 1; null where only the lexical leg found it. */
  cosine: number | null;
};

/** A citation of the product, with what is needed to open the passage. `number` counts from 1 within an answer. */
export type AnswerCitation = Citation & {
  number: number;
  documentId: string;
  chunkId: string;
  /** [charStart, charEnd) of the quote in `documentText(elements)`. */
  charStart: number;
  charEnd: number;
};

export function passageFromPayload(chunkId: string, payload: ChunkPayload, cosine: number | null): Passage {
  return {
    documentId: payload.document_id,
    chunkId,
    uri: payload.uri,
    title: payload.title,
    context: payload.context,
    tableHeader: payload.table_header,
    text: payload.text,
    charStart: payload.char_start,
    places: payload.places,
    language: payload.language,
    cosine,
  };
}

/** A chunk that was not retrieved but cut just now: what pairs are generated from and examples show. */
export function passageFromChunk(
  chunk: Chunk,
  document: Pick<Passage, "documentId" | "chunkId" | "uri" | "title" | "language">,
): Passage {
  const { context, tableHeader, text, charStart, places } = chunk;
  return { ...document, context, tableHeader, text, charStart, places, cosine: null };
}

/** Where in a document, below its title: most documents say their title again as their first heading. */
export function sectionLabel(title: string, section: readonly string[]): string | null {
  const below = section[0] === title ? section.slice(1) : section;
  return below.length > 0 ? below.join(" > ") : null;
}

/** Cites [start, end) of a passage's text. */
export function citePassage(passage: Passage, span: { start: number; end: number }, number: number): AnswerCitation {
  const charStart = passage.charStart + span.start;
  const { page, section, box } = placeAt(passage.places, charStart);
  return {
    number,
    documentId: passage.documentId,
    chunkId: passage.chunkId,
    uri: passage.uri,
    title: passage.title,
    page,
    ...(box === undefined ? {} : { box }),
    section: sectionLabel(passage.title, section),
    quote: passage.text.slice(span.start, span.end),
    charStart,
    charEnd: passage.charStart + span.end,
  };
}
