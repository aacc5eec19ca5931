import { AnnealError } from "@anneal/core/errors";
import type { DirectoryRequest } from "../connector.ts";
import { joinNames } from "../preview.ts";
import { openAtlassianSite, type AtlassianSite } from "./atlassian-site.ts";
import type { AtlassianSecrets, ConfluenceConfig } from "./config.ts";
import type { Space } from "./confluence-answers.ts";
import { createConfluenceApi, type ConfluenceApi } from "./confluence-api.ts";
import { askWhoIAm } from "./deployment.ts";

export type OpenedConfluence = { api: ConfluenceApi; tenant: string };

/**
 * Signs in, and closes the connections whichever way `use` ends.
 *
 * @param before is asked before anything that only this deployment answers
 */
export async function* withConfluence<T>(
  { config, secrets, context }: DirectoryRequest<ConfluenceConfig, AtlassianSecrets>,
  use: (opened: OpenedConfluence) => AsyncIterable<T>,
  before?: (site: AtlassianSite) => Promise<void>,
): AsyncIterable<T> {
  const site = openAtlassianSite("Confluence", config, secrets, context);
  try {
    await before?.(site);
    const api = createConfluenceApi(site);
    await requireAccount(api, site);
    yield* use({ api, tenant: site.tenant });
  } finally {
    await site.close();
  }
}

/** Confluence answers a stranger with what is public: that must not be taken for all there is. */
async function requireAccount(api: ConfluenceApi, site: AtlassianSite): Promise<void> {
  const type = await askWhoIAm(site, () => api.currentAccountType());
  if (type !== "anonymous") return;
  throw new AnnealError("SOURCE_CREDENTIALS", "Confluence takes the requests for those of a stranger.", {
    action:
      site.deployment === "cloud"
        ? "Enter the API token again, with the e-mail address of its account."
        : "Enter the personal access token, or the user name and the password, again.",
  });
}

/** @throws AnnealError SOURCE_NOT_FOUND when there is none */
export async function chooseSpaces(api: ConfluenceApi, keys: readonly string[]): Promise<ChosenSpaces> {
  const chosen = await findSpaces(api, keys);
  if (chosen.found.length === 0) throw noSpaceOf(chosen.missing);
  return chosen;
}

type ChosenSpaces = { found: Space[]; missing: string[] };

export async function findSpaces(api: ConfluenceApi, keys: readonly string[]): Promise<ChosenSpaces> {
  const listed = new Map<string, Space>();
  for await (const space of api.listSpaces(keys)) listed.set(space.key, space);
  const found = [...listed.values()];
  return { found, missing: keys.filter((key) => !listed.has(key)) };
}

/** Where none was found. @param missing those that the settings name */
export function noSpaceOf(missing: string[]): AnnealError {
  if (missing.length > 0) return noSuchSpace(missing);
  return new AnnealError("SOURCE_NOT_FOUND", "The account may view no space.", {
    action: "Give it the View permission in the spaces to read (Space settings, Permissions).",
  });
}

export function noSuchSpace(keys: string[]): AnnealError {
  const names = joinNames(keys.map((key) => `"${key}"`));
  return new AnnealError("SOURCE_NOT_FOUND", `There is no space ${names}, or the account may not view it.`, {
    action: "Check the key (it is in the space's address), and give the account the View permission in the space.",
  });
}
