"use client";

import { mayEdit } from "@anneal/core/access/roles";
import { Pencil } from "lucide-react";
import { useState } from "react";
import { Button } from "#components/ui/button.tsx";
import { KeyValues } from "#components/ui/key-values.tsx";
import { Panel } from "#components/ui/panel.tsx";
import { RelativeTime } from "#components/ui/relative-time.tsx";
import { EditSource } from "#features/connect/edit-source.tsx";
import { KindFacts } from "#features/connect/kind-facts.tsx";
import { wordSettings, type SettingWords } from "#features/connect/setting-words.ts";
import { describeSchedule } from "#features/loop/schedule-field.tsx";
import type { Answers } from "#lib/trpc.ts";
import { useWorkspace } from "#lib/workspace.tsx";

type Source = Answers["connect"]["get"];

/** What a source is set to, in the words of the form that changes it. */
export function SourceSettings({ source }: { source: Source }) {
  const { role } = useWorkspace();
  const [editing, setEditing] = useState(false);
  return (
    <Panel
      title="Settings"
      actions={
        mayEdit(role) && (
          <>
            <Button size="small" onClick={() => setEditing(true)}>
              <Pencil aria-hidden /> Edit
            </Button>
            <EditSource source={source} open={editing} onOpenChange={setEditing} />
          </>
        )
      }
    >
      <KeyValues
        items={[
          { label: "Kind", value: source.kindTitle },
          // A source of another release's kind is shown without.
          ...(source.kindFacts.length === 0
            ? []
            : [{ label: "How it is read", value: <KindFacts facts={source.kindFacts} /> }]),
          ...wordSettings(source.config, source.configSchema).map(({ label, ...words }) => ({
            label,
            value: <SettingText {...words} />,
          })),
          { label: "Credentials", value: source.hasSecrets ? "Stored, encrypted" : "None" },
          {
            label: "Default audience",
            value: source.audience === "members" ? "Everyone in this workspace" : "Nobody",
          },
          {
            label: "Schedule",
            value: `${describeSchedule(source.schedule)}${source.schedulePaused ? " (paused)" : ""}`,
          },
          ...(source.directoryReadAt
            ? [
                {
                  label: "People and groups",
                  value: (
                    <>
                      Read <RelativeTime time={source.directoryReadAt} />
                    </>
                  ),
                },
              ]
            : []),
          { label: "Added", value: <RelativeTime time={source.createdAt} /> },
        ]}
      />
    </Panel>
  );
}

function SettingText({ text, isWords }: Pick<SettingWords, "text" | "isWords">) {
  if (text === null) return <span className="text-muted">Not set</span>;
  if (isWords) return text;
  return <code className="font-mono text-xs whitespace-pre-wrap">{text}</code>;
}
