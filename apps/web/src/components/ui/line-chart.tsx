"use client";

import { useTheme } from "next-themes";
import { useEffect, useMemo, useRef, useState } from "react";
import type uPlot from "uplot";
import { cn } from "#lib/class-names.ts";
import { formatSignificant, missing } from "#lib/format.ts";

export type Series = {
  label: string;
  /** By x, ascending; a null y is a gap. */
  points: readonly { x: number; y: number | null }[];
  /** 1 to 5: the colour; a series keeps it on every chart. */
  tone: 1 | 2 | 3 | 4 | 5;
  dashed?: boolean;
  /** Dots for series with few points, such as evaluations. */
  dots?: boolean;
  /** Drawn lightly, behind what is read first. */
  faint?: boolean;
};

/** A place on the x axis that has a name. */
export type Mark = { x: number; label: string };

type LineChartProps = {
  /** What is drawn, for people who cannot see it. */
  label: string;
  series: readonly Series[];
  xLabel: string;
  formatX?: (x: number) => string;
  formatY?: (y: number) => string;
  heightPx?: number;
  /** Charts with the same key share their cursor. */
  syncKey?: string;
  logarithmic?: boolean;
  marks?: readonly Mark[];
};

/** Live series on shared axes. Drag zooms, a double click shows everything again; the legend follows the cursor. */
export function LineChart(props: LineChartProps) {
  const {
    label,
    series,
    xLabel,
    formatX = String,
    formatY = formatSignificant,
    heightPx = 220,
    syncKey,
    logarithmic,
    marks = noMarks,
  } = props;
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const { resolvedTheme } = useTheme();
  const [cursor, setCursor] = useState<number | null>(null);
  const data = useMemo(() => align(series), [series]);
  const latest = useRef({ data, formatX, formatY, marks });
  latest.current = { data, formatX, formatY, marks };
  // The plot is built anew only when what it looks like changes; new points are pushed into it.
  const shape = JSON.stringify(
    series.map(({ label: name, tone, dashed, dots, faint }) => ({ name, tone, dashed, dots, faint })),
  );

  useEffect(() => {
    const element = host.current;
    if (!element) return;
    let cancelled = false;
    let observer: ResizeObserver | undefined;
    void import("uplot").then(({ default: UPlot }) => {
      if (cancelled) return;
      const colors = getComputedStyle(document.documentElement);
      const color = (name: string) => colors.getPropertyValue(name).trim();
      const axis = {
        stroke: color("--muted"),
        grid: { stroke: color("--line"), width: 1 },
        ticks: { show: false },
        font: "11px Inter Variable",
      };
      const lines = JSON.parse(shape) as (Omit<Series, "label" | "points"> & { name: string })[];
      plot.current = new UPlot(
        {
          width: element.clientWidth,
          height: heightPx,
          legend: { show: false },
          cursor: { points: { size: 7 }, drag: { x: true, y: false }, ...(syncKey ? { sync: { key: syncKey } } : {}) },
          scales: { x: { time: false }, y: logarithmic ? { distr: 3 } : {} },
          axes: [
            {
              ...axis,
              grid: { show: false },
              size: 28,
              // Steps are whole: a mark at 2.5 would have the name of another one.
              ...(isWhole(latest.current.data[0]) ? { incrs: wholeSteps } : {}),
              values: (_, values) => values.map((value) => latest.current.formatX(value)),
            },
            {
              ...axis,
              size: 56,
              values: (_, values) => values.map((value) => (value === null ? "" : latest.current.formatY(value))),
            },
          ],
          series: [
            {},
            ...lines.map(({ name, tone, dashed, dots, faint }) => ({
              label: name,
              stroke: color(`--series-${tone}`),
              width: 1.75,
              alpha: faint ? 0.3 : 1,
              spanGaps: true,
              points: { show: dots ?? false, size: 5 },
              ...(dashed ? { dash: [5, 4] } : {}),
            })),
          ],
          hooks: {
            setCursor: [(self) => setCursor(self.cursor.idx ?? null)],
            draw: [(self) => drawMarks(self, latest.current.marks, color("--muted"))],
          },
        },
        latest.current.data,
        element,
      );
      observer = new ResizeObserver(() => plot.current?.setSize({ width: element.clientWidth, height: heightPx }));
      observer.observe(element);
    });
    return () => {
      cancelled = true;
      observer?.disconnect();
      plot.current?.destroy();
      plot.current = null;
    };
  }, [shape, resolvedTheme, heightPx, syncKey, logarithmic]);

  useEffect(() => {
    plot.current?.setData(data);
  }, [data, marks]);

  const [xs, ...columns] = data;
  const x = cursor === null ? xs.at(-1) : xs[cursor];
  return (
    <figure className="min-w-0">
      <figcaption className="tabular mb-1 flex flex-wrap gap-x-4 gap-y-0.5 pl-1 text-xs text-muted">
        <span className="sr-only">{label}</span>
        {series.map((each, index) => (
          <span key={each.label} className="inline-flex items-center gap-1.5">
            <span
              aria-hidden
              className={cn("w-3 border-t-2", each.dashed && "border-dashed", each.faint && "opacity-30")}
              style={{ borderColor: `var(--series-${each.tone})` }}
            />
            {each.label}
            <span className="min-w-10 font-medium text-ink">{describe(columns[index], cursor, formatY)}</span>
          </span>
        ))}
        {x !== undefined && (
          <span className="ml-auto">
            {xLabel} {formatX(x)}
          </span>
        )}
      </figcaption>
      <div ref={host} aria-hidden style={{ height: heightPx }} />
    </figure>
  );
}

