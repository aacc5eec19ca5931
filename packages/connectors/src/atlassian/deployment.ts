import { AnnealError } from "@anneal/core/errors";
import { z } from "zod";
import { hasStatus, type AtlassianSite } from "./atlassian-site.ts";
import type { Deployment } from "./config.ts";

type Detected = { deployment: Deployment; version: string };

const cloudHosts = /(^|\.)atlassian\.(net|com)(:\d+)?$/;
const serverInfoSchema = z.looseObject({
  deploymentType: z.string().default("Server"),
  version: z.string().default(""),
});
/** What application links ask one another for. */
const manifestSchema = z.looseObject({ typeId: z.literal("confluence"), version: z.string() });

/**
 * What answers at the address, asked without signing in: Jira's server information, Confluence's manifest of
 * application links.
 *
 * @returns null where it does not say
 */
async function detectDeployment(site: AtlassianSite): Promise<Detected | null> {
  if (cloudHosts.test(site.tenant.split("/")[0] ?? "")) return { deployment: "cloud", version: "" };
  if (site.service === "Jira") {
    const info = await site.askAsStranger("/rest/api/2/serverInfo", serverInfoSchema);
    return info && { deployment: info.deploymentType === "Cloud" ? "cloud" : "data-center", version: info.version };
  }
  // Set to the cloud, a context path "/wiki" of Data Center was taken for the cloud's own.
  for (const context of site.deployment === "cloud" ? ["", "/wiki"] : [""]) {
    const manifest = await site.askAsStranger(`${context}/rest/applinks/1.0/manifest`, manifestSchema);
    if (manifest === null) continue;
    const { version } = manifest;
    // The cloud has called all of its versions 1000.0.0 since 2015.
    return { deployment: version.startsWith("1000.") ? "cloud" : "data-center", version };
  }
  return null;
}

/** @throws AnnealError INVALID_INPUT when the address answers as the other deployment */
export async function requireDeployment(site: AtlassianSite): Promise<void> {
  const detected = await detectDeployment(site);
  if (detected === null || detected.deployment === site.deployment) return;
  const name = `${site.service} ${nameOf(detected.deployment)}${detected.version === "" ? "" : ` ${detected.version}`}`;
  throw new AnnealError("INVALID_INPUT", `${site.tenant} answers as ${name}.`, {
    action: `Choose ${detected.deployment} as the deployment, and how to sign in there.`,
  });
}

/** The first question to a site. One that does not know it is another one, another deployment or another product. */
export async function askWhoIAm<T>(site: AtlassianSite, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!hasStatus(error, 404)) throw error;
    await requireDeployment(site);
    throw new AnnealError(
      "SOURCE_NOT_FOUND",
      `${site.tenant} does not answer as a site of ${site.service} ${nameOf(site.deployment)}.`,
      {
        action:
          site.deployment === "cloud"
            ? "Enter the site's address, such as https://your-site.atlassian.net, or choose data-center as the deployment."
            : "Enter the base URL with its context path, as the site's general configuration shows it.",
        details: error.details,
      },
    );
  }
}

function nameOf(deployment: Deployment): string {
  return deployment === "cloud" ? "Cloud" : "Data Center";
}
