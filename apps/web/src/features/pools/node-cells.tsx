"use client";

import { Status } from "#components/ui/status.tsx";
import { CordonNode } from "#features/pools/cordon-node.tsx";
import { DrainNode } from "#features/pools/drain-node.tsx";
import { GpuRow } from "#features/pools/gpu-row.tsx";
import { memoryCells } from "#features/pools/memory-cells.ts";
import { NodeBookings } from "#features/pools/node-bookings.tsx";
import type { PoolNode } from "#features/pools/pools-page.tsx";
import { formatBytes, formatCount, formatPercent } from "#lib/format.ts";
import { useWorkspace } from "#lib/workspace.tsx";

const tones = ["var(--series-1)", "var(--series-2)", "var(--series-3)", "var(--series-4)", "var(--series-5)"];

/** One machine: its GPUs and its memory as cells, in the colours of what holds them. */
export function NodeCells({ node, waiting }: { node: PoolNode; waiting: number }) {
  const { role } = useWorkspace();
  const toneOf = new Map(node.bookings.map((booking, index) => [booking.key, tones[index % tones.length]!]));
  return (
    <section aria-label={`Node ${node.name}`} className="px-4 py-4">
      <header className="flex flex-wrap items-center justify-between gap-x-6 gap-y-1.5">
        <h3 className="flex flex-wrap items-center gap-x-2 text-13 font-semibold">
          {node.name}
          <span className="font-normal text-muted">
            {formatCount(node.cores, "core")}
            {node.gpus > 0 && ` · ${node.gpus} × ${node.gpuModel ?? "GPU"}, ${formatBytes(node.gpuMemoryBytes)} each`}
          </span>
          {node.lost && <Status kind="failed" word="Does not answer" />}
          {node.cordoned && <Status kind="stopped" word="Cordoned" />}
        </h3>
        <div className="flex flex-wrap items-center gap-x-4 gap-y-1.5">
          <p className="tabular text-13 text-muted">
            {node.gpus > 0 && (
              <>
                <span className="font-medium text-ink">{node.bookedGpuMilli / 1000}</span> of{" "}
                {formatCount(node.gpus, "GPU")},{" "}
              </>
            )}
            <span className="font-medium text-ink">{formatBytes(node.bookedBytes)}</span> of{" "}
            {formatBytes(node.memoryBytes)} booked, {formatBytes(node.freeBytes)} free
          </p>
          {role === "admin" && (
            <span className="flex gap-2">
              {(!node.cordoned || node.bookings.length > 0) && <DrainNode node={node} />}
              <CordonNode node={node} waiting={waiting} />
            </span>
          )}
        </div>
      </header>
      {node.gpus > 0 && <GpuRow node={node} toneOf={toneOf} />}
      <MemoryRow node={node} toneOf={toneOf} />
      {node.bookings.length === 0 ? (
        <p className="mt-3 text-13 text-muted">
          {node.cordoned
            ? "Nothing runs here, and nothing comes while it is cordoned."
            : "Nothing is booked. A training takes its place here once it is admitted."}
        </p>
      ) : (
        <NodeBookings bookings={node.bookings} toneOf={toneOf} />
      )}
    </section>
  );
}

type RowProps = { node: PoolNode; toneOf: ReadonlyMap<string, string> };

function MemoryRow({ node, toneOf }: RowProps) {
  // What was measured of work on GPUs is their memory, not the machine's.
  const bookings = node.bookings.map(({ key, bookedBytes, measuredBytes, gpus }) => ({
    key,
    bookedBytes,
    measuredBytes: gpus.length === 0 ? measuredBytes : null,
  }));
  const cells = memoryCells(node.memoryBytes, bookings);
  return (
    <>
      <div
        role="img"
        aria-label={`${formatPercent(node.bookedBytes / node.memoryBytes)} of the memory is booked`}
        className="mt-3 grid grid-cols-[repeat(24,minmax(0,1fr))] gap-0.5 md:grid-cols-[repeat(48,minmax(0,1fr))]"
      >
        {cells.map((cell, index) => {
          const tone = cell.bookingKey === null ? undefined : toneOf.get(cell.bookingKey)!;
          return (
            <span
              key={index}
              className={
                node.gpus > 0 ? "h-3 rounded-[2px] border border-line" : "h-6 rounded-[3px] border border-line"
              }
              style={
                tone === undefined
                  ? undefined
                  : {
                      borderColor: tone,
                      background: `color-mix(in oklab, ${tone} ${cell.measured ? 100 : 22}%, var(--panel))`,
                    }
              }
            />
          );
        })}
      </div>
      <p className="mt-1.5 flex flex-wrap gap-x-4 text-xs text-faint">
        <span>
          {node.gpus > 0 ? "memory of the machine: " : ""}one cell is {formatBytes(node.memoryBytes / cells.length)}
        </span>
        {bookings.length > 0 && <span>full: measured · pale: predicted and booked</span>}
      </p>
    </>
  );
}
