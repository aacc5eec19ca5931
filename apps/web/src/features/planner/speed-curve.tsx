"use client";

import { useMemo } from "react";
import type { GpuPreview } from "@anneal/sizing/plan/plan-preview";
import type { Workload } from "@anneal/sizing/plan/concurrency";
import { LineChart, type Mark, type Series } from "#components/ui/line-chart.tsx";
import { Panel } from "#components/ui/panel.tsx";
import { formatCompact, formatCount, formatDuration, formatNumber, formatSignificant } from "#lib/format.ts";

type Props = { gpu: GpuPreview; workload: Workload };

/** Requests double from point to point, so the axis counts doublings. */
const doublings = (requests: number) => Math.log2(requests);
const formatRequests = (x: number) => (Number.isInteger(x) ? formatNumber(2 ** x) : "");

/** What one replica does as more requests are in flight: each user slower, all together faster, up to the knee. */
export function SpeedCurve({ gpu, workload }: Props) {
  const { curve, knee } = gpu;
  const limit = workload.limits.tokensPerSecondPerUser;
  const series = useMemo(() => {
    const of = (label: string, tone: Series["tone"], value: (point: (typeof curve)[number]) => number): Series => ({
      label,
      tone,
      dots: true,
      points: curve.map((point) => ({ x: doublings(point.requestsInFlight), y: value(point) })),
    });
    const ends = [curve[0], curve.at(-1)].flatMap((point) => (point ? [doublings(point.requestsInFlight)] : []));
    const line: Series[] =
      limit === null ? [] : [{ label: "Asked for", tone: 5, dashed: true, points: ends.map((x) => ({ x, y: limit })) }];
    return {
      each: [of("Each user", 1, (point) => point.tokensPerSecondPerUser), ...line],
      all: [of("In all", 3, (point) => point.tokensPerSecond)],
    };
  }, [curve, limit]);
  const marks = useMemo<Mark[]>(() => (knee ? [{ x: doublings(knee.requestsInFlight), label: "knee" }] : []), [knee]);
  const name = `${gpu.tensorParallel > 1 ? `${gpu.tensorParallel} × ` : ""}${gpu.gpu}`;
  return (
    <Panel title={`Speed of one replica on ${name}`}>
      {curve.length === 0 || !knee ? (
        <p className="text-13 text-muted">{gpu.reason ?? "Nothing can be said about its speed."}</p>
      ) : (
        <>
          <div className="grid gap-x-6 gap-y-4 md:grid-cols-2">
            <LineChart
              label="Tokens per second for each user, by requests in flight"
              series={series.each}
              marks={marks}
              xLabel="in flight"
              formatX={formatRequests}
              formatY={formatSignificant}
              heightPx={190}
              syncKey="planner"
            />
            <LineChart
              label="Tokens per second of the replica, by requests in flight"
              series={series.all}
              marks={marks}
              xLabel="in flight"
              formatX={formatRequests}
              formatY={formatCompact}
              heightPx={190}
              syncKey="planner"
            />
          </div>
          <p className="tabular mt-3 text-13">
            <span className="font-medium">Knee at {formatCount(knee.requestsInFlight, "request")} in flight:</span>{" "}
            {formatSignificant(knee.tokensPerSecondPerUser)} tokens/s for each user,{" "}
            {formatNumber(knee.tokensPerSecond)} in all, first token after {formatDuration(knee.ttftMs)}.{" "}
            <span className="text-muted">
              {knee === curve.at(-1)
                ? "It holds no more than that."
                : "Twice the requests would bring less than a fifth more."}
            </span>
          </p>
          {gpu.status === "too small" && <p className="mt-1 text-13 text-failed">{gpu.reason}</p>}
        </>
      )}
    </Panel>
  );
}
