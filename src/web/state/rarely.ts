/**
 * @returns what calls `act`: at once, or when `everyMs` have passed since the last time; calls meanwhile are one
 */
export function rarely(everyMs: number, act: () => void): () => void {
  let readyAt = 0
  let isDue = false
  const run = () => {
    isDue = false
    readyAt = performance.now() + everyMs
    act()
  }
  return () => {
    if (isDue) return
    const waitMs = readyAt - performance.now()
    if (waitMs <= 0) return run()
    isDue = true
    setTimeout(run, waitMs)
  }
}
