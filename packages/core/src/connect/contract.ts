/** One source's sync outside a whole run: "sync now" on its page. */
export const syncWorkflowName = "sync";
export type SyncInput = { workspaceId: string; sourceId: string; confirmDeletions: boolean };
export type SyncResult = { scanned: number; changed: number; deleted: number; failed: number; live: number };

export function syncWorkflowId(sourceId: string): string {
  return `sync-${sourceId}`;
}
