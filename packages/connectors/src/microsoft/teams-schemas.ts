import { z } from "zod";
import { pageOf } from "./graph-schemas.ts";

/** Of Microsoft Teams in Graph, the properties that are used. */
const channelSchema = z.object({
  id: z.string(),
  displayName: z.string().nullish(),
  membershipType: z.string().nullish(),
  createdDateTime: z.string().nullish(),
});
export type Channel = z.infer<typeof channelSchema>;

const messageShape = {
  id: z.string(),
  messageType: z.string().nullish(),
  createdDateTime: z.string().nullish(),
  lastModifiedDateTime: z.string().nullish(),
  deletedDateTime: z.string().nullish(),
  subject: z.string().nullish(),
  webUrl: z.string().nullish(),
  from: z.object({ user: z.object({ displayName: z.string().nullish() }).nullish() }).nullish(),
  policyViolation: z.object({ dlpAction: z.string().nullish() }).nullish(),
  body: z.object({ contentType: z.string().nullish(), content: z.string().nullish() }).nullish(),
  attachments: z.array(z.object({ name: z.string().nullish(), contentUrl: z.string().nullish() })).nullish(),
};
export const messageSchema = z.object(messageShape);
export type Message = z.infer<typeof messageSchema>;

const threadSchema = z.object({
  ...messageShape,
  replies: z.array(messageSchema).nullish(),
  "replies@odata.nextLink": z.string().nullish(),
});

/** A message of the feed, which may be a reply, or an id with nothing but that it is gone. */
const namedMessageSchema = z.object({
  id: z.string(),
  replyToId: z.string().nullish(),
  deletedDateTime: z.string().nullish(),
  "@removed": z.object({}).nullish(),
});

const channelMemberSchema = z.object({ userId: z.string().nullish(), tenantId: z.string().nullish() });

export const channelPageSchema = pageOf(channelSchema);
export const messagePageSchema = pageOf(messageSchema);
export const threadPageSchema = pageOf(threadSchema);
export const channelMemberPageSchema = pageOf(channelMemberSchema);
export const feedPageSchema = pageOf(namedMessageSchema);
