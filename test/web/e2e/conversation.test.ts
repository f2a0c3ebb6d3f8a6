/** Two people, two browsers, one conversation. */
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
  ann = await newPerson(browser, server.url, 'ann')
  ben = await newPerson(browser, server.url, 'ben')
}, 60_000)
afterAll(async () => {
  await browser?.close()
  await server?.stop()
})

describe('two people', () => {
  it('find each other and talk', async () => {
    await ann.openDmWith('ben')
    await ann.say('Hello, Ben!')
    await ann.sees('Hello, Ben!')
    await ben.openChat('ann')
    await ben.sees('Hello, Ben!')
    await ben.say('Hello, Ann!')
    await ann.sees('Hello, Ann!')
    await eventually(async () => {
      expect(await ann.reads()).toEqual(['Hello, Ben!', 'Hello, Ann!'])
      expect(await ben.reads()).toEqual(['Hello, Ben!', 'Hello, Ann!'])
    })
  })

  it('see how far a message has come', async () => {
    await ben.page.bringToFront()
    await eventually(async () => {
      const ticks = ann.message('Hello, Ben!').locator('.ticks')
      expect(await ticks.getAttribute('title')).toBe('Read')
    })
  })

  it('see who types and who is there', async () => {
    await ann.composer().pressSequentially('Well, then', { delay: 300 })
    await ben.page.locator('.chat-status', { hasText: 'typing' }).waitFor()
    await ann.composer().fill('')
    await ben.page.locator('.chat-status', { hasText: 'online' }).waitFor()
  })

  it('keep the menu of a message open while the button that opened it is held and let go', async () => {
    await ben.message('hello').first().hover()
    await ben.page.mouse.down({ button: 'right' })
    await ben.page.getByRole('menu', { name: 'Message actions' }).waitFor()
    await ben.page.mouse.up({ button: 'right' })
    await Bun.sleep(200)
    expect(await ben.page.getByRole('menuitem', { name: 'Reply' }).isVisible()).toBe(true)
    await ben.page.keyboard.press('Escape')
  })

  it('edit, reply and delete', async () => {
    await ann.choose('Hello, Ben!', 'Edit')
    await ann.say('Hello, dear Ben!')
    await ben.sees('Hello, dear Ben!')
    expect(await ben.message('Hello, dear Ben!').locator('.bubble-meta').textContent()).toContain('edited')

    await ben.choose('Hello, dear Ben!', 'Reply')
    await ben.say('Dear yourself')
    await ann.sees('Dear yourself')
    expect(await ann.message('Dear yourself').locator('.quote').textContent()).toContain('Hello, dear Ben!')

    await ann.choose('Hello, dear Ben!', 'Delete')
    await ann.page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
    await eventually(async () => {
      expect((await ben.reads())[0]).toBe('Message deleted')
      expect((await ann.reads())[0]).toBe('Message deleted')
    })
  })

  it('count what is not read', async () => {
    await ben.page.getByRole('button', { name: 'New chat' }).first().waitFor()
    await ben.page.goto('/#/')
    await ben.page.locator('.nothing-open').waitFor()
    await ann.say('one')
    await ann.say('two')
    const badge = ben.page.locator('.chat-list .badge')
    await eventually(async () => expect(await badge.textContent()).toContain('2'))
    await eventually(async () => expect(await ben.page.title()).toBe('(1) messenger'))
    await ben.openChat('ann')
    await ben.page.getByText('New messages').waitFor()
    await eventually(async () => expect(await badge.count()).toBe(0))
  })

  it('keep all of it over a reload', async () => {
    const before = await ann.reads()
    await ann.page.reload()
    await ann.sees('two')
    await eventually(async () => expect(await ann.reads()).toEqual(before))
  })

  it('complain of nothing', () => {
    expect([...ann.machine.complaints, ...ben.machine.complaints]).toEqual([])
  })
})
