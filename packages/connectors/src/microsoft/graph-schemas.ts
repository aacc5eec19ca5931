import { z } from "zod";

/** Of Microsoft Graph's resources, the properties that are used; it leaves out or nulls whatever it likes. */
const facet = z.object({}).nullish();

const publicationSchema = z.object({ level: z.string().nullish(), versionId: z.string().nullish() }).nullish();

export const driveSchema = z.object({
  id: z.string(),
  name: z.string().nullish(),
  driveType: z.string().nullish(),
});

export const driveItemSchema = z.object({
  id: z.string(),
  name: z.string().nullish(),
  webUrl: z.string().nullish(),
  size: z.number().nullish(),
  lastModifiedDateTime: z.string().nullish(),
  cTag: z.string().nullish(),
  eTag: z.string().nullish(),
  file: z
    .object({
      hashes: z
        .object({
          quickXorHash: z.string().nullish(),
          sha256Hash: z.string().nullish(),
          sha1Hash: z.string().nullish(),
        })
        .nullish(),
    })
    .nullish(),
  folder: facet,
  root: facet,
  remoteItem: facet,
  deleted: facet,
  parentReference: z.object({ id: z.string().nullish(), path: z.string().nullish() }).nullish(),
  publication: publicationSchema,
});
export type DriveItem = z.infer<typeof driveItemSchema>;

/** To be asked for by name, because `publication` is not among what comes by default. */
export const driveItemFields = Object.keys(driveItemSchema.shape).join(",");

/** The root of a drive, with the site collection that the drive belongs to. */
export const driveRootSchema = z.object({
  id: z.string(),
  sharepointIds: z.object({ siteId: z.string().nullish(), siteUrl: z.string().nullish() }).nullish(),
});

/** Where a channel's files lie: a folder of its team's drive, or the root of a drive of its own. */
export const filesFolderSchema = z.object({
  id: z.string(),
  root: facet,
  parentReference: z.object({ driveId: z.string() }),
});

/** `versionId` where it is an earlier version than the current one that is meant. */
export type DriveFile = DriveItem & { versionId?: string };

const itemVersionSchema = z.object({
  id: z.string(),
  size: z.number().nullish(),
  lastModifiedDateTime: z.string().nullish(),
  publication: publicationSchema,
});
export type ItemVersion = z.infer<typeof itemVersionSchema>;

const identity = z.object({ id: z.string().nullish() }).nullish();
const siteIdentity = z.object({ id: z.string().nullish(), loginName: z.string().nullish() }).nullish();

const identitySetSchema = z.object({
  user: identity,
  group: identity,
  siteUser: siteIdentity,
  siteGroup: siteIdentity,
});
export type IdentitySet = z.infer<typeof identitySetSchema>;

const permissionSchema = z.object({
  roles: z.array(z.string()).nullish(),
  link: z.object({ scope: z.string().nullish(), type: z.string().nullish() }).nullish(),
  grantedToV2: identitySetSchema.nullish(),
  grantedToIdentitiesV2: z.array(identitySetSchema).nullish(),
  inheritedFrom: z.object({ path: z.string().nullish() }).nullish(),
  expirationDateTime: z.string().nullish(),
  hasPassword: z.boolean().nullish(),
});
export type Permission = z.infer<typeof permissionSchema>;

export const userSchema = z.object({
  id: z.string(),
  displayName: z.string().nullish(),
  mail: z.string().nullish(),
  userPrincipalName: z.string().nullish(),
  proxyAddresses: z.array(z.string()).nullish(),
  userType: z.string().nullish(),
  accountEnabled: z.boolean().nullish(),
});
export type GraphUser = z.infer<typeof userSchema>;

const groupSchema = z.object({
  id: z.string(),
  displayName: z.string().nullish(),
  groupTypes: z.array(z.string()).nullish(),
});
export type GraphGroup = z.infer<typeof groupSchema>;

const memberSchema = z.object({ "@odata.type": z.string().nullish(), id: z.string() });

const organizationSchema = z.object({
  verifiedDomains: z.array(z.object({ name: z.string() })),
});

export type GraphPage<T> = {
  value: T[];
  "@odata.nextLink"?: string | null | undefined;
  "@odata.deltaLink"?: string | null | undefined;
};

/** One page of any collection. To be called once for each: zod compiles a schema when it first parses. */
export function pageOf<T>(item: z.ZodType<T>): z.ZodType<GraphPage<T>> {
  return z.object({
    value: z.array(item),
    "@odata.nextLink": z.string().nullish(),
    "@odata.deltaLink": z.string().nullish(),
  });
}

export const drivePageSchema = pageOf(driveSchema);
export const driveItemPageSchema = pageOf(driveItemSchema);
export const versionPageSchema = pageOf(itemVersionSchema);
export const permissionPageSchema = pageOf(permissionSchema);
export const userPageSchema = pageOf(userSchema);
export const groupPageSchema = pageOf(groupSchema);
export const memberPageSchema = pageOf(memberSchema);
export const organizationPageSchema = pageOf(organizationSchema);
