"use client";

import Link from "next/link";
import { useWorkspace } from "#lib/workspace.tsx";

/** "training:<id>" as a link to it; another workspace's work stays nameless. */
export function BookingSubject({ subject }: { subject: string | null }) {
  const { href } = useWorkspace();
  if (subject === null) return <span className="text-muted">another workspace</span>;
  const [kind, ...rest] = subject.split(":");
  const name = rest.join(":");
  if (kind !== "training") return <span>{name === "" ? subject : `${kind} ${name}`}</span>;
  return (
    <Link href={href(`/training/${name}`)} className="hover:underline">
      Training <span className="font-mono text-xs">{name.slice(0, 8)}</span>
    </Link>
  );
}
