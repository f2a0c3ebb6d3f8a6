/** For everybody: no serious fault by axe on any screen, in either theme. */
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import type { Browser } from 'playwright-core'
import sharp from 'sharp'
import { startServer, type TestServer } from '../../support/server.ts'
import { listFaults } from './axe.ts'
import { eventually, newMachine, newPerson, type Person, startBrowser } from './browser.ts'

let server: TestServer
let browser: Browser
let ann: Person
let ben: Person
let benId: string
let dm: string
let tides: string
let invite: string
let photo: Buffer

beforeAll(async () => {
  server = await startServer()
  browser = await startBrowser()
  const options = { permissions: ['camera', 'microphone', 'notifications'] }
  ;[ann, ben] = await Promise.all([
    newPerson(browser, server.url, 'ann', options),
    newPerson(browser, server.url, 'ben', options),
  ])
  benId = await ben.userId()
  dm = String((await ann.api('GET', `/chats/dm/${benId}`)).id)
  await ann.api('POST', '/messages', { chat_id: dm, content: 'Look: https://example.org' })
  const asked = await ben.api('POST', '/messages', { chat_id: dm, content: 'At what?' })
  await ann.api('POST', '/messages', { chat_id: dm, content: 'Mine, with words', reply_to_id: asked.id })
  const group = await ann.api('POST', '/chats', { name: 'Walkers', type: 'group', member_ids: [benId] })
  invite = String((await ann.api('POST', `/chats/${group.id}/invites`, {})).code)
  await ben.api('POST', '/messages', { chat_id: group.id, content: 'Hello, walkers' })
  tides = String((await ben.api('POST', '/channels', { name: 'Tide tables', description: 'When the water comes' })).id)
  const { id: mine } = await ann.api('POST', '/channels', { name: 'Tides of mine' })
  await ann.api('POST', '/messages', { chat_id: mine, content: 'High at noon' })
  const create = { width: 400, height: 300, channels: 3 as const, background: '#2f7d6b' }
  photo = await sharp({ create }).png().toBuffer()
  await ann.page.goto(`/#/?chat=${dm}`)
  const send = async (name: string, mimeType: string, buffer: Buffer) => {
    await ann.page.locator('.composer input[type="file"]').setInputFiles({ name, mimeType, buffer })
    await ann.page.getByRole('dialog').getByRole('button', { name: 'Send', exact: true }).click()
  }
  await send('hill.png', 'image/png', photo)
  await send('plan.pdf', 'application/pdf', Buffer.from('%PDF-1.4'))
  await ann.page.getByRole('button', { name: 'Record a voice message' }).click()
  await Bun.sleep(800)
  await ann.page.getByRole('button', { name: 'Send voice message' }).click()
  await ann.page.getByRole('button', { name: 'Play: Voice message' }).waitFor()
  await ann.page.getByRole('button', { name: 'Open photo' }).waitFor()
}, 90_000)
afterAll(async () => {
  await browser?.close()
  await server?.stop()
})

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

