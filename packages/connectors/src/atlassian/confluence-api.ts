import type { AtlassianSite } from "./atlassian-site.ts";
import type {
  ListedAttachment,
  ListedContent,
  Parent,
  Restriction,
  Space,
  SweptContent,
} from "./confluence-answers.ts";
import { createConfluenceCloud } from "./confluence-cloud.ts";
import { createConfluenceDataCenter } from "./confluence-data-center.ts";
import type { GroupMembers } from "./directory.ts";
import type { Group, Person } from "./people.ts";

/** What the connector asks of a Confluence site, whichever deployment answers. Ids are the deployment's own. */
export type ConfluenceApi = {
  /** "anonymous" for a stranger. */
  currentAccountType(): Promise<string>;
  /** @param keys none: every current space that the account may view */
  listSpaces(keys: readonly string[]): AsyncIterable<Space>;
  /** Whether people who have not signed in may view the space: asked as one of them. */
  isPublic(space: Space): Promise<boolean>;
  /** Who has the permission to view the space; other kinds of holders than these are not known and admit nobody. */
  readersOf(space: Space): Promise<{ users: string[]; groups: string[] }>;
  /** About how many of these there are in the spaces: what the search has lost sight of is not counted. */
  countContents(keys: readonly string[], types: readonly (ListedContent["type"] | "attachment")[]): Promise<number>;
  /** Everything of this type in the space, which nothing that happens meanwhile makes it pass over. */
  listContents(space: Space, type: ListedContent["type"]): AsyncIterable<ListedContent>;
  /**
   * The read restrictions of everything in the space, and its attachments where they are wanted, many pages at a time.
   * What it leaves out is asked for page by page.
   */
  sweep(space: Space, withAttachments: boolean): AsyncIterable<SweptContent>;
  restrictionOf(id: string): Promise<Restriction>;
  /** @returns what the page (or folder, whiteboard, …) lies in; null at the space's root */
  parentOf(parent: Parent): Promise<Parent | null>;
  storageOf(content: Pick<ListedContent, "id" | "type">): Promise<string>;
  attachmentsOf(content: Pick<ListedContent, "id" | "type">): Promise<ListedAttachment[]>;
  downloadAttachment(containerId: string, attachment: ListedAttachment): Promise<AsyncIterable<Uint8Array>>;
  listGroups(): AsyncIterable<Group>;
  /** Members who are people and can sign in. */
  listMembers(group: Group): AsyncIterable<Person>;
  /** The ids of those who may use Confluence at all, of whom the members of these groups are all that is known. */
  readEntrants(groups: readonly GroupMembers[]): Promise<ReadonlySet<string>>;
  /** For listings that are paged by a count, and may pass over what moved up meanwhile; null: none is. */
  secondLook: SecondLook | null;
};

type SecondLook = {
  /** Those of these spaces that are current and that the account may view. */
  currentSpaces(keys: readonly string[]): AsyncIterable<Space>;
  /** The page that the attachment is on; null when it is gone. */
  containerOf(attachmentId: string): Promise<string | null>;
};

export function createConfluenceApi(site: AtlassianSite): ConfluenceApi {
  return site.deployment === "cloud" ? createConfluenceCloud(site) : createConfluenceDataCenter(site);
}
