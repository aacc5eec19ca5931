"use client";

import { useQuery } from "@tanstack/react-query";
import { Eye } from "lucide-react";
import { Button } from "#components/ui/button.tsx";
import { Select } from "#components/ui/select.tsx";
import { useTableFilter } from "#lib/table-state.ts";
import { useTRPC } from "#lib/trpc.ts";
import { useWorkspace } from "#lib/workspace.tsx";

const myself = "me";

/** The member whose view of the documents the URL asks for, by user id. */
export function useViewAs() {
  const [value, setViewAs] = useTableFilter("as");
  return { viewAs: value || undefined, setViewAs };
}

function useMembers() {
  const trpc = useTRPC();
  const { role } = useWorkspace();
  const { data } = useQuery(trpc.access.members.queryOptions(undefined, { enabled: role === "admin" }));
  return data;
}

/** For administrators, beside the filters. */
export function ViewAsSelect() {
  const { role } = useWorkspace();
  const { viewAs, setViewAs } = useViewAs();
  const members = useMembers();
  if (role !== "admin") return null;
  return (
    <Select
      label="View as a member"
      className="w-auto max-w-56 min-w-32"
      value={viewAs ?? myself}
      onChange={(next) => setViewAs(next === myself ? "" : next)}
      placeholder="View as …"
      options={[
        { value: myself, label: "View as …" },
        ...(members ?? []).map(({ userId, name, email }) => ({
          value: userId,
          label: `As ${name || email}`,
          hint: email,
        })),
      ]}
    />
  );
}

/** Also for who followed a shared link and may not: the list then says so, and this leads back. */
export function ViewAsBanner() {
  const { role } = useWorkspace();
  const { viewAs, setViewAs } = useViewAs();
  const member = useMembers()?.find(({ userId }) => userId === viewAs);
  if (!viewAs) return null;
  return (
    <div
      role="status"
      className="mb-3 flex flex-wrap items-center gap-x-3 gap-y-2 rounded-panel border border-line-strong bg-sunken px-3 py-2 text-13"
    >
      <Eye aria-hidden className="size-4 shrink-0 text-muted" />
      <p className="min-w-0 flex-1 basis-60 break-words">
        {role === "admin" ? (
          <>
            <strong className="font-medium">
              {member ? `As ${member.name || member.email} sees it` : "As another member sees it"}
            </strong>
            <span className="text-muted">
              {": "}only what they may read. This shows you no contents that you may not read, and it is recorded.
            </span>
          </>
        ) : (
          "This link is to the documents as another member sees them."
        )}
      </p>
      <Button size="small" onClick={() => setViewAs("")}>
        Back to your view
      </Button>
    </div>
  );
}
