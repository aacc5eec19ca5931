import { describeFacts } from "@anneal/connectors/describe-facts";
import type { FieldCondition } from "@anneal/core/connect/asked-field";
import { toJsonSchema } from "@anneal/core/json-schema";
import type { z } from "zod";
import { requireSourceKind, sourceKinds, type SignInOffer, type SourceKind } from "#server/connect/source-kinds.ts";
import { sentenceOf } from "#lib/input-words.ts";

/** As much of JSON Schema as a form needs. */
export type JsonSchema = {
  type?: string;
  title?: string;
  description?: string;
  default?: unknown;
  enum?: unknown[];
  /** Of a choice: what people read for each value. */
  labels?: Record<string, string>;
  /** What most sources of the kind have; commands are shown with them. */
  examples?: unknown[];
  anyOf?: JsonSchema[];
  items?: JsonSchema;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  /** Only an administrator may change it from its default. */
  administrator?: boolean;
  /** The settings that an administrator's word is about: `findOutgrownWords`. */
  about?: string[];
  /** What an administrator's form begins with, where that is not the default. */
  suggested?: unknown;
  /** Brought by a sign-in. */
  signIn?: boolean;
  /** Asked for with these settings only. */
  when?: FieldCondition;
};

export function describeSchema(schema: z.ZodType): JsonSchema {
  return toJsonSchema(schema) as JsonSchema;
}

export function listSourceKinds(): {
  kind: string;
  title: string;
  description: string;
  /** How it learns what changed and what it can, a sentence each. */
  facts: string[];
  administratorOnly: boolean;
  config: JsonSchema;
  secrets: JsonSchema;
  /** The settings that say who gets to see the credentials. */
  addressFields: string[];
  signIn: SignInOffer | null;
}[] {
  return Object.entries(sourceKinds).map(([kind, { title, description, administratorOnly, ...found }]) => ({
    kind,
    title,
    description,
    facts: describeFacts(found.facts),
    administratorOnly,
    config: describeSchema(found.configSchema),
    secrets: withoutSignedIn(describeSchema(found.secretSchema)),
    addressFields: settingsReadBy(found.secretsGoTo),
    signIn: found.signIn ? { field: found.signIn.field, value: found.signIn.value, with: found.signIn.with } : null,
  }));
}

/** Found by asking it, so that a kind names them in one place: it reads each, whatever the others are. */
function settingsReadBy(secretsGoTo: SourceKind["secretsGoTo"]): string[] {
  const read = new Set<string>();
  const settings: Record<string, unknown> = new Proxy({}, { get: (_, name) => void read.add(String(name)) });
  secretsGoTo(settings);
  return [...read];
}

/** What a sign-in brings is nothing to type. */
function withoutSignedIn({ properties = {}, ...schema }: JsonSchema): JsonSchema {
  return { ...schema, properties: Object.fromEntries(Object.entries(properties).filter(([, each]) => !each.signIn)) };
}

/** The form of a kind's settings; null of a kind of another release. */
export function describeSettings(kind: string): JsonSchema | null {
  const found = sourceKinds[kind];
  return found ? describeSchema(found.configSchema) : null;
}

/**
 * `field` is the setting that a problem is about, "" for several together; `message` is a sentence. `isLack`: the others ask for
 * it, so that it is told also before somebody has come to the field.
 */
export type ConfigProblem = { field: string; message: string; isLack?: true };

/** What the connector's own schema says of settings that are not complete yet, the first thing for each. */
export function findConfigProblems(kind: string, config: Record<string, unknown>): ConfigProblem[] {
  const { configSchema, facts } = requireSourceKind(kind);
  const { error, data } = configSchema.safeParse(config);
  const lack = data === undefined ? null : (facts.findLack?.(data) ?? null);
  if (lack !== null) return [{ ...lack, isLack: true }];
  const problems = new Map<string, string>();
  for (const issue of error?.issues ?? []) {
    const [field = "", ...within] = issue.path.map(String);
    if (!problems.has(field)) problems.set(field, sentenceOf(issue, within.join(".")));
  }
  return [...problems].map(([field, message]) => ({ field, message }));
}

/** A source that a newer or an older release made is still shown. */
export function describeSource(kind: string, config: Record<string, unknown>): { kindTitle: string; location: string } {
  const found = sourceKinds[kind];
  return { kindTitle: found?.title ?? kind, location: found?.locate(config) ?? "" };
}

/** How a source of the kind is read with its settings, a sentence each; none of a kind of another release. */
export function describeReading(kind: string, config: Record<string, unknown>): string[] {
  const found = sourceKinds[kind];
  // What settings of another release say nobody knows here.
  return found ? describeFacts(found.facts, found.configSchema.safeParse(config).data) : [];
}
