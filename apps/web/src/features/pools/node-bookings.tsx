import { Badge } from "#components/ui/badge.tsx";
import { RelativeTime } from "#components/ui/relative-time.tsx";
import { BookingSubject } from "#features/pools/booking-subject.tsx";
import { describeGpus } from "#features/pools/gpu-cells.ts";
import type { PoolNode } from "#features/pools/pools-page.tsx";
import { formatBytes } from "#lib/format.ts";

type Props = { bookings: PoolNode["bookings"]; toneOf: ReadonlyMap<string, string> };

/** What runs on a machine: how much of it, predicted beside measured, and why it is there. */
export function NodeBookings({ bookings, toneOf }: Props) {
  return (
    <ul className="tabular mt-3 divide-y divide-line border-t border-line text-13">
      {bookings.map((booking) => (
        <li
          key={booking.key}
          className="grid grid-cols-[auto_minmax(0,1fr)] items-baseline gap-x-3 gap-y-0.5 py-2 sm:grid-cols-[auto_minmax(0,1fr)_auto_auto]"
        >
          <span aria-hidden className="size-2.5 rounded-[3px]" style={{ background: toneOf.get(booking.key) }} />
          <span className="flex min-w-0 flex-wrap items-baseline gap-x-2">
            <BookingSubject subject={booking.subject} />
            {/* Its subject says so of one's own. */}
            {booking.subject === null && <Badge>{booking.kind}</Badge>}
            {booking.gpus.length > 0 && <span className="text-muted">{describeGpus(booking.gpus)}</span>}
          </span>
          <span className="max-sm:col-start-2">
            {formatBytes(booking.predictedBytes)} predicted,{" "}
            {booking.measuredBytes === null ? (
              <span className="text-faint">not measured yet</span>
            ) : (
              <span className="font-medium">{formatBytes(booking.measuredBytes)} measured</span>
            )}
          </span>
          <RelativeTime
            time={booking.since}
            className="text-right text-xs text-faint max-sm:col-start-2 max-sm:text-left sm:w-24"
          />
          {booking.reason && <p className="col-start-2 col-end-[-1] text-xs text-muted">{booking.reason}</p>}
        </li>
      ))}
    </ul>
  );
}
