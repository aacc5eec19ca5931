import { anyone, type Principal } from "@anneal/core/access/acl";
import type { SourceGrant } from "@anneal/core/access/acl-origins";
import { AnnealError } from "@anneal/core/errors";
import { RemoteError } from "../remote/remote-client.ts";
import { NotTold } from "./atlassian-site.ts";
import { intersectLevels, type Audience } from "./audience.ts";
import type { ConfluenceConfig } from "./config.ts";
import type { ListedAttachment, ListedContent, Parent, Restriction, Space } from "./confluence-answers.ts";
import type { ConfluenceApi } from "./confluence-api.ts";

/** Everything of one space but its contents' bodies. */
export type SpaceTree = {
  contents: ReadonlyMap<string, ListedContent>;
  /**
   * Who may view a page: those who may view the space and are named in the read restriction of the page and of
   * everything above it.
   * @throws RemoteError when one of these cannot be read: then nobody is known to
   * @throws UntoldRestriction where it lies in what may be restricted without a word of it
   */
  audienceOf(id: string): Promise<Audience>;
  attachmentsOf(content: ListedContent): Promise<ListedAttachment[]>;
};

/**
 * Of a container that is no page the cloud says that it is not restricted, whether it is or not (CONFCLOUD-82920 for folders;
 * of whiteboards, databases and embedded links its reference promises nothing). One that it tells a restriction of is told.
 */
export class UntoldRestriction extends NotTold {
  constructor() {
    super(
      "Confluence does not tell to whom folders, whiteboards, databases and embedded links are restricted.",
      toShowContainers,
    );
  }
}

export const toShowContainers =
  "If none of them is restricted, have an administrator set “Restrictions of folders” to “There are none” (hiddenRestrictions=none); else move the pages out of them, below a page with the same restriction, which is told.";

/** What a page can lie in that is none. */
export function isContainer({ type }: Parent): boolean {
  return type !== "page" && type !== "blogpost";
}

/** From a page up to the root of its space, the page first; whatever lies above several is asked for once. */
export function createAscent(api: ConfluenceApi, listed: ReadonlyMap<string, ListedContent>) {
  const parents = new Map<string, Promise<Parent | null>>();
  return async function* ascend(content: ListedContent): AsyncIterable<Parent> {
    let at: Parent | null = { id: content.id, type: content.type };
    for (let depth = 0; at !== null; depth += 1) {
      if (depth > deepestPages) throw endless(content);
      yield at;
      const below: Parent = at;
      const known = listed.get(below.id);
      at = known === undefined ? await once(parents, below.id, () => api.parentOf(below)) : known.parent;
    }
  };
}

const deepestPages = 200;
/** One for all of a large space's pages, of which few are restricted. */
const unrestricted: Promise<Restriction> = Promise.resolve({ restricted: false, users: [], groups: [] });

/**
 * The listing is complete and carries each page's version and place, so that it finds changes, moves and deletions
 * alike without a clock; restrictions, which change without a version, are read again with it.
 */
export async function readSpaceTree(
  api: ConfluenceApi,
  space: Space,
  options: {
    tenant: string;
    attachments: boolean;
  } & Pick<ConfluenceConfig, "blogPosts" | "hiddenRestrictions">,
): Promise<SpaceTree> {
  const identity = { source: "confluence", tenant: options.tenant };
  const principalsOf = ({ users, groups }: { users: string[]; groups: string[] }): Principal[] => [
    ...users.map((id): Principal => ({ ...identity, kind: "user", id })),
    ...groups.map((id): Principal => ({ ...identity, kind: "group", id })),
  ];

  const contents = new Map<string, ListedContent>();
  for await (const content of api.listContents(space, "page")) contents.set(content.id, content);
  if (options.blogPosts) {
    for await (const content of api.listContents(space, "blogpost")) contents.set(content.id, content);
  }

  const restrictions = new Map<string, Promise<Restriction>>();
  const attached = new Map<string, ListedAttachment[]>();
  for await (const { id, restriction, attachments } of api.sweep(space, options.attachments)) {
    if (restriction !== null)
      restrictions.set(id, restriction.restricted ? Promise.resolve(restriction) : unrestricted);
    if (attachments !== null) attached.set(id, attachments);
  }
  const untold = new UntoldRestriction();
  const ascend = createAscent(api, contents);
  let readers: Promise<SourceGrant[]> | undefined;
  const readSpaceReaders = async () => {
    const principals = principalsOf(await api.readersOf(space));
    return given(space.name || space.key, (await api.isPublic(space)) ? [...principals, anyone] : principals);
  };

  return {
    contents,
    async attachmentsOf(content) {
      return (
        attached.get(content.id) ??
        api.attachmentsOf(content).catch((error: unknown) => {
          // The page went away since it was listed, and they with it.
          if (error instanceof RemoteError && error.status === 404) return [];
          throw error;
        })
      );
    },
    async audienceOf(id) {
      const content = contents.get(id);
      if (content === undefined) throw new Error(`content ${id} is not in the listing`);
      readers ??= readSpaceReaders();
      const levels = [await readers];
      for await (const at of ascend(content)) {
        const restriction = await once(restrictions, at.id, () => api.restrictionOf(at.id));
        if (restriction.restricted) {
          const named = principalsOf(restriction);
          levels.push(at.id === id ? named : given(contents.get(at.id)?.title ?? "a page above it", named));
        } else if (isContainer(at) && options.hiddenRestrictions === "possible") throw untold;
      }
      return intersectLevels(levels, identity);
    },
  };
}

function given(place: string, principals: Principal[]): SourceGrant[] {
  return principals.map((principal) => ({ ...principal, inheritedFrom: place }));
}

/** Asks once for what many pages share; a refusal is remembered too. */
export function once<T>(answers: Map<string, Promise<T>>, key: string, ask: () => Promise<T>): Promise<T> {
  let answer = answers.get(key);
  if (answer === undefined) {
    answer = ask();
    answers.set(key, answer);
  }
  return answer;
}

function endless({ title }: ListedContent): AnnealError {
  return new AnnealError("SOURCE_UNREACHABLE", `What "${title}" lies in does not end.`, {
    action: "Sync again; the tree of pages may have been changed meanwhile.",
  });
}
