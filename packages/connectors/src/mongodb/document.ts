import { BSON, type Document } from "mongodb";
import type { Acl } from "@anneal/core/access/acl";
import { ownerPrincipal } from "../sql/row-change.ts";
import { formatJson, renderValues, toTitle } from "../sql/row-document.ts";
import type { CollectionConfig, MongodbConfig } from "./config.ts";

const { Binary, Decimal128, EJSON, Int32, Long, ObjectId, Timestamp } = BSON;

export type RenderedDocument = { title: string; markdown: string };

/** Raised when the rendering changes, so that every document is read again. */
export const renderingVersion = 1;

/**
 * One text for each value of _id and no other: an ObjectId's digits, a whole number, a string; a string that looks
 * like one of the others and every other type say what they are.
 */
export function formatKey(id: unknown): string {
  if (id instanceof ObjectId) return id.toHexString();
  if (typeof id === "number" && Number.isSafeInteger(id)) return String(id);
  if (typeof id === "string") return /^(?:[0-9a-f]{24}|-?\d+|\(.*)$/s.test(id) ? `(string)${id}` : id;
  return `(bson)${EJSON.stringify({ id }, { relaxed: false })}`;
}

const titleNames = ["title", "name", "subject", "headline", "question", "label"];

/** As rows are rendered: the title as the heading, each field a paragraph or a section, the owner left out. */
export function renderDocument(collection: CollectionConfig, document: Document): RenderedDocument {
  const titleField =
    collection.title ?? Object.keys(document).find((name) => titleNames.includes(name.toLowerCase())) ?? null;
  const titleValue = titleField === null ? null : formatValue(readField(document, titleField));
  const title = toTitle(titleValue) ?? `${collection.name} ${formatKey(document["_id"])}`;
  const fields = collection.fields.length > 0 ? collection.fields : Object.keys(document);
  const values = fields
    .filter((field) => field !== titleField && field !== collection.owner)
    .map((field): [string, string] => [field.replaceAll(".", " "), formatValue(readField(document, field))]);
  return { title, markdown: renderValues(title, values) };
}

/** "a.b" reaches into objects and, as the database's own paths do, into each element of an array. */
export function readField(value: unknown, path: string): unknown {
  let current = value;
  for (const name of path.split(".")) {
    if (Array.isArray(current)) {
      current = current.map((element) => readMember(element, name)).filter((element) => element !== undefined);
    } else current = readMember(current, name);
  }
  return current;
}

function readMember(value: unknown, name: string): unknown {
  return isPlain(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !("_bsontype" in value);
}

/** Empty for what says nothing to a reader. */
function formatValue(value: unknown): string {
  const scalar = formatScalar(value);
  if (scalar !== null) return scalar;
  if (Array.isArray(value)) {
    const elements = value.map(formatScalar);
    if (elements.every((element) => element !== null)) return elements.filter((element) => element !== "").join(", ");
  }
  return formatJson(EJSON.stringify(value, { relaxed: true }));
}

function formatScalar(value: unknown): string | null {
  if (value === null || value === undefined) return "";
  if (typeof value === "string") return value.trim();
  if (typeof value === "number" || typeof value === "boolean" || typeof value === "bigint") return String(value);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "" : value.toISOString();
  if (value instanceof ObjectId) return value.toHexString();
  if (value instanceof Binary) {
    return value.sub_type === Binary.SUBTYPE_UUID && value.length() === 16 ? value.toUUID().toHexString() : "";
  }
  if (value instanceof Timestamp) return new Date(value.getHighBitsUnsigned() * 1000).toISOString();
  if (value instanceof Long || value instanceof Decimal128 || value instanceof Int32) return value.toString();
  return null;
}

/** A document without an owner is readable by nobody: who owned it is not known, which is not the same as everyone. */
export function aclOf(config: MongodbConfig, collection: CollectionConfig, document: Document): Acl | null {
  if (collection.owner === null) return null;
  const value = readField(document, collection.owner);
  const owners = (Array.isArray(value) ? value : [value]).flatMap(readPersonId);
  return { allow: owners.map((id) => ownerPrincipal("mongodb", config, id)), deny: [] };
}

/** Only what names one person: a text, a number or an ObjectId. One that was not read whole may be somebody else's. */
export function readPersonId(value: unknown): string[] {
  const isId =
    typeof value === "string" || typeof value === "number" || value instanceof ObjectId || value instanceof Long;
  const id = isId ? (formatScalar(value) ?? "") : "";
  return id === "" || id.includes("\ufffd") ? [] : [id];
}

/** _id, and with chosen fields these; a field inside another that is fetched anyway is not asked for twice. */
export function projectionOf(collection: CollectionConfig): Document | null {
  if (collection.fields.length === 0) return null;
  const others = [collection.title, collection.watermark, collection.owner].filter((field) => field !== null);
  const fields = [...new Set(["_id", ...collection.fields, ...others])];
  const outermost = fields.filter((field) => !fields.some((other) => field.startsWith(`${other}.`)));
  return Object.fromEntries(outermost.map((field) => [field, 1]));
}
