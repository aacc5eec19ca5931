import type { MicrosoftSecrets, TenantConfig } from "../../src/microsoft/config.ts";
import type { PermissionHarness } from "../describe-permissions.ts";
import type { FakeMicrosoft } from "./start-fake-microsoft.ts";

type MicrosoftHarness<Config> = PermissionHarness<Config, MicrosoftSecrets> & { fake: FakeMicrosoft };

/** None of those that documents are shared with. */
export const accountName = "clerk";

/**
 * The same source, read with delegated permission by "clerk".
 * @param scopes what clerk consented to
 * @param options.owner whether clerk owns the site, and so sees everything and whom it is shared with
 * @param options.adminConsents what the tenant's administrator consented to
 */
export function asAccount<Config extends TenantConfig, Harness extends MicrosoftHarness<Config>>(
  harness: Harness,
  scopes: readonly string[],
  { owner, adminConsents }: { owner: boolean; adminConsents: readonly string[] },
): Harness {
  const { tenant, entra } = harness.fake;
  tenant.addUser(accountName);
  if (owner) tenant.siteOwners.add(accountName);
  for (const scope of adminConsents) entra.adminConsents.add(scope);
  return {
    ...harness,
    config: { ...harness.config, permission: "delegated" },
    secrets: { refreshToken: entra.signIn(accountName, scopes) },
  };
}
