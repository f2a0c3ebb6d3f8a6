/** What a page costs its browser, as the browser itself counts it: tasks, scripts, layouts, nodes, memory. */
import type { CDPSession, Page } from 'playwright-core'

/** Milliseconds of the page's main thread, and counts; of everything that happened between two readings. */
export interface Cost {
  taskMs: number
  scriptMs: number
  layoutMs: number
  styleMs: number
  layouts: number
  styles: number
}

export interface Gauge {
  /** Slows the page's main thread down by this factor; 1 for full speed. */
  throttle(factor: number): Promise<void>
  /** @returns what happened while it went on */
  during(act: () => Promise<unknown>): Promise<Cost & Seen>
  /** Bytes in use after everything unused was collected. */
  heapBytes(): Promise<number>
  nodes(): Promise<number>
}

/** What the page itself noted. */
export interface Seen {
  /** Tasks of more than 50 ms, in milliseconds. */
  longTasks: number[]
  /** Elements that came into the page. */
  added: number
  /** Changes of any kind: elements, texts, attributes. */
  mutations: number
}

declare global {
  interface Window {
    speed: Seen
  }
}

/** Runs in the page before anything else does. */
export function watch(): void {
  const seen: Seen = { longTasks: [], added: 0, mutations: 0 }
  window.speed = seen
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) seen.longTasks.push(Math.round(duration))
  }).observe({ type: 'longtask', buffered: true })
  new MutationObserver((records) => {
    seen.mutations += records.length
    for (const { addedNodes } of records)
      for (const node of addedNodes)
        if (node instanceof Element) seen.added += 1 + node.getElementsByTagName('*').length
  }).observe(document, { subtree: true, childList: true, attributes: true, characterData: true })
}

export async function gaugeOf(page: Page): Promise<Gauge> {
  const cdp: CDPSession = await page.context().newCDPSession(page)
  await cdp.send('Performance.enable')
  const read = async (): Promise<Cost> => {
    const { metrics } = await cdp.send('Performance.getMetrics')
    const of = (name: string) => metrics.find((metric) => metric.name === name)?.value ?? Number.NaN
    return {
      taskMs: of('TaskDuration') * 1000,
      scriptMs: of('ScriptDuration') * 1000,
      layoutMs: of('LayoutDuration') * 1000,
      styleMs: of('RecalcStyleDuration') * 1000,
      layouts: of('LayoutCount'),
      styles: of('RecalcStyleCount'),
    }
  }
  return {
    throttle: async (rate) => void (await cdp.send('Emulation.setCPUThrottlingRate', { rate })),

    async during(act) {
      const clear = () =>
        page.evaluate(() => {
          Object.assign(window.speed, { longTasks: [], added: 0, mutations: 0 })
        })
      await clear()
      const before = await read()
      await act()
      const after = await read()
      const seen = await page.evaluate(() => window.speed)
      const names = Object.keys(after) as (keyof Cost)[]
      const cost = Object.fromEntries(names.map((name) => [name, after[name] - before[name]])) as unknown as Cost
      return { ...cost, ...seen }
    },

    async heapBytes() {
      for (let i = 0; i < 3; i++) await cdp.send('HeapProfiler.collectGarbage')
      return (await cdp.send('Runtime.getHeapUsage')).usedSize
    },

    nodes: () => page.locator('*').count(),
  }
}
