"use client";

import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { usePathname } from "next/navigation";
import { Wordmark } from "#components/shell/wordmark.tsx";
import { loopDestinations, systemDestinations, type Destination } from "#components/shell/navigation.ts";
import { StatusIcon } from "#components/ui/status.tsx";
import { cn } from "#lib/class-names.ts";
import { useTRPC } from "#lib/trpc.ts";
import { useWorkspace } from "#lib/workspace.tsx";

/** @param onNavigate closes the drawer on narrow screens. */
export function Rail({ onNavigate }: { onNavigate?: () => void }) {
  const trpc = useTRPC();
  const { href } = useWorkspace();
  const { data: active } = useQuery(trpc.work.active.queryOptions());
  const running = new Set(
    active?.runs.flatMap((run) => run.stages.filter((stage) => stage.status === "running").map((stage) => stage.stage)),
  );
  if (active?.syncs.some(({ waitsUntil }) => waitsUntil === null)) running.add("connect");
  if (active && active.trainings.length > 0) running.add("train");
  return (
    <nav aria-label="Main" className="flex h-full flex-col overflow-y-auto">
      <Link href={href("/")} onClick={onNavigate} data-focus-inset className="flex h-12 shrink-0 items-center px-4">
        <Wordmark />
      </Link>
      <div className="px-2 pt-2 pb-4">
        <ul className="relative space-y-px">
          {/* The thread through the loop's stations. */}
          <li aria-hidden className="absolute top-12 bottom-4 left-[1.1rem] w-px bg-line" />
          {loopDestinations.map((each) => (
            <RailLink
              key={each.path}
              destination={each}
              running={each.stages.some((stage) => running.has(stage))}
              onNavigate={onNavigate}
            />
          ))}
        </ul>
        <hr className="mx-2 my-3 border-line" />
        <ul className="space-y-px">
          {systemDestinations.map((each) => (
            <RailLink key={each.path} destination={each} running={false} onNavigate={onNavigate} />
          ))}
        </ul>
      </div>
    </nav>
  );
}

function RailLink({
  destination,
  running,
  onNavigate,
}: {
  destination: Destination;
  running: boolean;
  onNavigate?: () => void;
}) {
  const { href } = useWorkspace();
  const pathname = usePathname();
  const target = href(destination.path);
  const current =
    destination.path === "/"
      ? pathname === target || pathname.startsWith(href("/runs"))
      : pathname === target || pathname.startsWith(`${target}/`);
  const Icon = destination.icon;
  return (
    <li className="relative">
      <Link
        href={target}
        onClick={onNavigate}
        data-focus-inset
        aria-current={current ? "page" : undefined}
        className={cn(
          "flex h-8 items-center gap-2.5 rounded-control px-2 text-13 font-medium",
          current ? "bg-accent-soft text-accent" : "text-muted hover:bg-hover hover:text-ink",
        )}
      >
        {/* The icon stands on the thread, not behind it. */}
        <span className={cn("grid size-5 place-items-center rounded-full", current ? "" : "bg-canvas")}>
          <Icon aria-hidden className="size-4" strokeWidth={1.75} />
        </span>
        {destination.label}
        {running && (
          <span className="ml-auto" title="Running now">
            <StatusIcon kind="running" className="size-3.5" />
            <span className="sr-only">running now</span>
          </span>
        )}
      </Link>
    </li>
  );
}
