import { AnnealError, isAnnealError } from "@anneal/core/errors";
import { z } from "zod";
import { joinNames } from "../preview.ts";
import { RemoteError } from "../remote/remote-client.ts";
import type { OnedriveConfig, SharepointConfig } from "./config.ts";
import type { Drive } from "./drive-run.ts";
import { isOwnFault, type Graph } from "./graph-client.ts";
import { drivePageSchema, driveSchema } from "./graph-schemas.ts";
import type { DriveListing } from "./read-drives.ts";

const siteSchema = z.object({ id: z.string(), webUrl: z.string() });

/** The document libraries of a site, or those of them that are chosen. */
export async function listSiteDrives(
  graph: Graph,
  config: Pick<SharepointConfig, "siteUrl" | "libraries">,
): Promise<DriveListing> {
  const site = await findSite(graph, config.siteUrl);
  const drives: Drive[] = [];
  const path = `sites/${encodeURIComponent(site.id)}/drives`;
  for await (const page of graph.pages(path, drivePageSchema)) {
    for (const { id, name } of page) drives.push({ id, name: name ?? id, siteScope: site.collectionId });
  }
  if (config.libraries.length === 0) return { drives, failures: [] };
  const isChosen = (drive: Drive, choice: string) => drive.id === choice || drive.name === choice;
  const missing = config.libraries.find((choice) => !drives.some((drive) => isChosen(drive, choice)));
  if (missing !== undefined) {
    throw new AnnealError("SOURCE_NOT_FOUND", `The site has no document library "${missing}".`, {
      action: `Choose among ${joinNames(drives.map((drive) => `"${drive.name}"`))}.`,
    });
  }
  return {
    drives: drives.filter((drive) => config.libraries.some((choice) => isChosen(drive, choice))),
    failures: [],
  };
}

/** @returns its id, that of its site collection (the second part of "host,collection,web"), and its true address */
export async function findSite(
  graph: Graph,
  siteUrl: string,
): Promise<{ id: string; collectionId: string; webUrl: string }> {
  const { hostname, pathname } = new URL(siteUrl);
  const path = pathname.replace(/\/+$/, "");
  const { id, webUrl } = await orNotFound(
    graph,
    graph.json(`sites/${hostname}${path === "" ? "" : `:${path}`}`, siteSchema),
    (who) => `There is no site "${siteUrl}" that ${who} may see.`,
    "Check the site's address, and who has access to it; with Sites.Selected, grant the application access to this site.",
  );
  return { id, collectionId: id.split(",")[1] ?? id, webUrl };
}

/** The OneDrive of each user. One that cannot be found leaves the others' readable. */
export async function listUserDrives(graph: Graph, config: Pick<OnedriveConfig, "users">): Promise<DriveListing> {
  const listing: DriveListing & { found: string[] } = { drives: [], failures: [], found: [] };
  const errors: AnnealError[] = [];
  for (const user of config.users) {
    try {
      const { id } = await orNotFound(
        graph,
        graph.json(`users/${encodeURIComponent(user)}/drive`, driveSchema),
        (who) => `"${user}" has no OneDrive that ${who} may see.`,
        "Check the user principal name; a OneDrive exists once its owner has opened it.",
      );
      listing.found.push(`${user}/`);
      if (!listing.drives.some((drive) => drive.id === id)) listing.drives.push({ id, name: user, siteScope: id });
    } catch (error) {
      if (!isAnnealError(error) || !(isOwnFault(error) || error.code === "SOURCE_NOT_FOUND")) throw error;
      errors.push(error);
      listing.failures.push({ ref: `${user}/`, error: error.toReport() });
    }
  }
  if (listing.drives.length === 0 && errors[0] !== undefined) throw errors[0];
  return listing;
}

export async function whoLooks(graph: Graph): Promise<string> {
  return (await graph.account()) === null ? "the application" : "the account that signed in";
}

/** @param message of what is not there for whoever looks */
async function orNotFound<T>(
  graph: Graph,
  answer: Promise<T>,
  message: (who: string) => string,
  action: string,
): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (!(error instanceof RemoteError) || error.status !== 404) throw error;
    throw new AnnealError("SOURCE_NOT_FOUND", message(await whoLooks(graph)), { action });
  }
}
