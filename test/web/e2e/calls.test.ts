/** Two people call each other, browser to browser, with a camera and a microphone that are made up. */
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
  const options = { permissions: ['camera', 'microphone'] }
  ;[ann, ben] = await Promise.all([
    newPerson(browser, server.url, 'ann', options),
    newPerson(browser, server.url, 'ben', options),
  ])
  await ann.openDmWith('ben')
}, 60_000)
afterAll(async () => {
  await browser?.close()
  await server?.stop()
})

const button = (person: Person, name: string) => person.page.getByRole('dialog').getByRole('button', { name })
const isOver = (person: Person) => eventually(async () => expect(await person.page.locator('.call').count()).toBe(0))

describe('a call', () => {
  it('rings, is answered, carries a voice, and ends for both', async () => {
    await ann.page.getByRole('button', { name: 'Voice call' }).click()
    await ben.page.getByText('Incoming voice call').waitFor()
    await ann.page.getByText('Ringing…').waitFor()
    await button(ben, 'Accept').click()
    // The time runs once the media has a way.
    for (const one of [ann, ben]) await one.page.locator('.call .num', { hasText: '0:0' }).waitFor()
    await button(ann, 'Mute microphone').click()
    await button(ann, 'Unmute microphone').click()
    await button(ben, 'Hang up').click()
    await isOver(ann)
    await isOver(ben)
    await ann.page.locator('article.message .file-name', { hasText: 'Call' }).waitFor()
  })

  it('shows a picture', async () => {
    await ann.page.getByRole('button', { name: 'Video call' }).click()
    await button(ben, 'Accept').click()
    for (const one of [ann, ben]) {
      await eventually(async () => {
        const width = await one.page.locator('video.remote').evaluate((video) => (video as HTMLVideoElement).videoWidth)
        expect(width).toBeGreaterThan(0)
      })
    }
    await button(ann, 'Make small').click()
    await ann.say('I write while we talk')
    await ann.sees('I write while we talk')
    await button(ann, 'Hang up').click()
    await isOver(ben)
  })

  it('can be declined', async () => {
    await ann.page.getByRole('button', { name: 'Voice call' }).click()
    await button(ben, 'Decline').click()
    await isOver(ann)
    await ann.page.locator('article.message .file-name', { hasText: 'Declined call' }).waitFor()
    expect([...ann.machine.complaints, ...ben.machine.complaints]).toEqual([])
  })
})
