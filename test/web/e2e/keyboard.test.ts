/** The main ways by keyboard alone: registering, writing, a group, a photo, searching, settings, a call. */
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import type { Browser, Page } from 'playwright-core'
import sharp from 'sharp'
import { startServer, type TestServer } from '../../support/server.ts'
import { eventually, newMachine, newPerson, newPhone, Person, startBrowser } from './browser.ts'

let server: TestServer
let browser: Browser
let ben: Person
let cleo: Person

beforeAll(async () => {
  server = await startServer()
  browser = await startBrowser()
  const options = { permissions: ['camera', 'microphone'] }
  ben = await newPerson(browser, server.url, 'ben', options)
  const machine = await newMachine(browser, server.url, options)
  cleo = new Person('cleo', newPhone(), await machine.newPage(), machine)
}, 60_000)
afterAll(async () => {
  await browser?.close()
  await server?.stop()
})

/** What has the focus, as it is read out. */
const focused = (page: Page) =>
  page.evaluate(() => {
    const element = document.activeElement as HTMLElement | null
    const label = element?.id ? document.querySelector(`label[for="${element.id}"]`)?.textContent : ''
    return `${element?.getAttribute('aria-label') ?? ''} ${label} ${element?.textContent ?? ''}`
  })
/** Presses Tab until the focus is on what has this name. */
async function tabTo(page: Page, name: RegExp, key = 'Tab'): Promise<void> {
  for (let presses = 0; presses < 60; presses++) {
    await page.keyboard.press(key)
    if (name.test(await focused(page))) return
  }
  throw new Error(`Tab does not lead to ${name}`)
}
const isInComposer = () =>
  eventually(async () => {
    expect(await cleo.page.evaluate(() => document.activeElement?.tagName)).toBe('TEXTAREA')
  })
/** In the page: what stands in the field that has the focus in the very turn of the key. */
async function pressUp(): Promise<string> {
  const field = document.activeElement as HTMLTextAreaElement
  field.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowUp', bubbles: true, cancelable: true }))
  for (let turns = 0; turns < 100; turns++) await undefined
  return field.value
}
/** Whoever sees sees where they are. */
const hasRing = (page: Page) =>
  page.evaluate(() => {
    const element = document.activeElement as Element
    // Of a message its bubble has it.
    const { outlineStyle, outlineWidth } = getComputedStyle(element.querySelector('.bubble') ?? element)
    return outlineStyle !== 'none' && Number.parseFloat(outlineWidth) >= 2
  })

