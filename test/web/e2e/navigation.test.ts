/** The way back on a phone, where one pane is seen at a time: it leads where one expects, by the page's button and the device's. */
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import type { Browser } from 'playwright-core'
import { startServer, type TestServer } from '../../support/server.ts'
import { eventually, newPerson, type Person, startBrowser } from './browser.ts'

let server: TestServer
let browser: Browser
let ann: Person
let ben: Person

beforeAll(async () => {
  server = await startServer()
  browser = await startBrowser()
  ann = await newPerson(browser, server.url, 'ann', {
    viewport: { width: 360, height: 740 },
    hasTouch: true,
    isMobile: true,
  })
  ben = await newPerson(browser, server.url, 'ben')
}, 60_000)
afterAll(async () => {
  await browser?.close()
  await server?.stop()
})

const back = (pane: 'main' | 'side' = 'main') =>
  ann.page.locator(`.pane.${pane}`).getByRole('button', { name: 'Back' }).tap()
const isList = () => ann.page.locator('.chat-list').waitFor()
const shown = () => ann.page.locator('.app').getAttribute('data-shows')

describe('back', () => {
  it('out of a new conversation leads to the list, not to the search for somebody', async () => {
    const { page } = ann
    await page.getByRole('button', { name: 'New chat' }).first().tap()
    await page.getByRole('searchbox').fill('ben')
    await page.locator('.row', { hasText: 'ben' }).tap()
    await ann.composer().waitFor()
    // Enter is a new line where there is no Shift.
    await ann.composer().fill('Hello')
    await page.getByRole('button', { name: 'Send', exact: true }).tap()
    await ann.sees('Hello')
    await back()
    await isList()
    await ann.chatRow('ben').tap()
    await ann.sees('Hello')
  })

  it('out of a conversation whose info was looked at leads to the list', async () => {
    const { page } = ann
    await page.locator('.chat-title').tap()
    await page.locator('.pane.info .profile-head').waitFor()
    await page.locator('.pane.info').getByRole('button', { name: 'Close' }).tap()
    await eventually(async () => expect(await shown()).toBe('main'))
    // Once more, and then by the device's own button, which closes one thing after the other.
    await page.locator('.chat-title').tap()
    await eventually(async () => expect(await shown()).toBe('info'))
    await page.goBack()
    await eventually(async () => expect(await shown()).toBe('main'))
    await back()
    await isList()
    await eventually(async () => expect(await shown()).toBe('side'))
  })

  it('out of a group that was just made leads to the list', async () => {
    const { page } = ann
    await page.getByRole('button', { name: 'Menu' }).tap()
    await page.getByRole('menuitem', { name: 'New group' }).tap()
    await page.getByLabel('Group name').fill('Walkers')
    await page.getByRole('button', { name: 'Create' }).tap()
    await page.locator('.chat-title', { hasText: 'Walkers' }).waitFor()
    await back()
    await isList()
  })

  it('out of a page of the settings leads to the settings, and out of them to the list', async () => {
    const { page } = ann
    await page.getByRole('button', { name: 'Menu' }).tap()
    await page.getByRole('menuitem', { name: 'Settings' }).tap()
    await page.getByRole('button', { name: 'Sessions' }).tap()
    await page.getByRole('heading', { name: 'Sessions' }).waitFor()
    await back('side')
    await page.getByRole('heading', { name: 'Settings' }).waitFor()
    await back('side')
    await isList()
  })

  it('out of what an address led to leads to the list, after a reload too', async () => {
    const { page } = ann
    await ann.chatRow('ben').tap()
    await ann.sees('Hello')
    await page.reload()
    await ann.sees('Hello')
    await back()
    await isList()
    await page.goto('/#/settings/premium')
    await page.getByRole('heading', { name: 'Premium', level: 1 }).waitFor()
    await page.reload()
    await back('side')
    await page.getByRole('heading', { name: 'Settings' }).waitFor()
  })

  it('out of one conversation that led to another leads to the first', async () => {
    const { page } = ann
    const { id } = await ann.api('POST', '/chats', { name: 'Both', type: 'group', member_ids: [await ben.userId()] })
    await ben.api('POST', '/messages', { chat_id: id, content: 'From ben' })
    await page.goto('/#/')
    await ann.chatRow('Both').tap()
    await ann.sees('From ben')
    await page.locator('.bubble-name').tap()
    await page.getByRole('button', { name: 'Write a message' }).tap()
    await page.locator('.chat-title', { hasText: 'ben' }).waitFor()
    await back()
    await page.getByRole('button', { name: 'Write a message' }).waitFor()
    await back('side')
    await page.locator('.chat-title', { hasText: 'Both' }).waitFor()
    await back()
    await isList()
    expect(ann.machine.complaints).toEqual([])
  })
})
