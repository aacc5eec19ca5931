import type { FieldSchema } from "./read-fields.ts";

const formats: Record<string, string> = {
  uri: "an address with its scheme",
  email: "an e-mail address",
  date: "a date as YYYY-MM-DD",
  guid: "a GUID",
  uuid: "a GUID",
};

/** One field as lines: its name with what it takes, what it is for, and the fields of its entries where it lists some. */
export function describeField(name: string, field: FieldSchema, required: boolean, notes: readonly string[]): string[] {
  const { title, description, administrator, about = [], when = {} } = field;
  const facts = [
    wordValues(field),
    ...(required ? ["required"] : [wordDefault(field)]),
    ...Object.entries(when).map(([setting, values]) => `for ${setting}=${values.join(" or ")}`),
    ...(administrator
      ? [["an administrator's to change", ...about.map((name) => `for what ${name} names then`)].join(", ")]
      : []),
    ...notes,
  ];
  const purpose = [title, description].filter(Boolean).join(": ");
  return [
    `  ${name}  (${facts.join("; ")})`,
    ...(purpose === "" ? [] : [`      ${purpose}`]),
    ...Object.entries(field.labels ?? {}).map(([value, label]) => `      · ${value}: ${label}`),
    ...describeEntries(field),
  ];
}

/** A value as it is stored, after what people read for it where it is one of a choice. */
export function wordSetting(value: unknown, { labels = {} }: Pick<FieldSchema, "labels"> = {}): string {
  const label = typeof value === "string" ? labels[value] : undefined;
  return label === undefined ? JSON.stringify(value) : `${label} (${String(value)})`;
}

/** The default audience, in words. */
export function wordAudience(audience: string): string {
  return audience === "members" ? "everyone in the workspace (members)" : audience;
}

/** What an entry of a list of objects has, one line for each. */
function describeEntries(field: FieldSchema): string[] {
  const { properties = {}, required = [] } = withoutNull(field).items ?? {};
  return Object.entries(properties).map(([name, property]) => {
    const facts = [wordValues(property), ...(required.includes(name) ? ["required"] : [wordDefault(property)])];
    const purpose = [property.title, property.description].filter(Boolean).join(": ");
    return `      · ${name}  (${facts.join("; ")})  ${purpose}`.trimEnd();
  });
}

/** "whole number from 1 to 65535", "one of ntfs, off", "list of e-mail addresses". */
function wordValues(field: FieldSchema): string {
  const core = withoutNull(field);
  if (core.enum !== undefined) return `one of ${core.enum.map(String).join(", ")}`;
  switch (core.type) {
    case "string":
      return wordText(core);
    case "integer":
      return `whole number${wordRange(core.minimum, core.maximum)}`;
    case "number":
      return `number${wordRange(core.minimum, core.maximum)}`;
    case "boolean":
      return "true or false";
    case "array":
      return wordList(core);
    default:
      return "JSON";
  }
}

function wordText({ format = "", pattern, patternMessage, maxLength }: FieldSchema): string {
  const known = formats[format];
  if (known !== undefined) return known;
  const most = maxLength === undefined ? "" : ` of at most ${maxLength} characters`;
  if (patternMessage !== undefined) return `text${most}: ${asPart(patternMessage)}`;
  return `text${most}${pattern === undefined ? "" : ` that matches ${pattern}`}`;
}

/** A sentence as a part of another; a name or an abbreviation keeps its capitals. */
function asPart(sentence: string): string {
  return sentence.replace(/\.$/, "").replace(/^[A-Z](?=[a-z]|\s)/, (letter) => letter.toLowerCase());
}

function wordList({ items, minItems = 0, maxItems }: FieldSchema): string {
  const least = minItems > 0 ? `, at least ${minItems}` : "";
  const most = maxItems === undefined ? "" : `, at most ${maxItems}`;
  if (items?.properties !== undefined) return `list of objects as JSON${least}${most}, each with the fields below`;
  return `list${least}${most}, each ${items === undefined ? "JSON" : wordValues(items)}`;
}

/** Numbers that are no limit of anybody's, such as the largest whole one, are left out. */
function wordRange(least: number | undefined, most: number | undefined): string {
  const from = least !== undefined && least > Number.MIN_SAFE_INTEGER ? least : undefined;
  const to = most !== undefined && most < Number.MAX_SAFE_INTEGER ? most : undefined;
  if (from !== undefined && to !== undefined) return ` from ${from} to ${to}`;
  if (from !== undefined) return ` of at least ${from}`;
  return to === undefined ? "" : ` of at most ${to}`;
}

function wordDefault(field: FieldSchema): string {
  const value = field.default;
  if (value === undefined) return "optional";
  const isEmpty = value === null || value === "" || (Array.isArray(value) && value.length === 0);
  if (isEmpty) return "default: empty";
  return `default: ${typeof value === "string" ? value : JSON.stringify(value)}`;
}

/** A field that may be null is told by its other type: leaving it out is how it is left empty. */
function withoutNull(field: FieldSchema): FieldSchema {
  return field.anyOf?.find(({ type }) => type !== "null") ?? field;
}
