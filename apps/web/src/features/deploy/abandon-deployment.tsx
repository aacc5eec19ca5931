"use client";

import { useMutation } from "@tanstack/react-query";
import { ConfirmButton } from "#components/ui/confirm-button.tsx";
import { useTRPC } from "#lib/trpc.ts";

/** The way out when a deployment does not get on: its alias is free for another at once. */
export function AbandonDeployment({ deploymentId }: { deploymentId: string }) {
  const trpc = useTRPC();
  const abandon = useMutation(trpc.deploy.abandon.mutationOptions({ meta: { inlineError: true } }));
  return (
    <ConfirmButton
      label="Abandon it"
      button={{ size: "small", variant: "danger" }}
      title="Abandon this deployment?"
      action="Abandon deployment"
      destructive
      mutation={abandon}
      onConfirm={(close) => abandon.mutate({ deploymentId }, { onSuccess: close })}
    >
      <p>
        It ends where it is. If the alias has moved already it stays moved; if not, what serves now goes on serving, and
        what was loaded for nothing leaves the engines.
      </p>
    </ConfirmButton>
  );
}
