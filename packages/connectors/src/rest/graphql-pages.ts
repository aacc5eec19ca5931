import { AnnealError } from "@anneal/core/errors";
import { z } from "zod";
import type { RemoteClient } from "../remote/remote-client.ts";
import { clockOf } from "../remote/service-clock.ts";
import { SeenRefs } from "../seen-refs.ts";
import { parseExactJson } from "../exact-json.ts";
import { boundPages } from "./bounded-pages.ts";
import type { GraphqlConfig } from "./config.ts";
import { noList, repeatsItself, restartWhenStale, totalOf, type ItemListing, type ItemPage } from "./pages.ts";
import { parsePath, select, selectList, type Path } from "./path.ts";
import { splitAssignment } from "./rest-pages.ts";

type Variables = Record<string, unknown>;
/** Where a query's answer has its items, and what comes after them. */
type Fields = { items: string; pageInfo: string | null };

export function graphqlListing(client: RemoteClient, config: GraphqlConfig): ItemListing {
  const { groupsQuery, groupItems, groupId, groupMembers, groupsPageInfo } = config;
  const listBy = (query: string[], fields: Fields, tells: string[], variables: Variables) =>
    restartWhenStale(() => boundPages(listPages(client, config, query.join("\n"), fields, variables), tells));
  return {
    list(since) {
      const variables = Object.fromEntries(config.variables.map(typedAssignment));
      if (since !== null && config.since !== null) variables[config.since] = since;
      return listBy(config.query, { items: config.items, pageInfo: config.pageInfo }, [config.id], variables);
    },
    listGroups:
      groupsQuery.length === 0
        ? null
        : () => listBy(groupsQuery, { items: groupItems, pageInfo: groupsPageInfo }, [groupId, groupMembers], {}),
    mayShift: false,
  };
}

const answerSchema = z.looseObject({
  data: z.unknown().optional(),
  errors: z
    .array(
      z.looseObject({
        message: z.string().catch(""),
        extensions: z
          .looseObject({ code: z.string().optional().catch(undefined) })
          .optional()
          .catch(undefined),
      }),
    )
    .optional(),
});

/** @throws AnnealError also for an answer that holds only a part: what is missing in it is not deleted. */
export async function askGraphql(
  client: RemoteClient,
  config: GraphqlConfig,
  query: string,
  variables: Variables,
): Promise<{ data: unknown; answeredAtMs: number }> {
  const { data: answer, headers } = await client.exchange(config.url, answerSchema, {
    method: "POST",
    body: { query, variables },
  });
  const refusal = describeErrors(config.url, answer);
  if (refusal !== null) throw refusal;
  return { data: answer.data, answeredAtMs: clockOf(headers) };
}

/** Relay's connections: `pageInfo { hasNextPage endCursor }`. */
async function* listPages(
  client: RemoteClient,
  config: GraphqlConfig,
  query: string,
  fields: Fields,
  variables: Variables,
): AsyncIterable<ItemPage> {
  const itemsPath: Path = parsePath(fields.items);
  const cursors = new SeenRefs();
  let cursor: string | null = null;
  do {
    const position: Variables = cursor === null ? {} : { [config.cursorVariable]: cursor };
    const { data, answeredAtMs } = await askGraphql(client, config, query, { ...variables, ...position });
    const items = selectList(data, itemsPath);
    if (items === null) throw noList(fields.items, data);
    cursor = fields.pageInfo === null ? null : nextCursor(data, fields.pageInfo);
    if (cursor !== null && !cursors.add(cursor)) throw repeatsItself("cursor");
    yield { items, answeredAtMs, total: totalOf(data, config.total) };
  } while (cursor !== null);
}

const pageInfoSchema = z.looseObject({ hasNextPage: z.boolean(), endCursor: z.string().nullish() });

/** Without it the listing's end is not known, and what lies behind it would be taken for deleted. */
function nextCursor(data: unknown, pageInfoField: string): string | null {
  const parsed = pageInfoSchema.safeParse(select(data, parsePath(pageInfoField)));
  if (!parsed.success || (parsed.data.hasNextPage && !parsed.data.endCursor)) {
    throw new AnnealError("INVALID_INPUT", `The answer has no page info at "${pageInfoField}".`, {
      action: "Let the query ask for pageInfo { hasNextPage endCursor }, and name the field where it stands.",
    });
  }
  return parsed.data.hasNextPage ? (parsed.data.endCursor ?? null) : null;
}

/** The errors of an answer in the service's own words, also when they come with a status of their own. */
export function explainGraphql(url: string, answer: unknown): AnnealError | null {
  const parsed = answerSchema.safeParse(answer);
  return parsed.success ? describeErrors(url, parsed.data) : null;
}

function describeErrors(url: string, { errors = [] }: z.infer<typeof answerSchema>): AnnealError | null {
  const [first] = errors;
  if (first === undefined) return null;
  const { host } = new URL(url);
  const said = first.message.replace(/\s+/g, " ").slice(0, 300) || "no reason given";
  const code = first.extensions?.code ?? "";
  const message = `${host} refuses the query: ${said}`;
  const details = { code, said };
  if (/^(UNAUTHENTICATED|UNAUTHORIZED|AUTHENTICATION_ERROR)$/i.test(code)) {
    return new AnnealError("SOURCE_CREDENTIALS", message, { action: "Enter the credentials again.", details });
  }
  if (/^(FORBIDDEN|ACCESS_DENIED|PERMISSION_DENIED)$/i.test(code)) {
    const action = "Give the account behind the credentials the right to read what the query asks for.";
    return new AnnealError("SOURCE_FORBIDDEN", message, { action, details });
  }
  if (/THROTTLED|RATE_?LIMIT|TOO_MANY/i.test(code)) {
    return new AnnealError("RATE_LIMITED", message, {
      action: "The sync goes on by itself after a while; ask for fewer items at a time if it stays.",
      details: { ...details, retryAfterMs: 60_000 },
      retryable: true,
    });
  }
  if (/INTERNAL|TIMEOUT/i.test(code)) {
    return new AnnealError("SOURCE_UNREACHABLE", message, { action: "Sync again later.", details, retryable: true });
  }
  return new AnnealError("INVALID_INPUT", message, {
    action: "Correct the query or its variables; try it in the service's own explorer.",
    details,
  });
}

/** "first=50" is a number, "state=open" a text: whatever is JSON is taken as such. */
function typedAssignment(text: string): [name: string, value: unknown] {
  const [name, value] = splitAssignment(text);
  const parsed = parseExactJson(value);
  return [name, parsed === undefined ? value : parsed];
}
