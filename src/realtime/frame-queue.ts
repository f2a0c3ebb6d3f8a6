/**
 * The order of one socket's frames. Sends start one after the other without waiting for each commit; every other frame
 * waits until all before it are answered, and what follows waits for it.
 */
export class FrameQueue {
  /** Resolves when the last frame that is not a send is answered; undefined when it is. */
  private barrier: Promise<void> | undefined
  private sendsUnderWay = 0
  /** Who waits until no send is under way; undefined for nobody. */
  private whenSent: (() => void)[] | undefined
  /** Frames taken and not answered yet. */
  size = 0

  /** Nothing is under way, and nothing waits. */
  get isIdle(): boolean {
    return this.size === 0 && this.barrier === undefined
  }

  /** `start` must begin its work at once and never reject. */
  addSend(start: () => Promise<unknown>): void {
    this.size++
    const run = () => {
      this.sendsUnderWay++
      return start().then(() => this.endSend())
    }
    if (this.barrier) this.barrier.then(run)
    else run()
  }

  /** `start` must never reject. */
  add(start: () => unknown): void {
    this.size++
    const before = this.barrier ?? Promise.resolve()
    const done: Promise<void> = before
      .then(() => this.sent())
      .then(start)
      .then(() => {
        this.size--
        if (this.barrier === done) this.barrier = undefined
      })
    this.barrier = done
  }

  private sent(): Promise<void> | undefined {
    if (this.sendsUnderWay === 0) return undefined
    return new Promise((resolve) => {
      this.whenSent ??= []
      this.whenSent.push(resolve)
    })
  }

  private endSend(): void {
    this.size--
    this.sendsUnderWay--
    if (this.sendsUnderWay > 0) return
    const waiting = this.whenSent
    this.whenSent = undefined
    for (const resolve of waiting ?? []) resolve()
  }
}
