/** What a page costs its browser, as the browser itself counts it: time of its main thread, layouts, elements, memory. */
import type { Browser, Page } from 'playwright-core'

/** Of everything that happened between two readings. */
export interface Cost {
  /** Milliseconds of the processor, whoever else wants it. */
  cpuMs: number
  scriptMs: number
  layouts: number
  /** Recalculations of styles. */
  styles: number
  /** Tasks of more than 50 ms on the clock, in milliseconds: on a busy machine they are more. */
  longTasks: number[]
  /** Tasks of more than 50 ms of the processor, in milliseconds: the page's own doing. */
  heavyTasks: number[]
  /** Elements that came into the page. */
  added: number
  /** From each key to its letter being painted, in milliseconds. */
  keys: number[]
}

/** What the page notes by itself. */
type Noted = Pick<Cost, 'longTasks' | 'added' | 'keys'> & {
  /** When a text field was first there and painted, in milliseconds since the navigation. */
  fieldAt: number | undefined
  messageAt: number | undefined
}

export interface Gauge {
  /** Slows the page's main thread down by this factor; 1 for full speed. */
  throttle(factor: number): Promise<void>
  /** @returns what happened while it went on */
  during(act: () => Promise<unknown>): Promise<Cost>
  /** Bytes in use after everything unused was collected. */
  heapBytes(): Promise<number>
  /** In milliseconds since the navigation. */
  opening(): Promise<{ firstPaint: number; field: number; message: number | undefined }>
}

declare global {
  interface Window {
    noted: Noted
  }
}

/** Runs in the page before anything else does. */
export function watch(): void {
  const noted: Noted = { longTasks: [], added: 0, keys: [], fieldAt: undefined, messageAt: undefined }
  window.noted = noted
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) noted.longTasks.push(Math.round(duration))
  }).observe({ type: 'longtask', buffered: true })
  addEventListener('keydown', ({ timeStamp }) =>
    requestAnimationFrame(() => setTimeout(() => noted.keys.push(Math.round(performance.now() - timeStamp)))),
  )
  const wait = (selector: string, name: 'fieldAt' | 'messageAt') => {
    if (noted[name] !== undefined || !document.querySelector(selector)) return
    noted[name] = 0
    requestAnimationFrame(() =>
      setTimeout(() => {
        noted[name] = performance.now()
      }),
    )
  }
  new MutationObserver((records) => {
    for (const { addedNodes } of records)
      for (const node of addedNodes)
        if (node instanceof Element) noted.added += 1 + node.getElementsByTagName('*').length
    wait('.composer textarea, form input', 'fieldAt')
    wait('article.message', 'messageAt')
  }).observe(document, { subtree: true, childList: true })
}

const LONG_MS = 50

/** An event of Chromium's traces (Trace Event Format): a complete one, in microseconds. */
interface Traced {
  ph: string
  name: string
  pid: number
  tid: number
  tdur?: number
  args: { name?: string }
}

/** Of the page's process, which has most of them. */
function heavyTasksOf(trace: Buffer): number[] {
  const { traceEvents } = JSON.parse(trace.toString()) as { traceEvents: Traced[] }
  const threadOf = ({ pid, tid }: Traced) => `${pid} ${tid}`
  const isMain = ({ name, args }: Traced) => name === 'thread_name' && args.name === 'CrRendererMain'
  const tasks = new Map(traceEvents.filter(isMain).map((event) => [threadOf(event), [] as number[]]))
  for (const event of traceEvents)
    if (event.ph === 'X' && event.name === 'ThreadControllerImpl::RunTask')
      tasks.get(threadOf(event))?.push((event.tdur ?? 0) / 1000)
  const busiest = [...tasks.values()].sort((a, b) => b.length - a.length)[0]
  if (!busiest?.length) throw new Error('The trace has no tasks')
  return busiest.filter((ms) => ms > LONG_MS).map(Math.round)
}

/** @param browser one that nobody else traces meanwhile */
export async function gaugeOf(browser: Browser, page: Page): Promise<Gauge> {
  const cdp = await page.context().newCDPSession(page)
  await cdp.send('Performance.enable', { timeDomain: 'threadTicks' })
  async function read() {
    const { metrics } = await cdp.send('Performance.getMetrics')
    const of = (name: string) => metrics.find((metric) => metric.name === name)?.value ?? Number.NaN
    return {
      cpuMs: of('TaskDuration') * 1000,
      scriptMs: of('ScriptDuration') * 1000,
      layouts: of('LayoutCount'),
      styles: of('RecalcStyleCount'),
    }
  }
  return {
    throttle: async (rate) => void (await cdp.send('Emulation.setCPUThrottlingRate', { rate })),

    async during(act) {
      await page.evaluate(() => Object.assign(window.noted, { longTasks: [], added: 0, keys: [] }))
      await browser.startTracing(page, { categories: ['toplevel'] })
      const before = await read()
      await act()
      const after = await read()
      const heavyTasks = heavyTasksOf(await browser.stopTracing())
      const { longTasks, added, keys } = await page.evaluate(() => window.noted)
      return {
        cpuMs: after.cpuMs - before.cpuMs,
        scriptMs: after.scriptMs - before.scriptMs,
        layouts: after.layouts - before.layouts,
        styles: after.styles - before.styles,
        ...{ heavyTasks, longTasks, added, keys },
      }
    },

    async heapBytes() {
      for (let i = 0; i < 3; i++) await cdp.send('HeapProfiler.collectGarbage')
      return (await cdp.send('Runtime.getHeapUsage')).usedSize
    },

    async opening() {
      await page.waitForFunction(
        () => (window.noted.fieldAt ?? 0) > 0 && performance.getEntriesByName('first-contentful-paint').length > 0,
      )
      return page.evaluate(() => ({
        firstPaint: performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? Number.NaN,
        field: window.noted.fieldAt ?? Number.NaN,
        message: window.noted.messageAt || undefined,
      }))
    },
  }
}
