import { AnnealError } from "@anneal/core/errors";
import { z } from "zod";
import { parseJson } from "../remote/remote-answer.ts";

const errorSchema = z.looseObject({ code: z.string(), message: z.string().default("") });

/** The codes of the page "Status codes" of Notion's reference. */
export function explainAnswer(status: number, body: string): AnnealError | null {
  const error = errorSchema.safeParse(parseJson(body)).data;
  const details = { notionCode: error?.code ?? null };
  if (status === 401) {
    return new AnnealError("SOURCE_CREDENTIALS", "Notion does not accept the integration token.", {
      action: "Copy the Internal Integration Secret again from notion.so/my-integrations.",
      details,
    });
  }
  if (status === 403) {
    return new AnnealError("SOURCE_FORBIDDEN", "The Notion integration lacks a capability.", {
      action: "Give it the capability Read content under Capabilities at notion.so/my-integrations.",
      details,
    });
  }
  if (status === 404) {
    return new AnnealError("SOURCE_NOT_FOUND", "Notion does not show the page to the integration.", {
      action: "Add the integration to it in Notion: the page's menu, Connections.",
      details,
    });
  }
  if ((status === 400 || status === 410) && /start_cursor/.test(error?.message ?? "")) {
    return new AnnealError("SOURCE_UNREACHABLE", "Notion no longer accepts its own position in a list.", {
      action: "Sync again: the list is read from its beginning.",
      details,
      retryable: true,
    });
  }
  return null;
}
