/** For everybody: no serious fault by axe on any screen in either theme, and the main ways by keyboard alone. */
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { AxeBuilder } from '@axe-core/playwright'
import type { Browser, Page } from 'playwright-core'
import { startServer, type TestServer } from '../../support/server.ts'
import { eventually, newMachine, newPerson, newPhone, Person, startBrowser } from './browser.ts'

let server: TestServer
let browser: Browser
let ann: Person
let ben: Person

beforeAll(async () => {
  server = await startServer()
  browser = await startBrowser()
  ;[ann, ben] = await Promise.all([newPerson(browser, server.url, 'ann'), newPerson(browser, server.url, 'ben')])
  const benId = await ben.userId()
  const { id: dm } = await ann.api('GET', `/chats/dm/${benId}`)
  await ann.api('POST', '/messages', { chat_id: dm, content: 'Look: https://example.org' })
  await ben.api('POST', '/messages', { chat_id: dm, content: 'Mine' })
  const { id: group } = await ann.api('POST', '/chats', { name: 'Walkers', type: 'group', member_ids: [benId] })
  await ben.api('POST', '/messages', { chat_id: group, content: 'Hello, walkers' })
  await ben.api('POST', '/channels', { name: 'Tide tables', description: 'When the water comes' })
}, 60_000)
afterAll(async () => {
  await browser?.close()
  await server?.stop()
})

/** @param theme the second theme has the same elements: its colours are looked at */
async function listFaults(page: Page, theme: 'light' | 'dark' = 'light', part = 'body'): Promise<string[]> {
  const axe = new AxeBuilder({ page }).include(part)
  const { violations } = await (theme === 'dark' ? axe.withRules(['color-contrast']) : axe).analyze()
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${id} ${target.join(' ')}: ${failureSummary}`),
    )
}

const pages = [
  '',
  'new',
  'new/group',
  'new/channel',
  'channels',
  'settings',
  'settings/profile',
  'settings/appearance',
  'settings/notifications',
  'settings/password',
  'settings/sessions',
  'settings/blocks',
  'settings/premium',
]

/** The others are made of the same parts, and the second theme only has other colours. */
const samples = ['', 'new/group', 'settings', 'settings/password', 'settings/premium']

describe.each(['light', 'dark'] as const)('in the %s theme', (colorScheme) => {
  it('no screen has a serious fault', async () => {
    const { page } = ann
    await page.emulateMedia({ colorScheme })
    for (const path of colorScheme === 'light' ? pages : samples) {
      await page.goto(`/#/${path}`)
      await page.locator('.pane.side header').waitFor()
      await eventually(async () => expect(await page.locator('.pane.side .loading').count()).toBe(0))
      expect([path, await listFaults(page, colorScheme, path ? '.pane.side' : 'body')]).toEqual([path, []])
    }
    for (const name of ['ben', 'Walkers']) {
      await page.goto('/#/')
      await ann.openChat(name)
      await page.locator('article.message').first().waitFor()
      expect([name, await listFaults(page, colorScheme)]).toEqual([name, []])
      await page.getByRole('button', { name: 'Info' }).click()
      await page.locator('.pane.info .profile-head').waitFor()
      await eventually(async () => expect(await page.locator('.pane.info .loading').count()).toBe(0))
      expect([`${name}, info`, await listFaults(page, colorScheme)]).toEqual([`${name}, info`, []])
    }
    await page.locator('article.message').first().click({ button: 'right' })
    await page.getByRole('menu').first().waitFor()
    expect(await listFaults(page, colorScheme)).toEqual([])
    await page.getByRole('menuitem', { name: 'Delete' }).click()
    await page.getByRole('dialog').waitFor()
    expect(await listFaults(page, colorScheme)).toEqual([])
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click()
  }, 120_000)

  it('signing in and registering have none, faults shown', async () => {
    const machine = await newMachine(browser, server.url, { colorScheme })
    const page = await machine.newPage()
    await page.goto('/')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.locator('.field-error').first().waitFor()
    expect(await listFaults(page, colorScheme)).toEqual([])
    await page.getByRole('button', { name: 'New here?' }).click()
    await page.getByRole('button', { name: 'Create account' }).click()
    await eventually(async () => expect(await page.locator('.field-error').count()).toBe(3))
    expect(await listFaults(page, colorScheme)).toEqual([])
    await machine.context.close()
  })
})

describe('with the keyboard alone', () => {
  it('one registers, finds somebody, writes, edits and deletes', async () => {
    const machine = await newMachine(browser, server.url)
    const cleo = new Person('cleo', newPhone(), await machine.newPage(), machine)
    const { page } = cleo
    const { keyboard } = page
    /** Presses Tab until the focus is on what has this name. */
    const tabTo = async (name: RegExp) => {
      for (let presses = 0; presses < 40; presses++) {
        await keyboard.press('Tab')
        const focused = await page.evaluate(() => {
          const element = document.activeElement as HTMLElement | null
          const label = element?.id ? document.querySelector(`label[for="${element.id}"]`)?.textContent : ''
          return `${element?.getAttribute('aria-label') ?? ''} ${label} ${element?.textContent ?? ''}`
        })
        if (name.test(focused)) return
      }
      throw new Error(`Tab does not lead to ${name}`)
    }
    await page.goto('/')
    await page.getByRole('button', { name: 'New here?' }).waitFor()
    await tabTo(/New here/)
    await keyboard.press('Enter')
    await page.getByLabel('Username').waitFor()
    await page.getByLabel('Username').focus()
    await keyboard.type('cleo')
    await tabTo(/Phone/)
    await keyboard.type(cleo.phone)
    await tabTo(/^ *Password/)
    await keyboard.type('Password123')
    await keyboard.press('Enter')
    await cleo.isIn()
    await tabTo(/New chat/)
    await keyboard.press('Enter')
    await page.getByRole('searchbox').waitFor()
    await keyboard.type('ben')
    await page.locator('.pane.side .row', { hasText: 'ben' }).waitFor()
    await tabTo(/^ *ben|B *ben/)
    await keyboard.press('Enter')
    await cleo.composer().waitFor()
    await eventually(async () => {
      expect(await page.evaluate(() => document.activeElement?.tagName)).toBe('TEXTAREA')
    })
    await keyboard.type('by keys')
    await keyboard.press('Enter')
    await cleo.sees('by keys')
    await eventually(async () => {
      expect(await cleo.message('by keys').locator('.ticks').getAttribute('title')).toMatch(/Sent|Read/)
    })
    // Up in an empty field changes the last one.
    await keyboard.press('ArrowUp')
    await page.getByText('Editing').waitFor()
    await keyboard.press('End')
    await keyboard.type(' alone')
    await keyboard.press('Enter')
    await cleo.sees('by keys alone')
    // From message to message, and its menu.
    await page.locator('.history-scroll').focus()
    await keyboard.press('ArrowUp')
    await keyboard.press('Enter')
    await page.getByRole('menuitem', { name: 'Reply' }).waitFor()
    await keyboard.press('End')
    await keyboard.press('Enter')
    await page.getByRole('dialog').waitFor()
    await tabTo(/^ *Delete|^ +Delete/)
    await keyboard.press('Enter')
    await cleo.sees('Message deleted')
    expect(machine.complaints).toEqual([])
  }, 60_000)
})

it('nobody complains of anything', () => {
  expect([...ann.machine.complaints, ...ben.machine.complaints]).toEqual([])
})
