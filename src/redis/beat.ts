/** Proves that a subscription is alive: TCP may hold up a connection on which nothing arrives any more. */

export interface BeatOptions {
  /** Publishes one beat. Rejects when it could not: that says nothing about the subscription. */
  publish(): Promise<unknown>
  /** Beats went out and did not come back: told 9 s after the last one that did. */
  onSilence(): void
  /** Told of each that came back, in milliseconds. */
  onRoundTrip?(ms: number): void
}

export interface Beat {
  start(): void
  /** One came back. */
  heard(): void
  stop(): void
}

const EVERY_MS = 3000
const MISSED_AT_MOST = 2

export function createBeat({ publish, onSilence, onRoundTrip }: BeatOptions): Beat {
  let timer: ReturnType<typeof setInterval> | undefined
  /** Published since one was last heard. */
  let missed = 0
  let publishedAt = 0

  function tick(): void {
    if (missed >= MISSED_AT_MOST) {
      onSilence()
      return
    }
    missed++
    publishedAt = performance.now()
    publish().catch(() => {
      missed = Math.max(0, missed - 1)
    })
  }

  return {
    start() {
      missed = 0
      timer ??= setInterval(tick, EVERY_MS)
    },
    heard() {
      // With several on their way it is not known which one came.
      if (missed === 1) onRoundTrip?.(performance.now() - publishedAt)
      missed = 0
    },
    stop() {
      clearInterval(timer)
      timer = undefined
    },
  }
}
