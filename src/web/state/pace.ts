/**
 * When changes are shown: in the next frame. Where showing them takes long, on a slow machine or under a flood, it is done
 * less often: what comes meanwhile is shown together, and two thirds of the time are left to whoever types and scrolls.
 */

/** For each millisecond of showing so many without. */
const REST = 2
/** Of a frame, with 60 in a second, a part that nobody misses. */
const UNFELT_MS = 8
const LONGEST_REST_MS = 250

/**
 * @param show shows all changes
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
    // After what was rendered was laid out and painted, too.
    setTimeout(() => {
      const now = performance.now()
      const tookMs = now - startedAt
      restUntil = tookMs > UNFELT_MS ? now + Math.min(tookMs * REST, LONGEST_REST_MS) : 0
    })
  }

  // Nothing is painted in a hidden page, and no frame comes; its title and notifications go on.
  const start = () => (document.visibilityState === 'visible' ? requestAnimationFrame(run) : setTimeout(run))
  document.addEventListener('visibilitychange', run)

  return (isUrgent) => {
    if (isDue && !isUrgent) return
    isDue = true
    const restMs = restUntil - performance.now()
    if (isUrgent || restMs <= 0) start()
    else setTimeout(start, restMs)
  }
}
