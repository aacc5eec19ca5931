import type { CapabilityCheck, ConnectContext } from "../connector.ts";
import { reportOf } from "../failure.ts";
import type { MicrosoftSecrets, TenantConfig } from "./config.ts";
import { createSiteClient, listSiteGroups, mayReadSiteGroups } from "./site-groups.ts";

/** Most documents of a site are granted to its groups; without them only what names people or Entra groups is seen. */
export async function checkSiteGroups(
  config: TenantConfig,
  secrets: MicrosoftSecrets,
  context: ConnectContext,
  findSiteUrl: () => Promise<string>,
): Promise<CapabilityCheck> {
  const capability = "site groups";
  if (config.permission === "delegated") {
    return {
      capability,
      status: "warning",
      message:
        "Who is in the site's own groups (Owners, Members, Visitors) is told to an application with a certificate only: what is shared with them alone is shown to the account that signed in and to nobody else. Use application permission to show it to them.",
    };
  }
  if (!mayReadSiteGroups(config, secrets)) {
    return {
      capability,
      status: "warning",
      message:
        "Who is in the site's own groups (Owners, Members, Visitors) is unknown: what is shared with them alone is shown to nobody. Enter a certificate in place of the secret, and grant the application permission Sites.FullControl.All on SharePoint.",
    };
  }
  const client = createSiteClient(config, secrets, await findSiteUrl(), context);
  try {
    const groups = await listSiteGroups(client);
    return { capability, status: "ok", message: `The members of the site's ${groups.length} groups can be read.` };
  } catch (error) {
    return {
      capability,
      status: "warning",
      message: `${reportOf(error).message} Until then what is shared with the site's own groups is shown to nobody: grant the application permission Sites.FullControl.All on SharePoint (not on Microsoft Graph), with admin consent.`,
    };
  } finally {
    await client.close();
  }
}
