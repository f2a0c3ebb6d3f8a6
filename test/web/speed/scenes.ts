/** What somebody goes through who has a busy server: messages that pour in, a long way back. */
import type { Browser, Page } from 'playwright-core'
import { PASSWORD } from '../../support/server.ts'
import { type Machine, newMachine } from '../e2e/browser.ts'
import { type Gauge, gaugeOf, watch } from './gauge.ts'
import type { Town } from './town.ts'

export interface Seat {
  page: Page
  machine: Machine
  gauge: Gauge
}

/** A browser of their own in which the reader is signed in, with the long chat open. */
export async function takeSeat(browser: Browser, town: Town): Promise<Seat> {
  const machine = await newMachine(browser, town.server.url)
  const page = await machine.newPage()
  await page.addInitScript(watch)
  await page.goto('/')
  await page.getByLabel('Phone or e-mail').fill(town.phone)
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('button', { name: 'New chat' }).first().waitFor()
  await page.goto(`/#/?chat=${town.longId}`)
  await page.locator('article.message').first().waitFor()
  return { page, machine, gauge: await gaugeOf(page) }
}

/** So often a message comes when a thousand come in a minute. */
export const EVERY_MS = 60

/** Messages of several people, at an even pace, to these chats in turns. Resolves when all were stored. */
export async function pour({ sockets }: Town, chatIds: readonly string[], count: number, everyMs = EVERY_MS) {
  const started = performance.now()
  const acks: Promise<unknown>[] = []
  for (let n = 0; n < count; n++) {
    await Bun.sleep(Math.max(0, started + n * everyMs - performance.now()))
    const socket = sockets[n % sockets.length]
    const content = `Number ${n + 1} of ${count}. ${'Some words of it. '.repeat(1 + ((n * 7) % 9))}`
    if (socket) acks.push(socket.ask({ type: 'message', chat_id: chatIds[n % chatIds.length], content }))
  }
  await Promise.all(acks)
}

/** Until the page has shown the last message that was poured. */
export const shown = (page: Page, count: number, where = 'article.message .bubble-text') =>
  page
    .locator(where, { hasText: `Number ${count} of ${count}.` })
    .last()
    .waitFor()

/** Scrolls up as fast as pages come, until a message is there. @returns how many rows were in the page at most */
export const scrollUpTo = (page: Page, seq: number, pxPerFrame: number) =>
  page.evaluate(
    async ([goal, step]) => {
      const scroller = document.querySelector<HTMLElement>('.history-scroll')
      if (!scroller) throw new Error('no history')
      let most = 0
      while (!scroller.querySelector(`[data-seq="${goal}"]`)) {
        scroller.scrollTop -= step ?? 0
        await new Promise(requestAnimationFrame)
        most = Math.max(most, scroller.getElementsByTagName('article').length)
      }
      return most
    },
    [seq, pxPerFrame] as const,
  )
