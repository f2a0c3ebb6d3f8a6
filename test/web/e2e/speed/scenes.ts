/** What somebody goes through who has a busy server: a first visit, messages that pour in, a long way back. */
import type { Browser, Page } from 'playwright-core'
import { PASSWORD } from '../../../support/server.ts'
import { type Machine, newMachine } from '../browser.ts'
import { type Gauge, gaugeOf, watch } from './gauge.ts'
import type { Town } from './town.ts'

export interface Seat {
  page: Page
  machine: Machine
  gauge: Gauge
}

/** A browser of their own, which has never been here. */
export async function takeSeat(browser: Browser, { server }: Pick<Town, 'server'>): Promise<Seat> {
  const machine = await newMachine(browser, server.url)
  const page = await machine.newPage()
  await page.addInitScript(watch)
  return { page, machine, gauge: await gaugeOf(browser, page) }
}

/** The reader signs in and opens the long chat. */
export async function signIn({ page }: Seat, town: Town): Promise<void> {
  await page.goto('/')
  await page.getByLabel('Phone or e-mail').fill(town.phone)
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('button', { name: 'New chat' }).first().waitFor()
  await page.goto(`/#/?chat=${town.longId}`)
  await page.locator('article.message').first().waitFor()
  // What a first visit fetches and stores is no part of what follows.
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => {}))
  await Bun.sleep(1000)
}

/** So often a message comes when a thousand come in a minute. */
export const EVERY_MS = 60

let poured = 0

/** Messages of several people, at an even pace, to these chats in turns. @returns the text of the last, when it is stored */
export async function pour({ sockets }: Town, chatIds: readonly string[], count: number): Promise<string> {
  const started = performance.now()
  const acks: Promise<unknown>[] = []
  let last = ''
  for (let n = 0; n < count; n++) {
    await Bun.sleep(Math.max(0, started + n * EVERY_MS - performance.now()))
    last = `Drop ${++poured}.`
    const content = `${last} ${'Some words of it. '.repeat(1 + ((n * 7) % 9))}`
    const frame = { type: 'message', chat_id: chatIds[n % chatIds.length], content }
    const ack = sockets[n % sockets.length]?.ask(frame)
    if (ack) acks.push(ack)
  }
  await Promise.all(acks)
  return last
}

/** Pours into the open chat, until the page shows all of it. */
export async function pourHere({ page }: Seat, town: Town, count: number): Promise<void> {
  const last = await pour(town, [town.longId], count)
  await page.locator('article.message .bubble-text', { hasText: last }).waitFor()
}

/** Pours into the other chats, until the list shows all of it. */
export async function pourElsewhere({ page }: Seat, town: Town, count: number): Promise<void> {
  const last = await pour(town, town.chatIds, count)
  await page.locator('.chat-list .row-preview', { hasText: last }).waitFor()
}

/** Types into the open chat, a key now and then. */
export async function type({ page }: Seat, keys: number): Promise<void> {
  const field = page.locator('.composer textarea')
  await field.focus()
  for (let n = 0; n < keys; n++) {
    await page.keyboard.press('a')
    await Bun.sleep(300)
  }
}

export interface Way {
  /** At any time. */
  mostRows: number
  frames: number
  /** Of those, how many came more than half a frame late where there are 60 a second. */
  lateFrames: number
}

/** Scrolls up, as fast as pages come and at most so far with each frame, until a message is there. */
export const scrollUpTo = ({ page }: Seat, seq: number, pxPerFrame: number): Promise<Way> =>
  page.evaluate(
    async ([goal, step]) => {
      const scroller = document.querySelector<HTMLElement>('.history-scroll')
      if (!scroller) throw new Error('no history')
      const way = { mostRows: 0, frames: 0, lateFrames: 0 }
      let last = 0
      while (!scroller.querySelector(`[data-seq="${goal}"]`)) {
        scroller.scrollTop -= step ?? 0
        const at = await new Promise<number>(requestAnimationFrame)
        if (last > 0 && at - last > 25) way.lateFrames++
        last = at
        way.frames++
        way.mostRows = Math.max(way.mostRows, scroller.getElementsByTagName('article').length)
      }
      return way
    },
    [seq, pxPerFrame] as const,
  )