/** 1, 2, 5, 10, 20, 50, and so on. */
const wholeSteps = Array.from({ length: 10 }, (_, power) => [1, 2, 5].map((digit) => digit * 10 ** power)).flat();

function isWhole(xs: readonly number[]): boolean {
  return xs.every(Number.isInteger);
}

const noMarks: readonly Mark[] = [];

/** A dashed line from top to bottom at each mark, its name beside it on the side that has room. */
function drawMarks(plot: uPlot, marks: readonly Mark[], color: string): void {
  const { ctx, bbox } = plot;
  const ratio = window.devicePixelRatio;
  ctx.save();
  ctx.strokeStyle = color;
  ctx.fillStyle = color;
  ctx.lineWidth = ratio;
  ctx.setLineDash([3 * ratio, 3 * ratio]);
  ctx.font = `${11 * ratio}px Inter Variable`;
  ctx.textBaseline = "top";
  for (const { x, label } of marks) {
    const left = plot.valToPos(x, "x", true);
    ctx.beginPath();
    ctx.moveTo(left, bbox.top);
    ctx.lineTo(left, bbox.top + bbox.height);
    ctx.stroke();
    const leansLeft = left > bbox.left + bbox.width / 2;
    ctx.textAlign = leansLeft ? "right" : "left";
    ctx.fillText(label, left + (leansLeft ? -5 : 5) * ratio, bbox.top + 2 * ratio);
  }
  ctx.restore();
}

/** At the cursor; without one, the newest value there is. */
function describe(
  column: readonly (number | null | undefined)[] | undefined,
  cursor: number | null,
  formatY: (y: number) => string,
): string {
  const value = cursor === null ? column?.findLast((each) => each != null) : column?.[cursor];
  return value == null ? missing : formatY(value);
}

/** One x column for all series, as uPlot wants it. */
export function align(series: readonly Pick<Series, "points">[]): [number[], ...(number | null)[][]] {
  const xs = [...new Set(series.flatMap((each) => each.points.map((point) => point.x)))].sort(
    (left, right) => left - right,
  );
  const columns = series.map((each) => {
    const byX = new Map(each.points.map((point) => [point.x, point.y]));
    return xs.map((x) => byX.get(x) ?? null);
  });
  return [xs, ...columns];
}
