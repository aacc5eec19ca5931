/** Tells a workspace's indexes who may find its documents now: payloads only, no new vectors. One at a time. */
export const pushReadersWorkflowName = "pushReaders";

export type PushReadersInput = { workspaceId: string };

export function pushReadersWorkflowId(workspaceId: string): string {
  return `push-readers-${workspaceId}`;
}

/** There is more to tell than when the workflow began. */
export const pushAgainSignal = "pushAgain";
