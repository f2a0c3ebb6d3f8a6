/** What tells of a message to whoever does not look: the title, and notifications, which are asked for and never pushed. */
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import type { Browser, Page } from 'playwright-core'
import { startServer, type TestServer } from '../../support/server.ts'
import { eventually, newMachine, newPerson, newPhone, Person, startBrowser } from './browser.ts'

let server: TestServer
let browser: Browser
let ann: Person
let ben: Person
let dm: string
let group: string

interface Told {
  title: string
  body: string
  tag: string
  isOpen: boolean
}

/** Runs in the page: keeps the real notifications in sight, and counts how often the browser was asked. */
function keepNotices() {
  const kept: { notice: Notification; isOpen: boolean }[] = []
  let asked = 0
  const Real = Notification
  class Kept extends Real {
    constructor(title: string, options?: NotificationOptions) {
      super(title, options)
      const one = { notice: this, isOpen: true }
      kept.push(one)
    }
    override close() {
      for (const one of kept) if (one.notice === this) one.isOpen = false
      super.close()
    }
    static override requestPermission() {
      asked++
      return Real.requestPermission()
    }
  }
  Object.assign(globalThis, { Notification: Kept, kept, askedOften: () => asked })
}
const told = (page: Page) =>
  page.evaluate(() =>
    (globalThis as unknown as { kept: { notice: Notification; isOpen: boolean }[] }).kept.map(
      ({ notice: { title, body, tag }, isOpen }) => ({ title, body, tag, isOpen }),
    ),
  ) as Promise<Told[]>
const askedOften = (page: Page) => page.evaluate(() => (globalThis as unknown as { askedOften(): number }).askedOften())
const press = (page: Page) =>
  page.evaluate(() => {
    const { kept } = globalThis as unknown as { kept: { notice: Notification }[] }
    kept.at(-1)?.notice.dispatchEvent(new Event('click'))
  })
/** A tab that nobody looks at, though it is there. */
const lookAway = async (page: Page, isAway = true) => {
  await page.evaluate((is) => {
    document.hasFocus = () => !is
  }, isAway)
}

beforeAll(async () => {
  server = await startServer()
  browser = await startBrowser()
  ann = await newPerson(browser, server.url, 'ann')
  const machine = await newMachine(browser, server.url, { permissions: ['notifications', 'microphone', 'camera'] })
  await machine.context.addInitScript(keepNotices)
  ben = new Person('ben', newPhone(), await machine.newPage(), machine)
  await ben.register()
  const benId = await ben.userId()
  dm = String((await ann.api('GET', `/chats/dm/${benId}`)).id)
  group = String((await ann.api('POST', '/chats', { name: 'Walkers', type: 'group', member_ids: [benId] })).id)
}, 60_000)
afterAll(async () => {
  await browser?.close()
  await server?.stop()
})

const write = async (chat_id: string, content: string) =>
  (await ann.api('POST', '/messages', { chat_id, content })) as { id: string; seq: number }
/** What comes after it has come, so has what would have come before. */
const settle = async (page: Page, text: string) => {
  await ben.chatRow('', page).getByText(text).first().waitFor()
  await Bun.sleep(700)
}

