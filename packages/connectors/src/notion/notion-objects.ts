import { z } from "zod";

/** The parts of Notion's objects that are read; each type's own part is under a key of the type's name. */
export const richTextSchema = z.array(
  z.looseObject({
    plain_text: z.string(),
    href: z.string().nullish(),
    annotations: z.looseObject({ code: z.boolean().nullish() }).nullish(),
  }),
);
export type RichText = z.infer<typeof richTextSchema>;

export const pageSchema = z.looseObject({
  object: z.literal("page"),
  id: z.string().min(1),
  url: z.string().min(1),
  /** To the minute, and written alike so that texts compare as times do: "2026-03-04T10:15:00.000Z". */
  last_edited_time: z.iso.datetime({ offset: true }).transform((time) => new Date(time).toISOString()),
  archived: z.boolean().nullish(),
  in_trash: z.boolean().nullish(),
  properties: z.record(z.string(), z.looseObject({ type: z.string() })),
});
export type Page = z.infer<typeof pageSchema>;

export const blockSchema = z.looseObject({
  id: z.string().min(1),
  type: z.string(),
  has_children: z.boolean().nullish(),
  in_trash: z.boolean().nullish(),
});
export type Block = z.infer<typeof blockSchema>;
/** A block with everything below it. */
export type BlockTree = { block: Block; children: BlockTree[] };

const bodySchema = z.looseObject({
  rich_text: richTextSchema.nullish(),
  caption: richTextSchema.nullish(),
  cells: z.array(richTextSchema).nullish(),
  checked: z.boolean().nullish(),
  language: z.string().nullish(),
  expression: z.string().nullish(),
  url: z.string().nullish(),
  name: z.string().nullish(),
  external: z.looseObject({ url: z.string() }).nullish(),
});
type BlockBody = z.infer<typeof bodySchema>;

/** What a block says; a part that Notion writes in a new way reads as empty. */
export function bodyOf(block: Block): BlockBody {
  return bodySchema.safeParse(block[block.type]).data ?? {};
}

export function isGone(page: Page): boolean {
  return page.in_trash === true || page.archived === true;
}

export function plainText(text: RichText | null | undefined): string {
  return (text ?? []).map((part) => part.plain_text).join("");
}
