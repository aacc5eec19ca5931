import { z } from "zod";
import { plainText, richTextSchema, type Page } from "./notion-objects.ts";

export function titleOf(page: Page): string {
  for (const property of Object.values(page.properties)) {
    if (property.type !== "title") continue;
    const title = plainText(richTextSchema.safeParse(property.title).data).replace(/\s+/g, " ").trim();
    if (title !== "") return title;
  }
  return "Untitled";
}

/** A row's values as "Name: value" in the order that Notion gives, what is empty left out. */
export function describeProperties(page: Page): string[] {
  return Object.entries(page.properties).flatMap(([name, property]) => {
    // Times change with each edit, ids of related pages say nothing, and the title stands above.
    if (["title", "last_edited_time", "last_edited_by", "relation", "button", "verification"].includes(property.type)) {
      return [];
    }
    const value = formatValue(property.type, property[property.type]).replace(/\s+/g, " ").trim();
    return value === "" ? [] : [`${name}: ${value}`];
  });
}

const namedSchema = z.looseObject({ name: z.string().nullish() }).nullish();
const dateSchema = z.looseObject({ start: z.string().nullish(), end: z.string().nullish() }).nullish();
const idSchema = z.looseObject({ prefix: z.string().nullish(), number: z.number().nullish() }).nullish();
const typedSchema = z.looseObject({ type: z.string() });

/** A value of a kind that is not known here is left out. */
function formatValue(type: string, value: unknown): string {
  switch (type) {
    case "rich_text":
    case "title":
      return plainText(richTextSchema.safeParse(value).data);
    case "select":
    case "status":
    case "created_by":
      return namedSchema.safeParse(value).data?.name ?? "";
    case "multi_select":
    case "people":
    case "files":
      return (z.array(namedSchema).safeParse(value).data ?? []).flatMap((item) => item?.name ?? []).join(", ");
    case "date": {
      const date = dateSchema.safeParse(value).data;
      return [date?.start, date?.end].filter((part) => part).join(" to ");
    }
    case "unique_id": {
      const id = idSchema.safeParse(value).data;
      return typeof id?.number === "number" ? `${id.prefix ? `${id.prefix}-` : ""}${id.number}` : "";
    }
    case "formula": {
      const formula = typedSchema.safeParse(value).data;
      return formula === undefined ? "" : formatValue(formula.type, formula[formula.type]);
    }
    case "rollup": {
      const rollup = typedSchema.safeParse(value).data;
      if (rollup?.type !== "array") return rollup === undefined ? "" : formatValue(rollup.type, rollup[rollup.type]);
      const items = z.array(typedSchema).safeParse(rollup.array).data ?? [];
      return items
        .map((item) => formatValue(item.type, item[item.type]))
        .filter((text) => text !== "")
        .join(", ");
    }
    default:
      if (typeof value === "boolean") return value ? "yes" : "no";
      return typeof value === "string" || typeof value === "number" ? String(value) : "";
  }
}
