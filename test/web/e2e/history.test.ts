/** A long conversation: all of it can be reached, nothing jumps, and little of it is in the page at a time. */
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import type { Browser } from 'playwright-core'
import { messages } from '../../../src/db/schema/index.ts'
import { startServer, type TestServer } from '../../support/server.ts'
import { eventually, newPerson, type Person, startBrowser } from './browser.ts'

const COUNT = 600
/** Rows in the page; the window holds 120. */
const MOST_ROWS = 140

let server: TestServer
let browser: Browser
let ann: Person
let ben: Person
let chatId: string

const text = (n: number) => `Line ${n}. ${'Some words of it. '.repeat(1 + ((n * 7) % 9))}`

beforeAll(async () => {
  server = await startServer()
  browser = await startBrowser()
  ;[ann, ben] = await Promise.all([newPerson(browser, server.url, 'ann'), newPerson(browser, server.url, 'ben')])
  chatId = String((await ann.api('GET', `/chats/dm/${await ben.userId()}`)).id)
  for (let n = 1; n <= COUNT; n += 50) {
    const batch = Array.from({ length: Math.min(50, COUNT - n + 1) }, (_, i) => n + i)
    for (const one of batch) {
      const sender = one % 3 === 0 ? ann : ben
      await sender.api('POST', '/messages', { chat_id: chatId, content: text(one) })
    }
  }
  await ann.api('POST', `/chats/${chatId}/read`)
  const stored = await server.database.db.$count(messages)
  expect(stored).toBe(COUNT)
}, 120_000)
afterAll(async () => {
  await browser?.close()
  await server?.stop()
})

/** Brings the top edge near and watches the topmost row in sight for a while. @returns how far it moved, in pixels */
const driftAfterTop = () =>
  ann.page.evaluate(async () => {
    const scroller = document.querySelector<HTMLElement>('.history-scroll')
    if (!scroller) throw new Error('no history')
    const frame = () => new Promise(requestAnimationFrame)
    scroller.scrollTop = Math.min(scroller.scrollTop, 650)
    await frame()
    const edge = scroller.getBoundingClientRect().top
    const rows = [...scroller.querySelectorAll<HTMLElement>('[data-key]')]
    const row = rows.find((one) => one.getBoundingClientRect().bottom > edge + 1)
    if (!row) throw new Error('no row')
    const { key } = row.dataset
    // By its foot: a day that stood above it may go.
    const footOf = () => document.querySelector(`[data-key="${key}"]`)?.getBoundingClientRect().bottom ?? Number.NaN
    const before = footOf()
    let drift = 0
    for (let i = 0; i < 20; i++) {
      await frame()
      drift = Math.max(drift, Math.abs(footOf() - before))
    }
    return drift
  })
const rowsInPage = () => ann.page.locator('article.message').count()

describe('a long history', () => {
  it('opens at its end', async () => {
    await ann.openChat('ben')
    await ann.sees(`Line ${COUNT}.`)
    await eventually(async () => {
      const toEnd = await ann.page
        .locator('.history-scroll')
        .evaluate(({ scrollHeight, scrollTop, clientHeight }) => scrollHeight - scrollTop - clientHeight)
      expect(toEnd).toBeLessThan(2)
    })
    expect(await rowsInPage()).toBeLessThan(MOST_ROWS)
  })

  it('is read to its beginning without a jump', async () => {
    let most = 0
    for (let step = 0; step < 120; step++) {
      if ((await ann.message('Line 1.').count()) > 0) break
      most = Math.max(most, await driftAfterTop())
      expect(await rowsInPage()).toBeLessThan(MOST_ROWS)
    }
    process.stdout.write(`the history moved by at most ${most.toFixed(2)} px under the reader\n`)
    expect(most).toBeLessThan(1.5)
    await ann.sees('Line 1.')
    // What stands there is what was written, each once, in its order.
    const texts = await ann.reads()
    expect(texts.slice(0, 20)).toEqual(Array.from({ length: 20 }, (_, i) => text(i + 1)))
  }, 90_000)

  it('stays where it is when others write, and leads back to the newest', async () => {
    const scroller = ann.page.locator('.history-scroll')
    const before = await scroller.evaluate((element) => element.scrollTop)
    await ben.openChat('ann')
    await ben.say('What is new?')
    await ann.page.locator('.to-newest .badge', { hasText: '1' }).waitFor()
    expect(await scroller.evaluate((element) => element.scrollTop)).toBe(before)
    await ann.page.getByRole('button', { name: 'To the newest message' }).click()
    await ann.sees('What is new?')
    await eventually(async () => expect(await ann.page.locator('.to-newest').count()).toBe(0))
  })

  it('is covered by nothing on a phone: the way to the newest stands below it', async () => {
    await ann.page.setViewportSize({ width: 360, height: 640 })
    const scroller = ann.page.locator('.history-scroll')
    const button = ann.page.locator('.to-newest')
    await scroller.hover()
    await ann.page.mouse.wheel(0, -900)
    await button.waitFor()
    await eventually(async () => {
      const [above, below] = [await scroller.boundingBox(), await button.boundingBox()]
      expect(below?.y).toBeGreaterThanOrEqual((above?.y ?? 0) + (above?.height ?? 0))
      expect(below?.height).toBeGreaterThanOrEqual(44)
    })
    await button.click()
    await eventually(async () => expect(await button.count()).toBe(0))
    await ann.page.setViewportSize({ width: 1280, height: 800 })
  })

  it('follows what is written while one is at its end', async () => {
    for (let n = 0; n < 10; n++) await ben.say(`More ${n}`)
    await ann.sees('More 9')
    await eventually(async () => {
      const { bottom } = (await ann
        .message('More 9')
        .first()
        .evaluate((element) => element.getBoundingClientRect().toJSON())) as DOMRect
      const box = await ann.page.locator('.history-scroll').boundingBox()
      expect(bottom).toBeLessThanOrEqual((box?.y ?? 0) + (box?.height ?? 0))
    })
  })

  it('leads to a message that was found, far away', async () => {
    await ann.page.getByRole('button', { name: 'Search in this chat' }).click()
    await ann.page.getByRole('searchbox', { name: 'Search in this chat' }).fill('123')
    await ann.page.locator('.in-chat-results .row').first().click()
    await eventually(async () => {
      const isInSight = await ann
        .message('Line 123.')
        .first()
        .evaluate((element) => {
          const { top, bottom } = element.getBoundingClientRect()
          return top > 0 && bottom < innerHeight
        })
      expect(isInSight).toBeTrue()
    })
    await ann.choose('Line 123.', 'Reply')
    await ann.say('So it was')
    await ann.sees('So it was')
    // Who opens the chat anew has the answer and not what it answers.
    await ann.page.goto('/#/')
    await ben.page.reload()
    await ben.sees('So it was')
    const quote = ben.message('So it was').locator('.quote')
    await eventually(async () => expect(await quote.textContent()).toContain('Line 123.'))
    await quote.click()
    await ben.sees('Line 123.')
  })
})

it('nobody complains of anything', () => {
  expect([...ann.machine.complaints, ...ben.machine.complaints]).toEqual([])
})
