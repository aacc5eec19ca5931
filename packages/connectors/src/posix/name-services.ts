/**
 * What adds no member to a listed group, of the accounts that are listed too: the files themselves, and systemd
 * (nss-systemd(8)), whose accounts are its own, unless somebody puts a listed one into a listed group by userdb's drop-ins.
 */
const addNobody = new Set(["files", "systemd"]);

/**
 * Whether a system's own list of groups has all their members. Whoever signs in is in the groups of every service that
 * is named (initgroups(3)), so that a directory's members count in a group that the file has as well.
 * @param text as nsswitch.conf(5) says
 */
export function namesGroupsByFilesAlone(text: string): boolean {
  const lines = text.split("\n").flatMap((line) => {
    const [, database, services = ""] = /^\s*(group|initgroups):([^#]*)/.exec(line) ?? [];
    // Between services stand actions, such as [NOTFOUND=return].
    const named = services
      .replaceAll(/\[[^\]]*\]/g, " ")
      .split(/\s+/)
      .filter(Boolean);
    return database === undefined ? [] : [{ database, named }];
  });
  const hasFiles = lines.some(({ database, named }) => database === "group" && named.includes("files"));
  return hasFiles && lines.every(({ named }) => named.every((service) => addNobody.has(service)));
}
