import { AnnealError } from "@anneal/core/errors";
import type { RemoteStats, SftpSession } from "./sftp-session.ts";

export const fileMode = 0o100644;
export const folderMode = 0o040755;
export const linkMode = 0o120777;

/** What a listing says of an entry, and what a look at it says, which follows no link: no mode, an error, or a mode. */
export type Told = { listed: number | undefined; looked?: number | AnnealError | undefined; target?: string };

export const gone = new AnnealError("SOURCE_NOT_FOUND", "It does not exist.", { action: "Sync again." });
export const forbidden = new AnnealError("SOURCE_FORBIDDEN", "It may not be read.", { action: "Give permission." });

/** A server by its absolute paths. */
export function fakeSession(entries: Record<string, Told>): SftpSession {
  const statsOf = (mode: number | undefined): RemoteStats => ({ mode, uid: 0, gid: 0, size: 3, mtime: 1 });
  const look = async (path: string) => {
    const looked = entries[path]?.looked;
    if (looked instanceof AnnealError) throw looked;
    return statsOf(looked);
  };
  return {
    async *list(folder) {
      for (const [path, { listed }] of Object.entries(entries)) {
        const name = path.slice(folder.replace(/\/$/, "").length + 1);
        if (path.startsWith(folder) && !name.includes("/")) yield { name, stats: statsOf(listed) };
      }
    },
    lstat: look,
    stat: look,
    realPath: async (path) => entries[path]?.target ?? path,
    open: () => Promise.reject(forbidden),
    lost: () => null,
    close: async () => {},
  };
}
