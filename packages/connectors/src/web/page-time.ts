type Timer = { leftMs: number; onEnd: () => void; handle?: NodeJS.Timeout };

/**
 * The time that a page takes itself to be rendered: it stands still while a request of the page waits for the turn of its
 * host.
 */
export class PageTime {
  /** Ends with the page; what it still asks for is of no use then. */
  readonly signal: AbortSignal;
  /** When the last turn must have come, by the clock of whoever gives them: however little a page does itself, it ends. */
  readonly lastTurnMs: number;
  private readonly timers = new Set<Timer>();
  private waiting = 0;
  private startedAt = 0;

  constructor(signal: AbortSignal, lastTurnMs: number) {
    this.signal = signal;
    this.lastTurnMs = lastTurnMs;
    signal.addEventListener("abort", () => {
      this.stop();
      this.timers.clear();
    });
  }

  after(ms: number, onEnd: () => void): void {
    this.stop();
    this.timers.add({ leftMs: ms, onEnd });
    this.start();
  }

  /** @returns ends the pause, at its first call */
  pause(): () => void {
    this.stop();
    this.waiting += 1;
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      this.waiting -= 1;
      this.start();
    };
  }

  private stop(): void {
    if (this.waiting > 0) return;
    const passedMs = performance.now() - this.startedAt;
    for (const timer of this.timers) {
      clearTimeout(timer.handle);
      timer.leftMs -= passedMs;
    }
  }

  private start(): void {
    if (this.waiting > 0) return;
    this.startedAt = performance.now();
    for (const timer of this.timers) {
      timer.handle = setTimeout(() => {
        this.timers.delete(timer);
        timer.onEnd();
      }, timer.leftMs);
    }
  }
}