describe('with the keyboard alone', () => {
  it('one registers, finds somebody, writes, edits and deletes', async () => {
    const { page } = cleo
    const { keyboard } = page
    await page.goto('/')
    await page.getByRole('button', { name: 'New here?' }).waitFor()
    await tabTo(page, /New here/)
    expect(await hasRing(page)).toBeTrue()
    await keyboard.press('Enter')
    await page.getByLabel('Username').waitFor()
    await tabTo(page, /Username/, 'Shift+Tab')
    await keyboard.type('cleo')
    await tabTo(page, /Phone/)
    await keyboard.type(cleo.phone)
    await tabTo(page, /^ *Password/)
    await keyboard.type('Password123')
    await keyboard.press('Enter')
    await cleo.isIn()
    await tabTo(page, /New chat/)
    await keyboard.press('Enter')
    await page.getByRole('searchbox').waitFor()
    await keyboard.type('ben')
    await page.locator('.pane.side .row', { hasText: 'ben' }).waitFor()
    await tabTo(page, /^ *ben|B *ben/)
    await keyboard.press('Enter')
    await cleo.composer().waitFor()
    await isInComposer()
    await keyboard.type('by keys')
    await keyboard.press('Enter')
    await cleo.sees('by keys')
    await eventually(async () => {
      expect(await cleo.message('by keys').locator('.ticks').getAttribute('title')).toMatch(/Sent|Read/)
    })
    // Up in an empty field changes the last one: its text is there before another key can be.
    expect(await page.evaluate(pressUp)).toBe('by keys')
    await page.getByText('Editing').waitFor()
    await keyboard.press('End')
    await keyboard.type(' alone')
    await keyboard.press('Enter')
    await cleo.sees('by keys alone')
    // From message to message, and its menu.
    await tabTo(page, /Messages of this chat/, 'Shift+Tab')
    await keyboard.press('ArrowUp')
    expect(await hasRing(page)).toBeTrue()
    await keyboard.press('Enter')
    await eventually(async () => expect(await focused(page)).toMatch(/Reply *$/))
    await keyboard.press('End')
    await keyboard.press('Enter')
    await page.getByRole('dialog').waitFor()
    await tabTo(page, /^ *Delete|^ +Delete/)
    await keyboard.press('Enter')
    await cleo.sees('Message deleted')
  }, 60_000)

  it('one sends a photo and looks at it', async () => {
    const { page } = cleo
    const { keyboard } = page
    await cleo.composer().focus()
    const asked = page.waitForEvent('filechooser')
    await tabTo(page, /Attach a file/, 'Shift+Tab')
    await keyboard.press('Enter')
    const create = { width: 300, height: 200, channels: 3 as const, background: '#2f7d6b' }
    const buffer = await sharp({ create }).jpeg().toBuffer()
    await (await asked).setFiles({ name: 'hill.jpg', mimeType: 'image/jpeg', buffer })
    await page.getByRole('dialog').waitFor()
    await eventually(async () => expect(await focused(page)).toMatch(/Caption/))
    await keyboard.type('The hill')
    await keyboard.press('Enter')
    await ben.openChat('cleo')
    await ben.sees('The hill')
    await page.getByRole('button', { name: 'Open photo' }).waitFor()
    await tabTo(page, /Open photo/, 'Shift+Tab')
    await keyboard.press('Enter')
    await page.locator('dialog.viewer').waitFor()
    await keyboard.press('+')
    await eventually(async () => {
      const { transform } = await page
        .locator('.viewer .stage img')
        .evaluate((image) => ({ transform: (image as HTMLElement).style.transform }))
      expect(transform).toContain('scale(1.4)')
    })
    await keyboard.press('Escape')
    await eventually(async () => expect(await page.locator('dialog.viewer').count()).toBe(0))
    // Back where one was.
    expect(await focused(page)).toMatch(/Open photo/)
  }, 60_000)

  it('one makes a group, and adds a person', async () => {
    const { page } = cleo
    const { keyboard } = page
    await tabTo(page, /^ *Menu/, 'Shift+Tab')
    await keyboard.press('Enter')
    // The menu takes the focus a moment after it is seen.
    await eventually(async () => expect(await focused(page)).toMatch(/^ *New group|New group *$/))
    await keyboard.press('Enter')
    await eventually(async () => expect(await focused(page)).toMatch(/Group name/))
    // Too early: it is told what is missing.
    await tabTo(page, /^ *Create/)
    await keyboard.press('Enter')
    await eventually(async () => expect(await focused(page)).toMatch(/Group name/))
    await page.getByText('Fill this in').waitFor()
    await keyboard.type('Key holders')
    await page.keyboard.press('Tab')
    await keyboard.type('ben')
    await page.getByRole('checkbox', { name: 'ben' }).waitFor()
    await page.keyboard.press('Tab')
    await keyboard.press('Space')
    await page.getByText('1 person chosen').waitFor()
    await tabTo(page, /^ *Create/)
    await keyboard.press('Enter')
    await page.locator('.chat-title', { hasText: 'Key holders' }).waitFor()
    await isInComposer()
    await keyboard.type('Welcome')
    await keyboard.press('Enter')
    await ben.openChat('Key holders')
    await ben.sees('Welcome')
  }, 60_000)

  it('one searches, and goes to what was found', async () => {
    const { page } = cleo
    const { keyboard } = page
    await tabTo(page, /^ *Search/, 'Shift+Tab')
    for (let presses = 0; presses < 6 && !/^ *Search *$/.test(await focused(page)); presses++)
      await keyboard.press('Shift+Tab')
    await keyboard.type('hill')
    await page.locator('.row mark').first().waitFor()
    await tabTo(page, /The hill/)
    await keyboard.press('Enter')
    await cleo.sees('The hill')
    await page.locator('.chat-title', { hasText: 'ben' }).waitFor()
    // In the chat, too; Escape ends it.
    await tabTo(page, /Search in this chat/)
    await keyboard.press('Enter')
    await page.locator('.in-chat-search input').waitFor()
    await keyboard.type('hill')
    await page.locator('.in-chat-results mark').waitFor()
    await keyboard.press('Escape')
    await eventually(async () => expect(await page.locator('.in-chat-search').count()).toBe(0))
  }, 60_000)

  it('one changes the theme, and comes back', async () => {
    const { page } = cleo
    const { keyboard } = page
    await page.goto('/#/settings')
    await tabTo(page, /Appearance/)
    await keyboard.press('Enter')
    await page.getByRole('radio', { name: 'Dark' }).waitFor()
    await tabTo(page, /^ *System/)
    await keyboard.press('ArrowRight')
    await keyboard.press('ArrowRight')
    expect(await page.getByRole('radio', { name: 'Dark' }).getAttribute('aria-checked')).toBe('true')
    expect(await page.evaluate(() => document.documentElement.dataset.theme)).toBe('dark')
    await keyboard.press('Home')
    await tabTo(page, /^ *Back/, 'Shift+Tab')
    await keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Settings' }).waitFor()
  })

  it('one is called, answers and hangs up', async () => {
    const { page } = cleo
    await ben.page.goto('/#/')
    await ben.openChat('cleo')
    await ben.page.getByRole('button', { name: 'Voice call' }).click()
    await page.getByText('Incoming voice call').waitFor()
    await tabTo(page, /^ *Accept/)
    await page.keyboard.press('Enter')
    await page.locator('.call .num').waitFor()
    await tabTo(page, /^ *Hang up/)
    await page.keyboard.press('Enter')
    await eventually(async () => expect(await ben.page.locator('.call').count()).toBe(0))
  })

  it('one skips the list of chats', async () => {
    const { page } = cleo
    await page.goto('/#/')
    await cleo.openChat('ben')
    await page.reload()
    await cleo.composer().waitFor()
    await tabTo(page, /^ *Skip to conversation/, 'Shift+Tab')
    expect(await page.getByText('Skip to conversation').isVisible()).toBeTrue()
    await page.keyboard.press('Enter')
    expect(await focused(page)).toMatch(/Messages of this chat/)
  })
})

it('nobody complains of anything', () => {
  expect([...ben.machine.complaints, ...cleo.machine.complaints]).toEqual([])
})
