import type { Acl, Principal } from "@anneal/core/access/acl";
import { AnnealError } from "@anneal/core/errors";
import { z } from "zod";
import type { SmbConfig } from "./config.ts";
import { shareName } from "./smb-errors.ts";
import { admitsEverybody, aclOfDescriptor } from "./ntfs-acl.ts";
import type { SmbSession } from "./smb-session.ts";

const shareSchema = z.object({
  share: z.union([z.object({ data: z.string() }), z.object({ error: z.string() })]).nullable(),
});

/**
 * Whom the share as a whole admits, whatever its files say; null for everybody.
 * @throws AnnealError SOURCE_FORBIDDEN where the server does not tell, as Windows tells administrators only
 */
export async function readShareAcl(
  session: SmbSession,
  config: SmbConfig,
  principalOf: (sid: string) => Principal,
): Promise<Acl | null> {
  if (config.shareAdmitsEverybody) return null;
  const { share } = await session.request({ op: "share" }, shareSchema, null);
  if (share === null) return null;
  if ("error" in share) throw shareUntold(config, share.error);
  const acl = aclOfDescriptor(Buffer.from(share.data, "base64"), principalOf);
  return admitsEverybody(acl) ? null : acl;
}

/** Whom people say that it admits, besides what it tells; null for everybody. */
export function statedShareAcl({ shareAdmits }: SmbConfig, principalOf: (sid: string) => Principal): Acl | null {
  return shareAdmits.length === 0 ? null : { allow: shareAdmits.map(principalOf), deny: [] };
}

function shareUntold(config: SmbConfig, status: string): AnnealError {
  return new AnnealError(
    "SOURCE_FORBIDDEN",
    `${shareName(config)} does not tell "${config.user}" whom the share itself admits.`,
    {
      action:
        "Look at “Share Permissions” on the server: if they admit Everyone, say so with “The share admits everybody”; else sign in as one of its Administrators or Server Operators, or turn file permissions off and choose the audience.",
      details: { status },
    },
  );
}
