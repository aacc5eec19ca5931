import type { Progress, Stage, StageStatus } from "@anneal/core/loop/contract";
import { styleText } from "node:util";

const marks = {
  waiting: "·",
  running: "▸",
  done: "✓",
  failed: "✗",
  cancelled: "◼",
  skipped: "–",
} satisfies Record<StageStatus, string>;

export type StageLine = {
  stage: Stage;
  status: StageStatus;
  inCount: number;
  outCount: number;
  droppedCount: number;
  durationMs: number | null;
  progress: Progress | null;
  note: string | null;
};

/** "1 m 05 s", "42 s", "0.3 s". */
export function formatDuration(ms: number): string {
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60
    ? `${minutes} m ${String(seconds % 60).padStart(2, "0")} s`
    : `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} m`;
}

function bar(done: number, total: number, width = 20): string {
  const filled = total === 0 ? width : Math.round((Math.min(done, total) / total) * width);
  return `${"█".repeat(filled)}${"░".repeat(width - filled)}`;
}

/** One stage as one line: bar, count, rate and ETA while it runs, counts and time once it is done. */
export function formatStage(line: StageLine): string {
  const head = `${marks[line.status]} ${line.stage.padEnd(9)}`;
  if (line.status === "running") {
    const { progress } = line;
    if (!progress) return styleText("cyan", head);
    const counted =
      progress.total === null
        ? `${progress.done} ${progress.unit}`
        : `${bar(progress.done, progress.total)} ${progress.done}/${progress.total} ${progress.unit}`;
    const rate =
      progress.ratePerSecond === null
        ? ""
        : `  ${progress.ratePerSecond.toFixed(progress.ratePerSecond < 10 ? 1 : 0)}/s`;
    const eta = progress.etaMs === null ? "" : `  ETA ${formatDuration(progress.etaMs)}`;
    return `${styleText("cyan", head)} ${counted}${rate}${eta}${progress.note ? `  ${progress.note}` : ""}`;
  }
  if (line.status === "done") {
    const dropped = line.droppedCount > 0 ? `, ${line.droppedCount} left out` : "";
    const took = line.durationMs === null ? "" : formatDuration(line.durationMs);
    return `${styleText("green", head)} ${`${line.inCount} → ${line.outCount}${dropped}`.padEnd(28)} ${took.padStart(9)}  ${line.note ?? ""}`;
  }
  return line.status === "failed" ? styleText("red", head) : styleText("dim", head);
}

/** How often a log hears of what still runs: a terminal sees each change, a log would drown in them. */
const logIntervalMs = 20_000;

export type BlockLine = { key: string; text: string; status: StageStatus };

/**
 * A block of lines that redraws itself on a terminal. Elsewhere each line is printed once it is final, and what runs
 * for long says every 20 seconds how far it is.
 */
export function createLiveBlock(
  output: Pick<NodeJS.WriteStream, "isTTY" | "columns" | "write"> = process.stdout,
  now: () => number = Date.now,
) {
  let drawn = 0;
  const printed = new Set<string>();
  let spokenAt = now();
  return {
    draw(lines: readonly BlockLine[]): void {
      if (output.isTTY) {
        const width = output.columns;
        if (drawn > 0) output.write(`\u001B[${drawn}A`);
        for (const { text } of lines) output.write(`\u001B[2K${clip(text, width)}\n`);
        drawn = lines.length;
        return;
      }
      for (const { key, text, status } of lines) {
        const final = status === "done" || status === "failed";
        if (final ? printed.has(key) : status !== "running" || now() - spokenAt < logIntervalMs) continue;
        if (final) printed.add(key);
        spokenAt = now();
        output.write(`${text}\n`);
      }
    },
  };
}

/** Cuts to the terminal's width, not counting colour codes, so that redrawing never meets a wrapped line. */
function clip(text: string, width: number): string {
  // eslint-disable-next-line no-control-regex -- the escape character is what a colour code starts with
  const visible = text.replaceAll(/\u001B\[[\d;]*m/g, "");
  return visible.length <= width ? text : `${visible.slice(0, width - 1)}…`;
}
