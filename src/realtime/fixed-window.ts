/** A counter that starts anew with each period: two numbers a socket. By a clock that nobody sets. */
export class FixedWindow {
  private startedAt = Number.NEGATIVE_INFINITY
  private count = 0

  constructor(private readonly periodMs: number) {}

  /** Counts one. @returns how many there were in this period, this one included */
  hit(now = performance.now()): number {
    if (now - this.startedAt >= this.periodMs) {
      this.startedAt = now
      this.count = 0
    }
    return ++this.count
  }

  /** Whole seconds until the next period, at least 1. */
  secondsLeft(now = performance.now()): number {
    return Math.max(1, Math.ceil((this.startedAt + this.periodMs - now) / 1000))
  }
}
