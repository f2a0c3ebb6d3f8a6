/** The scenes one after the other, and what a message costs in each. */
import type { Browser } from 'playwright-core'
import { measureBare } from './bare.ts'
import type { Cost } from './gauge.ts'
import { pourElsewhere, pourHere, type Seat, scrollUpTo, type Way } from './scenes.ts'
import type { Town } from './town.ts'

/** Of one message that came, or was scrolled by. */
export interface Each {
  cpuMs: number
  layouts: number
  styles: number
  added: number
}

const each = ({ cpuMs, layouts, styles, added }: Cost, count: number): Each => ({
  cpuMs: cpuMs / count,
  layouts: layouts / count,
  styles: styles / count,
  added: added / count,
})

export interface Figures {
  /** Into the open chat, and into others. */
  here: Each
  elsewhere: Each
  /** CPU of the same without an application, measured before and after. */
  bareCpuMs: number
  scrolled: Each & Way & { heapBytes: number }
  /** As they were measured. */
  costs: { here: Cost; elsewhere: Cost; scrolled: Cost }
}

const PX_PER_FRAME = 400

/** @param poured messages in each of the scenes where they pour in @param messages how many the long chat had before */
export async function measure(
  browser: Browser,
  town: Town,
  seat: Seat,
  { poured, messages }: { poured: number; messages: number },
): Promise<Figures> {
  const { gauge } = seat
  const bareBefore = await measureBare(browser, seat, poured)
  const here = await gauge.during(() => pourHere(seat, town, poured))
  const bareAfter = await measureBare(browser, seat, poured)
  const elsewhere = await gauge.during(() => pourElsewhere(seat, town, poured))
  const before = await gauge.heapBytes()
  let way: Way | undefined
  const scrolled = await gauge.during(async () => {
    way = await scrollUpTo(seat, 1, PX_PER_FRAME)
  })
  const heapBytes = ((await gauge.heapBytes()) - before) / messages
  if (!way) throw new Error('Nothing was scrolled')
  return {
    here: each(here, poured),
    elsewhere: each(elsewhere, poured),
    bareCpuMs: (bareBefore + bareAfter) / 2,
    scrolled: { ...each(scrolled, messages), ...way, heapBytes },
    costs: { here, elsewhere, scrolled },
  }
}
