/** Two people call each other, browser to browser, with a camera and a microphone that are made up. */
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import type { Browser } from 'playwright-core'
import { startServer, type TestServer } from '../../support/server.ts'
import { eventually, newMachine, newPerson, type Person, startBrowser } from './browser.ts'

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

  it('rings in every tab, and is silent in the others once one has answered', async () => {
    const second = await ben.machine.newPage()
    await second.goto('/#/')
    await ben.isIn(second)
    const tabs = [ben.page, second]
    // The tab that has the socket answers, and then the one that has not.
    for (const answering of tabs) {
      const others = tabs.filter((tab) => tab !== answering)
      await ann.page.getByRole('button', { name: 'Voice call' }).click()
      for (const tab of tabs) await tab.getByText('Incoming voice call').waitFor()
      await answering.getByRole('dialog').getByRole('button', { name: 'Accept' }).click()
      for (const tab of others) await eventually(async () => expect(await tab.locator('.call').count()).toBe(0))
      for (const tab of [ann.page, answering]) await tab.locator('.call .num', { hasText: '0:0' }).waitFor()
      // Whoever looks at the other tab meanwhile takes nothing away from the call.
      for (const tab of others) {
        await tab.bringToFront()
        await ben.isIn(tab)
      }
      await Bun.sleep(1500)
      expect(await answering.locator('.call .num').count()).toBe(1)
      await answering.getByRole('dialog').getByRole('button', { name: 'Mute microphone' }).click()
      await button(ann, 'Hang up').click()
      for (const tab of tabs) await eventually(async () => expect(await tab.locator('.call').count()).toBe(0))
      await isOver(ann)
    }
    // Declined in one is declined in all.
    await ann.page.getByRole('button', { name: 'Voice call' }).click()
    for (const tab of tabs) await tab.getByText('Incoming voice call').waitFor()
    await second.getByRole('dialog').getByRole('button', { name: 'Decline' }).click()
    for (const tab of tabs) await eventually(async () => expect(await tab.locator('.call').count()).toBe(0))
    await isOver(ann)
    await second.close()
    await ben.page.bringToFront()
    await ben.isIn()
  }, 60_000)

  it('rings on every device of mine, and is answered on one', async () => {
    const phone = await newMachine(browser, server.url, { permissions: ['camera', 'microphone'] })
    const page = await phone.newPage()
    await ben.signIn(page)
    await ann.page.getByRole('button', { name: 'Voice call' }).click()
    for (const device of [ben.page, page]) await device.getByText('Incoming voice call').waitFor()
    await page.getByRole('dialog').getByRole('button', { name: 'Accept' }).click()
    await isOver(ben)
    await page.locator('.call .num', { hasText: '0:0' }).waitFor()
    await button(ann, 'Hang up').click()
    await eventually(async () => expect(await page.locator('.call').count()).toBe(0))
    expect(phone.complaints).toEqual([])
    await phone.context.close()
  })

  it('lets other devices be chosen in its midst', async () => {
    await ann.page.getByRole('button', { name: 'Video call' }).click()
    await button(ben, 'Accept').click()
    await ann.page.locator('.call .num').waitFor()
    await button(ann, 'Devices').click()
    const choices = ann.page.getByRole('menuitem', { name: /fake/i })
    await eventually(async () => expect(await choices.count()).toBeGreaterThan(1))
    await choices.last().click()
    await button(ann, 'Turn camera off').click()
    await button(ann, 'Turn camera on').click()
    await eventually(async () => {
      const time = await ben.page.locator('video.remote').evaluate((video) => (video as HTMLVideoElement).currentTime)
      expect(time).toBeGreaterThan(0)
    })
    await button(ann, 'Hang up').click()
    await isOver(ben)
  })

  it('can be declined', async () => {
    await ann.page.getByRole('button', { name: 'Voice call' }).click()
    await button(ben, 'Decline').click()
    await isOver(ann)
    await ann.page.locator('article.message .file-name', { hasText: 'Declined call' }).last().waitFor()
    expect([...ann.machine.complaints, ...ben.machine.complaints]).toEqual([])
  })
})
