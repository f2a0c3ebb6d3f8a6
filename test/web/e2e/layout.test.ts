/** Nothing sticks out on a small screen, however long a name is; from right to left everything stands the other way round. */
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import type { Browser, Locator, Page } from 'playwright-core'
import { startServer, type TestServer } from '../../support/server.ts'
import { eventually, newPerson, type Person, startBrowser } from './browser.ts'

const LONG_NAME = 'Bartholomew_Featherstonehaugh_Wigglesworth_the_3rd'
const LONG_WORD = 'Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz'
const ARABIC = 'مرحبا، كيف حالك اليوم؟'

let server: TestServer
let browser: Browser
let ann: Person
let long: Person
const chats: Record<'dm' | 'group' | 'channel', string> = { dm: '', group: '', channel: '' }
let invite: string

beforeAll(async () => {
  server = await startServer()
  browser = await startBrowser()
  const phone = { viewport: { width: 360, height: 740 } }
  ;[ann, long] = await Promise.all([
    newPerson(browser, server.url, 'ann', phone),
    newPerson(browser, server.url, LONG_NAME),
  ])
  const annId = await ann.userId()
  await long.api('PATCH', '/users/me', { bio: LONG_WORD.repeat(3) })
  chats.dm = String((await long.api('GET', `/chats/dm/${annId}`)).id)
  const name = `${LONG_WORD} ${'of the long-winded '.repeat(8)}`.trim()
  chats.group = String((await ann.api('POST', '/chats', { name, type: 'group', member_ids: [await long.userId()] })).id)
  invite = String((await ann.api('POST', `/chats/${chats.group}/invites`, {})).code)
  chats.channel = String((await ann.api('POST', '/channels', { name, description: LONG_WORD.repeat(4) })).id)
  for (const chat_id of Object.values(chats)) {
    const texts = ['Hello', LONG_WORD.repeat(4), `https://example.org/${'abcdefghij'.repeat(20)}`, '🎉', ARABIC]
    for (const content of texts)
      await (chat_id === chats.channel ? ann : long).api('POST', '/messages', { chat_id, content })
  }
  await ann.api('POST', '/messages', { chat_id: chats.dm, content: 'Mine' })
}, 60_000)
afterAll(async () => {
  await browser?.close()
  await server?.stop()
})

/** What can be moved sideways, by the names of its classes. */
const listOverflow = (page: Page) =>
  page.evaluate(() => {
    const isWide = (element: Element) =>
      element.scrollWidth > element.clientWidth + 1 && getComputedStyle(element).overflowX !== 'visible'
    const scrollers = document.querySelectorAll('html, body, .pane, .scroll, .history-scroll, .dialog-body, .header')
    return [...scrollers].filter(isWide).map((element) => `${element.tagName}.${element.className}`)
  })

const paths = () => [
  '',
  ...Object.values(chats).flatMap((id) => [`?chat=${id}`, `?chat=${id}&info`]),
  ...['new', 'new/group', 'new/channel', 'channels', `join/${invite}`, 'settings', 'settings/profile'],
  ...['appearance', 'notifications', 'password', 'sessions', 'blocks', 'premium'].map((name) => `settings/${name}`),
]

/** There is no catalogue of such a language yet; the page is told to run so. */
async function turn(page: Page, direction: 'ltr' | 'rtl'): Promise<void> {
  await page.evaluate((dir) => {
    document.documentElement.dir = dir
  }, direction)
}
const boxOf = async (locator: Locator) => {
  const box = await locator.first().boundingBox()
  if (!box) throw new Error('It is not to be seen')
  return { ...box, right: box.x + box.width }
}