describe('notifications', () => {
  it('are not asked for, and not shown, until they are turned on', async () => {
    const { page } = ben
    await write(dm, 'Are you there?')
    await settle(page, 'Are you there?')
    expect(await askedOften(page)).toBe(0)
    expect(await told(page)).toEqual([])
    await page.goto('/#/settings/notifications')
    await page.getByRole('switch', { name: 'Show notifications' }).check()
    expect(await askedOften(page)).toBe(1)
    await page.goto('/#/')
  })

  it('say who wrote what, one for each chat', async () => {
    const { page } = ben
    await write(dm, 'One')
    await eventually(async () => expect((await told(page)).at(-1)?.body).toBe('One'))
    await write(dm, 'Two')
    await write(group, 'To all')
    await eventually(async () => expect((await told(page)).length).toBe(3))
    const all = await told(page)
    expect(all.map(({ title, body, tag }) => [title, body, tag])).toEqual([
      ['ann', 'One', dm],
      ['ann', 'Two', dm],
      ['Walkers', 'ann: To all', group],
    ])
    await eventually(async () => expect(await page.title()).toBe('(2) messenger'))
  })

  it('lead to the chat by a click, and go when it is read', async () => {
    const { page } = ben
    await press(page)
    await page.locator('.chat-title', { hasText: 'Walkers' }).waitFor()
    await ben.sees('To all')
    await eventually(async () => expect(await page.title()).toBe('(1) messenger'))
    const open = async () => (await told(page)).filter(({ isOpen }) => isOpen).map(({ tag }) => tag)
    // Both of the direct chat have one tag, so the browser shows the later one.
    expect(new Set(await open())).toEqual(new Set([dm]))
    // Read on another device.
    await ben.api('POST', `/chats/${dm}/read`, {})
    await eventually(async () => expect(await page.title()).toBe('messenger'))
    await eventually(async () => expect((await open()).length).toBeLessThan(2))
  })

  it('do not tell of the chat that one looks at, but do when one looks away', async () => {
    const { page } = ben
    const before = (await told(page)).length
    await write(group, 'In sight')
    await ben.sees('In sight')
    await Bun.sleep(700)
    expect((await told(page)).length).toBe(before)
    await lookAway(page)
    await write(group, 'Out of sight')
    await eventually(async () => expect((await told(page)).at(-1)?.body).toBe('ann: Out of sight'))
    await lookAway(page, false)
    await page.evaluate(() => dispatchEvent(new Event('focus')))
    await eventually(async () => expect((await told(page)).at(-1)?.isOpen).toBeFalse())
  })

  it('tell of nothing that I wrote, that was taken back, or that was read elsewhere', async () => {
    const { page } = ben
    await page.goto('/#/')
    const before = (await told(page)).length
    await ben.api('POST', '/messages', { chat_id: dm, content: 'By my phone' })
    const gone = await write(dm, 'A slip of the pen')
    await ann.api('DELETE', `/chats/${dm}/messages/${gone.id}`)
    await write(group, 'Read on the phone')
    await ben.api('POST', `/chats/${group}/read`, {})
    await settle(page, 'Read on the phone')
    expect((await told(page)).length).toBe(before)
  })

  it('keep to themselves what was written, if that is wanted', async () => {
    const { page } = ben
    await page.goto('/#/settings/notifications')
    await page.getByRole('switch', { name: 'Show what they say' }).uncheck()
    await write(dm, 'A secret')
    await eventually(async () => expect((await told(page)).at(-1)).toMatchObject({ title: 'ann', body: 'New message' }))
    await page.getByRole('switch', { name: 'Show what they say' }).check()
    await page.goto('/#/')
  })

  it('come once, however many tabs there are', async () => {
    const second = await ben.machine.newPage()
    await second.goto('/#/')
    await ben.isIn(second)
    const count = async () => (await told(ben.page)).length + (await told(second)).length
    const before = await count()
    await write(dm, 'To both tabs')
    for (const page of [ben.page, second]) await settle(page, 'To both tabs')
    expect(await count()).toBe(before + 1)
    await second.close()
    await ben.page.bringToFront()
  })

  it('tell of what came while there was no network', async () => {
    const { page, machine } = ben
    await machine.context.setOffline(true)
    await page.getByText('Waiting for the network').waitFor()
    await write(dm, 'While you were away')
    await machine.context.setOffline(false)
    await eventually(async () => expect((await told(page)).at(-1)?.body).toBe('While you were away'))
  })

  it('tell of a call, as long as it rings', async () => {
    const { page } = ben
    await lookAway(page)
    await ann.page.goto(`/#/?chat=${dm}`)
    await ann.page.getByRole('button', { name: 'Voice call' }).click()
    await eventually(async () => {
      expect((await told(page)).at(-1)).toMatchObject({ title: 'ann', body: 'Incoming voice call', isOpen: true })
    })
    await ann.page.getByRole('button', { name: 'Hang up' }).click()
    await eventually(async () =>
      expect((await told(page)).some(({ tag, isOpen }) => tag === 'call' && isOpen)).toBeFalse(),
    )
    await lookAway(page, false)
  })

  it('end with the session', async () => {
    const { page } = ben
    await write(dm, 'Before you go')
    await eventually(async () => expect((await told(page)).at(-1)?.body).toBe('Before you go'))
    await page.goto('/#/settings')
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Sign out' }).click()
    await page.getByLabel('Phone or e-mail').waitFor()
    await eventually(async () => {
      expect((await told(page)).at(-1)?.isOpen).toBeFalse()
      expect(await page.title()).toBe('messenger')
    })
    await write(dm, 'To nobody')
    await Bun.sleep(700)
    expect((await told(page)).some(({ body }) => body === 'To nobody')).toBeFalse()
  })

  it('that the browser refuses are told to be refused', async () => {
    await ann.page.goto('/#/settings/notifications')
    await ann.page.getByRole('switch', { name: 'Show notifications' }).click()
    await ann.page.getByText('The browser does not allow notifications for this page.').waitFor()
    expect(await ann.page.getByRole('switch', { name: 'Show notifications' }).isChecked()).toBeFalse()
  })
})

it('nobody complains of anything', () => {
  expect([...ann.machine.complaints, ...ben.machine.complaints]).toEqual([])
})
