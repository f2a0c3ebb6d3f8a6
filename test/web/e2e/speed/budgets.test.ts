/** What the client costs its browser, in counts. `npm run bench:web` has the times. */
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import type { Browser } from 'playwright-core'
import { startBrowser } from '../browser.ts'
import { budgets } from './budgets.ts'
import { type Figures, measure } from './measure.ts'
import { type Seat, signIn, takeSeat } from './scenes.ts'
import { startTown, type Town } from './town.ts'

const SIZES = { poured: 60, messages: 1500 }

let town: Town
let browser: Browser
let seat: Seat
let figures: Figures

beforeAll(async () => {
  town = await startTown({ chats: 60, messages: SIZES.messages })
  browser = await startBrowser()
  seat = await takeSeat(browser, town)
  await signIn(seat, town)
  figures = await measure(browser, town, seat, SIZES)
}, 180_000)
afterAll(async () => {
  await browser?.close()
  await town?.server.stop()
})

describe('the web client', () => {
  for (const { what, unit, most, of } of budgets)
    it(`${what}: at most ${most}${unit && ` ${unit}`}`, () => {
      const value = of(figures)
      process.stdout.write(`${what}: ${value.toFixed(2)} ${unit}\n`)
      expect(value).toBeGreaterThan(0)
      expect(value).toBeLessThanOrEqual(most)
    })

  it('complains of nothing meanwhile', () => {
    expect(seat.machine.complaints).toEqual([])
  })
})
