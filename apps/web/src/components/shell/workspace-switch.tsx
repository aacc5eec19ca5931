"use client";

import { ChevronsUpDown } from "lucide-react";
import { useRouter } from "next/navigation";
import { Button } from "#components/ui/button.tsx";
import {
  DropdownMenu,
  DropdownMenuContent,
  DropdownMenuLabel,
  DropdownMenuRadioGroup,
  DropdownMenuRadioItem,
  DropdownMenuTrigger,
} from "#components/ui/dropdown-menu.tsx";
import { workspacePath } from "#lib/workspace-path.ts";
import { useWorkspace } from "#lib/workspace.tsx";

export function WorkspaceSwitch() {
  const router = useRouter();
  const { slug, name, workspaces } = useWorkspace();
  return (
    <DropdownMenu>
      <DropdownMenuTrigger asChild>
        <Button variant="ghost" className="min-w-0 shrink px-2 text-ink">
          <span
            aria-hidden
            data-initial={name.slice(0, 1)}
            className="grid size-5 shrink-0 place-items-center rounded-[5px] bg-accent-soft text-2xs font-semibold text-accent uppercase before:content-[attr(data-initial)]"
          />
          <span className="truncate">{name}</span>
          <span className="sr-only">, switch workspace</span>
          <ChevronsUpDown aria-hidden className="size-3.5! text-faint" />
        </Button>
      </DropdownMenuTrigger>
      <DropdownMenuContent align="start">
        <DropdownMenuLabel>Workspaces</DropdownMenuLabel>
        <DropdownMenuRadioGroup value={slug} onValueChange={(next) => router.push(workspacePath(next, "/"))}>
          {workspaces.map((each) => (
            <DropdownMenuRadioItem key={each.slug} value={each.slug}>
              {each.name}
            </DropdownMenuRadioItem>
          ))}
        </DropdownMenuRadioGroup>
      </DropdownMenuContent>
    </DropdownMenu>
  );
}
