import { gpuCells } from "#features/pools/gpu-cells.ts";
import { nameOfSubject } from "#features/pools/booking-subject.tsx";
import type { PoolNode } from "#features/pools/pools-page.tsx";
import { formatPercent } from "#lib/format.ts";

/** A node's GPUs, each filled by who holds how much of it. */
export function GpuRow({ node, toneOf }: { node: PoolNode; toneOf: ReadonlyMap<string, string> }) {
  const cells = gpuCells(node.gpus, node.bookings);
  const nameOf = new Map(node.bookings.map(({ key, subject }) => [key, nameOfSubject(subject)]));
  return (
    <ul aria-label={`GPUs of ${node.name}`} className="mt-3 grid grid-cols-4 gap-1.5 sm:grid-cols-8">
      {cells.map(({ index, parts, freeMilli }) => {
        const words = parts.map(({ bookingKey, milli }) =>
          milli === 1000 ? nameOf.get(bookingKey) : `${formatPercent(milli / 1000)} ${nameOf.get(bookingKey)}`,
        );
        const said = [
          ...words,
          ...(freeMilli === 0 ? [] : [freeMilli === 1000 ? "free" : `${formatPercent(freeMilli / 1000)} free`]),
        ];
        return (
          <li key={index} title={`GPU ${index}: ${said.join(", ")}`} className="min-w-0">
            <span
              aria-hidden
              className="flex h-8 overflow-hidden rounded-[5px] border border-line-strong bg-panel"
              style={
                parts.length > 0 && freeMilli === 0 ? { borderColor: toneOf.get(parts[0]!.bookingKey) } : undefined
              }
            >
              {parts.map(({ bookingKey, milli }) => (
                <span
                  key={bookingKey}
                  className="h-full border-r border-panel last:border-r-0"
                  style={{ width: `${milli / 10}%`, background: toneOf.get(bookingKey) }}
                />
              ))}
            </span>
            <span className="tabular mt-0.5 flex justify-between text-2xs text-faint">
              <span>
                <span className="sr-only">GPU </span>
                {index}
              </span>
              <span className="sr-only">{said.join(", ")}</span>
              {freeMilli > 0 && freeMilli < 1000 && <span aria-hidden>{formatPercent(1 - freeMilli / 1000)}</span>}
            </span>
          </li>
        );
      })}
    </ul>
  );
}