describe.each(['ltr', 'rtl'] as const)('on a phone, %s', (direction) => {
  it('no screen can be moved sideways', async () => {
    const { page } = ann
    for (const path of paths()) {
      await page.goto(`/#/${path}`)
      await turn(page, direction)
      await eventually(async () => expect(await page.locator('.loading').count()).toBe(0))
      await eventually(async () => expect([path, await listOverflow(page)]).toEqual([path, []]))
    }
    await page.goto('/#/')
    await page.getByRole('searchbox').fill('Rind')
    await page.locator('.row mark').first().waitFor()
    expect(await listOverflow(page)).toEqual([])
  }, 60_000)

  it('menus and dialogs stay within the window', async () => {
    const { page } = ann
    const isInside = async (locator: Locator) => {
      const box = await boxOf(locator)
      expect(box.x).toBeGreaterThanOrEqual(0)
      expect(box.right).toBeLessThanOrEqual(360)
      expect(box.y).toBeGreaterThanOrEqual(0)
      expect(box.y + box.height).toBeLessThanOrEqual(740)
    }
    await page.goto('/#/')
    await turn(page, direction)
    await page.getByRole('button', { name: 'Menu' }).click()
    await isInside(page.getByRole('menu'))
    await page.keyboard.press('Escape')
    await page.goto(`/#/?chat=${chats.dm}`)
    await page.locator('article.message').last().click({ button: 'right' })
    await isInside(page.getByRole('menu'))
    await page.getByRole('menuitem', { name: 'Delete' }).click()
    await isInside(page.getByRole('dialog'))
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click()
    await page.goto(`/#/?chat=${chats.group}&info`)
    await page.getByRole('button', { name: `More: ${LONG_NAME}` }).click()
    await isInside(page.getByRole('menu'))
    await page.keyboard.press('Escape')
  })
})

describe('from right to left', () => {
  it('the panes, the bubbles and what points change sides', async () => {
    const { page } = ann
    await page.setViewportSize({ width: 1440, height: 900 })
    await page.goto(`/#/?chat=${chats.dm}&info`)
    await page.locator('.pane.info .profile-head').waitFor()
    await turn(page, 'rtl')
    const [side, main, info] = await Promise.all(
      ['side', 'main', 'info'].map((name) => boxOf(page.locator(`.pane.${name}`))),
    )
    expect([side?.right, main?.right, info?.right]).toEqual([1440, side?.x, main?.x])
    expect(info?.x).toBe(0)
    const mine = await boxOf(ann.message('Mine').locator('.bubble'))
    const theirs = await boxOf(ann.message('Hello').locator('.bubble'))
    expect(mine.x).toBeLessThan(theirs.x)
    // A name in Latin letters stands where its line begins, too.
    const name = page.locator('.chat-title .row-name')
    expect(await name.evaluate((element) => getComputedStyle(element).textAlign)).toBe('right')
    // Arrows and sending point to where the text goes; what has no direction does not turn.
    await ann.composer().fill('x')
    const turned = (label: string) =>
      page
        .getByRole('button', { name: label, exact: true })
        .first()
        .locator('svg')
        .evaluate((svg) => getComputedStyle(svg).transform !== 'none')
    expect(await turned('Send')).toBeTrue()
    expect(await turned('Attach a file')).toBeFalse()
    await ann.composer().fill('')
    await turn(page, 'ltr')
    expect(await name.evaluate((element) => getComputedStyle(element).textAlign)).toBe('left')
  })

  it('a text runs its own way in either page', async () => {
    const { page } = ann
    for (const direction of ['ltr', 'rtl'] as const) {
      await turn(page, direction)
      const directions = await Promise.all(
        [ARABIC, 'Hello'].map((text) =>
          ann
            .message(text)
            .locator('.bubble-text')
            .evaluate((element) => getComputedStyle(element).direction),
        ),
      )
      expect(directions).toEqual(['rtl', 'ltr'])
    }
    await turn(page, 'ltr')
    await ann.composer().fill(ARABIC)
    expect(await ann.composer().evaluate((field) => getComputedStyle(field).direction)).toBe('rtl')
    await ann.composer().fill('')
  })
})

it('nobody complains of anything', () => {
  expect(ann.machine.complaints).toEqual([])
})
