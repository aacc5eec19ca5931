/** A time limit that does not run while it is paused. */
export class PausableTimeout {
  private readonly onEnd: () => void;
  private leftMs: number;
  private startedAt = 0;
  private timer: ReturnType<typeof setTimeout> | null = null;

  constructor(timeoutMs: number, onEnd: () => void) {
    this.leftMs = timeoutMs;
    this.onEnd = onEnd;
    this.resume();
  }

  pause(): void {
    if (this.timer === null) return;
    clearTimeout(this.timer);
    this.timer = null;
    this.leftMs -= performance.now() - this.startedAt;
  }

  resume(): void {
    if (this.timer !== null) return;
    this.startedAt = performance.now();
    this.timer = setTimeout(this.onEnd, Math.max(0, this.leftMs));
  }
}
