"use client";

import Link from "next/link";
import { useWorkspace } from "#lib/workspace.tsx";

/** "training:<id>" as a link to it; another workspace's work stays nameless. */
export function BookingSubject({ subject }: { subject: string | null }) {
  const { href } = useWorkspace();
  if (subject === null) return <span className="text-muted">another workspace</span>;
  const { kind, name } = partsOf(subject);
  if (kind === "replica")
    return (
      <span className="min-w-0 truncate" title={name}>
        Engine <span className="font-mono text-xs">{shortEngine(name)}</span>
      </span>
    );
  if (kind !== "training") return <span>{nameOfSubject(subject)}</span>;
  return (
    <Link href={href(`/training/${name}`)} className="hover:underline">
      Training <span className="font-mono text-xs">{name.slice(0, 8)}</span>
    </Link>
  );
}

/** The same in plain words, for titles. */
export function nameOfSubject(subject: string | null): string {
  if (subject === null) return "another workspace";
  const { kind, name } = partsOf(subject);
  if (kind === "training") return `training ${name.slice(0, 8)}`;
  if (kind === "replica") return `engine ${shortEngine(name)}`;
  return name === "" ? subject : `${kind} ${name}`;
}

/** "http://10.0.3.7:8000" -> "10.0.3.7:8000"; "engine-2" -> "2". */
function shortEngine(name: string): string {
  return name.replace(/^https?:\/\/|^engine-/, "");
}

function partsOf(subject: string): { kind: string; name: string } {
  const [kind = "", ...rest] = subject.split(":");
  return { kind, name: rest.join(":") };
}
