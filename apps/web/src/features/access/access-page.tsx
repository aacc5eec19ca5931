"use client";

import { Page } from "#components/ui/page.tsx";
import { Tabs } from "#components/ui/tabs.tsx";
import { GrantTable } from "#features/access/grant-table.tsx";
import { KeyTable } from "#features/access/key-table.tsx";
import { MemberTable } from "#features/access/member-table.tsx";
import { RoleTable } from "#features/access/role-table.tsx";
import { useWorkspace } from "#lib/workspace.tsx";

export function AccessPage() {
  const { role } = useWorkspace();
  const keys = { value: "keys", label: "API keys", content: <KeyTable /> };
  const members = {
    value: "members",
    label: "Members",
    content: (
      <>
        <MemberTable />
        <RoleTable />
      </>
    ),
  };
  const grants = { value: "models", label: "Model permissions", content: <GrantTable /> };
  return (
    <Page title="Access" description="Who is in this workspace, what they may do, and the keys that act for them.">
      <Tabs label="Access" tabs={role === "admin" ? [members, keys, grants] : [keys]} />
    </Page>
  );
}
