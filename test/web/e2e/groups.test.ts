/** Groups, invites, channels, search: several people in several browsers. */
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import type { Browser } from 'playwright-core'
import { startServer, type TestServer } from '../../support/server.ts'
import { eventually, newPerson, type Person, startBrowser } from './browser.ts'

let server: TestServer
let browser: Browser
let ann: Person
let ben: Person
let cleo: Person

beforeAll(async () => {
  server = await startServer()
  browser = await startBrowser()
  ;[ann, ben, cleo] = await Promise.all([
    newPerson(browser, server.url, 'ann'),
    newPerson(browser, server.url, 'ben'),
    newPerson(browser, server.url, 'cleo'),
  ])
}, 90_000)
afterAll(async () => {
  await browser?.close()
  await server?.stop()
})

describe('a group', () => {
  it('is made with people in it, and all of them talk', async () => {
    const { page } = ann
    await page.getByRole('button', { name: 'New chat' }).first().click()
    await page.getByRole('button', { name: 'New group' }).click()
    await page.getByLabel('Group name').fill('Walkers')
    await page.getByRole('searchbox').fill('ben')
    await page.getByRole('checkbox', { name: 'ben' }).check()
    await page.getByRole('button', { name: 'Create', exact: true }).click()
    await ann.composer().waitFor()
    await ann.say('Welcome')
    await ben.openChat('Walkers')
    await ben.sees('Welcome')
    await ben.say('Thank you')
    await ann.sees('Thank you')
    expect(await ann.message('Thank you').locator('.bubble-name').textContent()).toBe('ben')
  })

  it('is joined by a link', async () => {
    const { page } = ann
    await page.getByRole('button', { name: 'Info' }).click()
    await page.getByRole('button', { name: 'Make an invite link' }).click()
    const link = await page.locator('.link-box code').textContent()
    await cleo.page.goto(String(link))
    await cleo.page.getByText('Walkers').waitFor()
    await cleo.page.getByRole('button', { name: 'Join' }).click()
    await cleo.sees('Welcome')
    await cleo.say('Hello, all of you')
    await ann.sees('Hello, all of you')
    await ben.sees('Hello, all of you')
    await page.locator('.pane.info').getByText('3 members').first().waitFor()
  })

  it('has roles, and a way out', async () => {
    const { page } = ann
    await page.getByRole('button', { name: 'More: ben' }).click()
    await page.getByRole('menuitem', { name: 'Make admin' }).click()
    await page.locator('.pane.info .row', { hasText: 'ben' }).getByText('admin').waitFor()
    await page.getByRole('button', { name: 'More: cleo' }).click()
    await page.getByRole('menuitem', { name: 'Remove from the chat' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Remove from the chat' }).click()
    await page.locator('.pane.info').getByText('2 members').first().waitFor()
    await eventually(async () => expect(await cleo.chatRow('Walkers').count()).toBe(0))

    await ben.page.getByRole('button', { name: 'Info' }).click()
    await ben.page.getByRole('button', { name: 'Leave' }).click()
    await ben.page.getByRole('dialog').getByRole('button', { name: 'Leave' }).click()
    await eventually(async () => expect(await ben.chatRow('Walkers').count()).toBe(0))
  })
})

describe('a channel', () => {
  it('is made, found, subscribed to, and read', async () => {
    await ben.page.getByRole('button', { name: 'Menu' }).click()
    await ben.page.getByRole('menuitem', { name: 'New channel' }).click()
    await ben.page.getByLabel('Channel name').fill('Tide tables')
    await ben.page.getByLabel('Description').fill('When the water comes')
    await ben.page.getByRole('button', { name: 'Create', exact: true }).click()
    await ben.say('High water at noon')

    await cleo.page.goto('/#/channels')
    await cleo.page.getByRole('searchbox').fill('tide')
    await cleo.page.getByRole('button', { name: 'Tide tables' }).click()
    await cleo.page.getByText('When the water comes').last().waitFor()
    await cleo.page.getByRole('button', { name: 'Subscribe' }).click()
    await cleo.sees('High water at noon')
    expect(await cleo.composer().count()).toBe(0)
    await ben.say('Low water at six')
    await cleo.sees('Low water at six')
  })
})

describe('search', () => {
  it('finds people, channels and messages, and leads to them', async () => {
    const { page } = cleo
    await page.goto('/#/')
    await page.getByRole('searchbox').fill('water')
    const found = page.locator('.pane.side .row', { hasText: 'High water at noon' })
    await found.waitFor()
    expect(await found.locator('mark').textContent()).toBe('water')
    await found.click()
    await cleo.sees('High water at noon')
    await page.getByRole('searchbox').fill('ann')
    await page.locator('.pane.side .row', { hasText: 'ann' }).first().click()
    await cleo.composer().waitFor()
    await cleo.say('Found you')
    await ann.openChat('cleo')
    await ann.sees('Found you')
  })
})

describe('search in one chat', () => {
  it('finds in that chat alone, leads far back, and tells when there is nothing', async () => {
    const { id: group } = await ann.api('POST', '/chats', {
      name: 'Archive',
      type: 'group',
      member_ids: [await cleo.userId()],
    })
    await cleo.api('POST', '/messages', { chat_id: group, content: 'The lighthouse keeper called' })
    for (let i = 0; i < 150; i++) await ann.api('POST', '/messages', { chat_id: group, content: `note ${i}` })
    await ann.api('POST', '/messages', { chat_id: group, content: 'No lighthouse to be seen' })
    await cleo.page.goto('/#/')
    await cleo.openChat('Archive')
    await cleo.page.locator('article.message').first().waitFor()
    await cleo.page.getByRole('button', { name: 'Search in this chat' }).click()
    const field = cleo.page.locator('.in-chat-search input')
    await field.fill('water')
    await cleo.page.locator('.in-chat-search').getByText('Nothing found for “water”.').waitFor()
    await field.fill('lighthouse')
    const found = cleo.page.locator('.in-chat-results .row')
    await eventually(async () => expect(await found.count()).toBe(2))
    // In one chat it matters who said it.
    expect(await found.locator('.row-name').allTextContents()).toEqual(['ann', 'You'])
    await found.last().click()
    await cleo.sees('The lighthouse keeper called')
    await eventually(async () =>
      expect(
        await cleo.message('The lighthouse keeper called').evaluate((row) => {
          const { top, bottom } = row.getBoundingClientRect()
          return top >= 0 && bottom <= innerHeight
        }),
      ).toBeTrue(),
    )
    await field.press('Escape')
    // Everywhere both are found, and more pages on demand.
    await cleo.page.locator('.pane.side').getByRole('searchbox').fill('note')
    const all = cleo.page.locator('.pane.side .row', { has: cleo.page.locator('mark') })
    await eventually(async () => expect(await all.count()).toBe(20))
    await cleo.page.getByRole('button', { name: 'Show more' }).click()
    await eventually(async () => expect(await all.count()).toBe(40))
    await cleo.page.getByRole('button', { name: 'Clear search' }).click()
    await cleo.chatRow('Archive').waitFor()
  }, 60_000)
})

it('nobody complains of anything', () => {
  expect([ann, ben, cleo].flatMap(({ machine }) => machine.complaints)).toEqual([])
})
