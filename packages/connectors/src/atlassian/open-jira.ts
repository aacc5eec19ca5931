import { AnnealError } from "@anneal/core/errors";
import type { DirectoryRequest } from "../connector.ts";
import { joinNames } from "../preview.ts";
import { openAtlassianSite, type AtlassianSite } from "./atlassian-site.ts";
import type { AtlassianSecrets, JiraConfig } from "./config.ts";
import { askWhoIAm } from "./deployment.ts";
import type { Project } from "./jira-answers.ts";
import { createJiraApi, type JiraApi } from "./jira-api.ts";

export type OpenedJira = { api: JiraApi; tenant: string };

/**
 * Signs in, and closes the connections whichever way `use` ends.
 *
 * @param before is asked before anything that only this deployment answers
 */
export async function* withJira<T>(
  { config, secrets, context }: DirectoryRequest<JiraConfig, AtlassianSecrets>,
  use: (opened: OpenedJira) => AsyncIterable<T>,
  before?: (site: AtlassianSite) => Promise<void>,
): AsyncIterable<T> {
  const site = openAtlassianSite("Jira", config, secrets, context);
  try {
    await before?.(site);
    const api = createJiraApi(site);
    await askWhoIAm(site, () => api.requireAccount());
    yield* use({ api, tenant: site.tenant });
  } finally {
    await site.close();
  }
}

/** @throws AnnealError SOURCE_NOT_FOUND when there is none */
export async function chooseProjects(api: JiraApi, keys: readonly string[]): Promise<ChosenProjects> {
  const chosen = await findProjects(api, keys);
  if (chosen.found.length === 0) throw noProjectOf(chosen.missing);
  return chosen;
}

type ChosenProjects = { found: Project[]; missing: string[] };

export async function findProjects(api: JiraApi, keys: readonly string[]): Promise<ChosenProjects> {
  const found: Project[] = [];
  for await (const project of api.listProjects(keys)) found.push(project);
  return { found, missing: keys.filter((key) => !found.some((project) => project.key === key)) };
}

/** Where none was found. @param missing those that the settings name */
export function noProjectOf(missing: readonly string[]): AnnealError {
  if (missing.length > 0) return noSuchProject(missing);
  return new AnnealError("SOURCE_NOT_FOUND", "The account may browse no project.", {
    action: "Give it the Browse Projects permission in the projects to read (Project settings, Permissions).",
  });
}

export function noSuchProject(keys: readonly string[]): AnnealError {
  const names = joinNames(keys.map((key) => `"${key}"`));
  return new AnnealError("SOURCE_NOT_FOUND", `There is no project ${names}, or the account may not browse it.`, {
    action: "Check the key (issues' names begin with it), and give the account the Browse Projects permission.",
  });
}
