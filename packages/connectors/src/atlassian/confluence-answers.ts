import { z } from "zod";

/** What Confluence answers, as far as it is used, and what the connector makes of it. */

export type Space = { id: string; key: string; name: string };
export type ListedContent = {
  id: string;
  type: "page" | "blogpost";
  title: string;
  parent: Parent | null;
  version: number;
  modifiedAt: string | null;
  uri: string;
};
export type Parent = { id: string; type: string };

/** A list inside of an answer. */
const partOf = <T>(item: z.ZodType<T>) =>
  z.looseObject({ results: z.array(item), size: z.number().default(0), limit: z.number().optional() });
/** The cloud names accounts and groups by ids, Data Center by a key and by name. */
const subjectUserSchema = z.looseObject({ accountId: z.string().optional(), userKey: z.string().optional() });
const subjectGroupSchema = z.looseObject({ id: z.string().optional(), name: z.string().optional() });
export const restrictionSchema = z.looseObject({
  restrictions: z.looseObject({ user: partOf(subjectUserSchema), group: partOf(subjectGroupSchema) }),
});
/** How a deployment names those whom permissions name; undefined for whom it does not name. */
export type SubjectIds = {
  user(user: z.infer<typeof subjectUserSchema>): string | undefined;
  group(group: z.infer<typeof subjectGroupSchema>): string | undefined;
};

/** As version 2 lists the attachments of one page, and as version 1 shows them inside of a page. */
export const attachmentSchema = z.looseObject({
  id: z.string(),
  title: z.string(),
  version: z.looseObject({ number: z.number(), createdAt: z.string().optional(), when: z.string().optional() }),
  mediaType: z.string().optional(),
  fileSize: z.number().optional(),
  webuiLink: z.string().optional(),
  extensions: z.looseObject({ mediaType: z.string().optional(), fileSize: z.number().optional() }).optional(),
  _links: z.looseObject({ webui: z.string().optional(), download: z.string().optional() }).optional(),
});
export type ListedAttachment = {
  id: string;
  title: string;
  version: number;
  modifiedAt: string | null;
  mediaType: string | null;
  sizeBytes: number | null;
  uri: string;
  /** Where its bytes are, below the site's root; null where that follows from its id. */
  downloadPath: string | null;
};

export const sweptSchema = z.looseObject({
  id: z.string(),
  restrictions: z.looseObject({ read: restrictionSchema.optional() }).optional(),
  children: z.looseObject({ attachment: partOf(attachmentSchema).optional() }).optional(),
});
/** What one search told of a page; null where that has to be asked for. */
export type SweptContent = { id: string; restriction: Restriction | null; attachments: ListedAttachment[] | null };

/** Those whom a read restriction names, by id; `restricted` although nobody that is known is among them. */
export type Restriction = { restricted: boolean; users: string[]; groups: string[] };

type Subjects = z.infer<typeof restrictionSchema>["restrictions"];

/** An account or a group without an id is one that was deleted or is hidden: it still restricts, and admits nobody. */
export function namedIn({ user, group }: Subjects, ids: SubjectIds): Restriction {
  return {
    restricted: user.results.length + group.results.length + user.size + group.size > 0,
    users: user.results.flatMap((one) => ids.user(one) ?? []),
    groups: group.results.flatMap((one) => ids.group(one) ?? []),
  };
}

export function toSweptContent(swept: z.infer<typeof sweptSchema>, base: string, ids: SubjectIds): SweptContent {
  const { id, restrictions, children } = swept;
  const attached = children?.attachment;
  return {
    id,
    restriction: wholeRestriction(restrictions?.read, ids),
    attachments:
      attached !== undefined && isWhole(attached)
        ? attached.results.map((attachment) => toListedAttachment(attachment, base))
        : null,
  };
}

export function toListedAttachment(attachment: z.infer<typeof attachmentSchema>, base: string): ListedAttachment {
  const { id, title, version, extensions, _links } = attachment;
  return {
    id,
    title,
    version: version.number,
    modifiedAt: version.createdAt ?? version.when ?? null,
    mediaType: attachment.mediaType ?? extensions?.mediaType ?? null,
    sizeBytes: attachment.fileSize ?? extensions?.fileSize ?? null,
    uri: base + (attachment.webuiLink ?? _links?.webui ?? ""),
    downloadPath: _links?.download ?? null,
  };
}

/** A list that fills its page may go on, and one that was not sent says nothing. */
function wholeRestriction(read: z.infer<typeof restrictionSchema> | undefined, ids: SubjectIds): Restriction | null {
  if (read === undefined) return null;
  const { user, group } = read.restrictions;
  return isWhole(user) && isWhole(group) ? namedIn(read.restrictions, ids) : null;
}

/** The limit is the answer's own: Confluence may give less than was asked for. */
export function isWhole({ results, limit }: { results: unknown[]; limit?: number | undefined }): boolean {
  return results.length === 0 || (limit !== undefined && results.length < limit);
}
