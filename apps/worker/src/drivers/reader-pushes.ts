import {
  pushAgainSignal,
  pushReadersWorkflowId,
  pushReadersWorkflowName,
  type PushReadersInput,
} from "@anneal/core/indexing/contract";
import { taskQueue } from "@anneal/core/loop/contract";
import { WorkflowExecutionAlreadyStartedError, type Client } from "@temporalio/client";

export type ReaderPushes = {
  /** Has the indexes told, unless they are being told already: of what comes meanwhile, perhaps not. */
  begin(workspaceId: string): Promise<void>;
  /** Has them told of all that is in the database now. */
  ensure(workspaceId: string): Promise<void>;
};

export function createReaderPushes({ workflow }: Pick<Client, "workflow">): ReaderPushes {
  const options = (workspaceId: string) => {
    const input: PushReadersInput = { workspaceId };
    return { workflowId: pushReadersWorkflowId(workspaceId), taskQueue, args: [input] };
  };
  return {
    async begin(workspaceId) {
      try {
        await workflow.start(pushReadersWorkflowName, options(workspaceId));
      } catch (error) {
        if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      }
    },
    async ensure(workspaceId) {
      await workflow.signalWithStart(pushReadersWorkflowName, {
        ...options(workspaceId),
        signal: pushAgainSignal,
      });
    },
  };
}
