/** A kind of source as a search sees it: how it is called here, and what it holds. */
type Searchable = { kind: string; title: string; description: string };

/**
 * What else people call a kind, or what they have that is read by it. Words of the title and the description are found
 * anyway.
 */
const otherNames: Record<string, string> = {
  file: "nfs mount mounted drive directory local disk network drive nas filesystem file system efs cephfs gluster",
  smb: "smb cifs samba file server fileserver network drive nas netapp synology qnap active directory ntfs",
  sftp: "ssh openssh unix server linux server",
  s3: "aws amazon simple storage service minio ceph cloudflare r2 backblaze b2 wasabi digitalocean spaces object storage",
  "azure-blob": "microsoft object storage adls data lake azurite",
  gcs: "gcp gcloud google bucket object storage",
  sharepoint: "microsoft office 365 m365 o365 sharepoint online intranet document library libraries site spo",
  onedrive: "microsoft office 365 m365 o365 onedrive for business one drive",
  teams: "microsoft office 365 m365 o365 chat channel msteams",
  gdrive: "gsuite g suite google workspace docs sheets slides shared drive gdrive",
  confluence: "atlassian wiki",
  jira: "atlassian issue tracker ticket service desk bug",
  notion: "wiki notes",
  imap:
    "gmail google mail gsuite google workspace exchange exchange online outlook office 365 microsoft 365 m365 o365 email mail e-mail " +
    "inbox mailbox dovecot cyrus zimbra fastmail icloud yahoo gmx",
  slack: "chat channel messages",
  postgres: "postgresql postgres pg sql aurora amazon rds cloud sql alloydb timescale supabase neon database db",
  mysql: "mariadb percona aurora amazon rds cloud sql sql planetscale database db",
  mssql: "mssql ms sql microsoft sql server azure sql sqlserver tds database db",
  mongodb: "mongo atlas documentdb nosql database db",
  web: "web site homepage http https html crawl crawler sitemap rss atom feed blog docs wiki intranet mediawiki wordpress page",
  rest: "json http api web service endpoint salesforce zendesk servicenow hubspot xing personio github gitlab crm erp",
  graphql: "gql api github gitlab web service endpoint",
};

/**
 * The kinds that a search finds: each of its words, in any order, is a part of what the gallery says of the kind (`group`
 * is the heading that it stands under), or begins one of its other names.
 */
export function findKinds<Kind extends Searchable>(
  kinds: readonly Kind[],
  search: string,
  groupOf: (kind: Kind) => string,
): Kind[] {
  const words = search
    .toLowerCase()
    .split(/[\s,;/]+/)
    .filter((word) => word !== "");
  return kinds.filter((each) => {
    const shown = [each.kind, each.title, each.description, groupOf(each)].join(" ").toLowerCase();
    const others = ` ${otherNames[each.kind] ?? ""}`;
    return words.every((word) => shown.includes(word) || others.includes(` ${word}`));
  });
}