describe.each(['light', 'dark'] as const)('in the %s theme', (colorScheme) => {
  const isColoursAlone = colorScheme === 'dark'
  const isFaultless = async (name: string, part?: string) =>
    expect([name, await listFaults(ann.page, { part, isColoursAlone })]).toEqual([name, []])
  beforeAll(() => ann.page.emulateMedia({ colorScheme }))

  it('no page of the side pane has a serious fault', async () => {
    const { page } = ann
    for (const path of [...pages, `user/${benId}`, `join/${invite}`, 'join/abcdefghijkl']) {
      await page.goto(`/#/${path}`)
      await page.locator('.pane.side header').waitFor()
      await eventually(async () => expect(await page.locator('.pane.side .loading').count()).toBe(0))
      await isFaultless(path, path ? '.pane.side' : 'body')
    }
    await page.goto('/#/')
    await page.getByRole('searchbox').fill('walkers')
    await page.locator('.row mark').first().waitFor()
    await isFaultless('what was found', '.pane.side')
    await page.getByRole('searchbox').fill('qqqxyzzy')
    await page.getByText('Nothing found').waitFor()
    await isFaultless('nothing found', '.pane.side')
    await page.getByRole('button', { name: 'Clear search' }).click()
    await page.getByRole('button', { name: 'Menu' }).click()
    await isFaultless('the menu')
    await page.keyboard.press('Escape')
  }, 120_000)

  it('no conversation has, nor what is known of it', async () => {
    const { page } = ann
    for (const name of ['ben', 'Walkers', 'Tides of mine']) {
      await page.goto('/#/')
      await ann.openChat(name)
      await page.locator('article.message').first().waitFor()
      await isFaultless(name)
      await page.getByRole('button', { name: 'Info' }).click()
      await page.locator('.pane.info .profile-head').waitFor()
      await eventually(async () => expect(await page.locator('.pane.info .loading').count()).toBe(0))
      await isFaultless(`${name}, info`)
    }
    await page.getByRole('button', { name: 'Edit' }).click()
    await isFaultless('editing a channel')
    await page.keyboard.press('Escape')
    await page.goto(`/#/?chat=${tides}`)
    await page.getByRole('button', { name: 'Subscribe' }).waitFor()
    await isFaultless('a channel of somebody else')
    await page.goto('/#/?chat=nonsense')
    await page.getByText('This chat is not there').waitFor()
    await isFaultless('no chat')
  }, 120_000)

  it('nothing that opens above a conversation has', async () => {
    const { page } = ann
    await page.goto(`/#/?chat=${dm}`)
    await ann.message('Mine, with words').first().click({ button: 'right' })
    await page.getByRole('menu').first().waitFor()
    await isFaultless('the menu of a message')
    await page.getByRole('menuitem', { name: 'Delete' }).click()
    await page.getByRole('dialog').waitFor()
    await isFaultless('deleting')
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click()
    await ann.choose('Mine, with words', 'Reply')
    await isFaultless('answering')
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: 'Search in this chat' }).click()
    await page.locator('.in-chat-search input').fill('mine')
    await page.locator('.in-chat-results mark').first().waitFor()
    await isFaultless('searching in a chat')
    await page.keyboard.press('Escape')
    await page.locator('.composer input[type="file"]').setInputFiles([
      { name: 'a.png', mimeType: 'image/png', buffer: photo },
      { name: 'b.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF') },
    ])
    await page.getByRole('dialog').waitFor()
    await isFaultless('files to be sent')
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: 'Open photo' }).first().click()
    await page.locator('dialog.viewer').waitFor()
    await isFaultless('a photo')
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: 'Record a voice message' }).click()
    await page.getByRole('timer').waitFor()
    await isFaultless('recording')
    await page.getByRole('button', { name: 'Discard recording' }).click()
  }, 120_000)

  it('a call has none, on either side', async () => {
    const { page } = ann
    await ben.page.emulateMedia({ colorScheme })
    await page.goto(`/#/?chat=${dm}`)
    await page.getByRole('button', { name: 'Video call' }).click()
    await ben.page.getByText('Incoming video call').waitFor()
    await page.getByText('Ringing').waitFor()
    expect(await listFaults(ben.page, { isColoursAlone })).toEqual([])
    await isFaultless('calling')
    await ben.page.getByRole('button', { name: 'Accept' }).click()
    await page.locator('.call .num').waitFor()
    await isFaultless('talking')
    await page.getByRole('button', { name: 'Make small' }).click()
    await isFaultless('talking, small')
    await page.getByRole('button', { name: 'Hang up' }).click()
    await eventually(async () => expect(await ben.page.locator('.call').count()).toBe(0))
  }, 60_000)

  it('signing in and registering have none, faults shown', async () => {
    const machine = await newMachine(browser, server.url, { colorScheme })
    const page = await machine.newPage()
    await page.goto('/')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.locator('.field-error').first().waitFor()
    expect(await listFaults(page, { isColoursAlone })).toEqual([])
    await page.getByRole('button', { name: 'New here?' }).click()
    await page.getByRole('button', { name: 'Create account' }).click()
    await eventually(async () => expect(await page.locator('.field-error').count()).toBe(3))
    expect(await listFaults(page, { isColoursAlone })).toEqual([])
    await machine.context.close()
  })
})

it('nobody complains of anything', () => {
  expect([...ann.machine.complaints, ...ben.machine.complaints]).toEqual([])
})
