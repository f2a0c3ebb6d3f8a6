/**
 * When changes are shown: in the next frame. Where showing them takes long, on a slow machine or under a flood, it is done
 * less often: what comes meanwhile is shown together, and two thirds of the time are left to whoever types and scrolls.
 */

const FRAME_MS = 16
/** For each millisecond of showing so many without. */
const REST = 2
/** Of a frame a part that nobody misses. */
const UNFELT_MS = 8
const LONGEST_REST_MS = 250

/**
 * @param show shows all changes. It runs in a task of its own, before the frame: what it renders and what is then painted
 * keep the page for half as long each
 * @returns what asks for that, as often as one likes; urgent is what somebody did who waits to see it
 */
export function createPace(show: () => void): (isUrgent: boolean) => void {
  let isDue = false
  let restUntil = 0

  function run(): void {
    // Something urgent was shown meanwhile, and with it all the rest.
    if (!isDue) return
    const startedAt = performance.now()
    show()
    isDue = false
    restUntil = startedAt + FRAME_MS
    setTimeout(() => {
      const rest = (tookMs: number) => {
        if (tookMs > UNFELT_MS) restUntil = performance.now() + Math.min(tookMs * REST, LONGEST_REST_MS)
      }
      const renderedMs = performance.now() - startedAt
      rest(renderedMs)
      requestAnimationFrame(() => {
        const frameAt = performance.now()
        // After it was painted.
        setTimeout(() => rest(renderedMs + performance.now() - frameAt))
      })
    })
  }

  return (isUrgent) => {
    if (isDue && !isUrgent) return
    isDue = true
    setTimeout(run, isUrgent ? 0 : Math.max(0, restUntil - performance.now()))
  }
}
