/** What befalls a client: no network, a server that dies, a reload, several tabs. Nothing is lost, doubled or out of order. */
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { type ServerProcess, startProcess } from '../../faults/server-process.ts'
import { eventually, newPerson, type Person, startBrowser } from './browser.ts'

let dataDir: string
let server: ServerProcess
let browser: Browser
let ann: Person
let ben: Person
/** The same address over restarts. */
let port: string

const start = () => startProcess(dataDir, { PASSWORD_HASH: 'argon2id', PORT: port })

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'messenger-web-'))
  server = await startProcess(dataDir, { PASSWORD_HASH: 'argon2id' })
  port = new URL(server.url).port
  browser = await startBrowser()
  ann = await newPerson(browser, server.url, 'ann')
  ben = await newPerson(browser, server.url, 'ben')
  await ann.openDmWith('ben')
  await ann.say('first')
  await ben.openChat('ann')
  await ben.sees('first')
}, 90_000)
afterAll(async () => {
  await browser?.close()
  await server?.killAll()
  await rm(dataDir, { recursive: true, force: true })
})

const both = async (texts: string[]) => {
  await eventually(async () => expect(await ann.reads()).toEqual(texts), 30_000)
  await eventually(async () => expect(await ben.reads()).toEqual(texts), 30_000)
}
const ticksOf = (text: string) => ann.message(text).first().locator('.ticks').getAttribute('title')
const said = ['first']

describe('without a network', () => {
  it('what is written waits, and goes in its order when it is back', async () => {
    await ann.machine.context.setOffline(true)
    for (const text of ['offline 1', 'offline 2', 'offline 3']) {
      await ann.say(text)
      said.push(text)
    }
    await ann.sees('offline 3')
    expect(await ticksOf('offline 1')).toBe('Sending')
    await ben.say('meanwhile')
    said.splice(1, 0, 'meanwhile')
    await ben.sees('meanwhile')
    await ann.machine.context.setOffline(false)
    await both(said)
    await eventually(async () => expect(await ticksOf('offline 3')).toMatch(/Sent|Read/))
  }, 60_000)
})

describe('a server that is killed', () => {
  it('is found again, and has all that was written meanwhile', async () => {
    await server.killAll()
    await ann.page.getByText('Connecting').waitFor()
    await ann.say('written to nobody')
    said.push('written to nobody')
    server = await start()
    await both(said)
    await ben.say('there you are')
    said.push('there you are')
    await both(said)
  }, 90_000)
})

describe('a reload', () => {
  it('keeps what is not sent yet, and starts without a network', async () => {
    await eventually(async () => {
      const isControlled = await ann.page.evaluate(() => navigator.serviceWorker.controller !== null)
      if (!isControlled) await ann.page.reload()
      expect(isControlled).toBeTrue()
    })
    await ann.sees('there you are')
    await ann.machine.context.setOffline(true)
    await ann.say('before the reload')
    await ann.sees('before the reload')
    await ann.composer().fill('a draft of mine')
    await Bun.sleep(600)
    await ann.page.reload()
    // The shell, the chats, the history and the outbox are all from here.
    await ann.sees('before the reload')
    await ann.sees('there you are')
    expect(await ann.composer().inputValue()).toBe('a draft of mine')
    await ann.composer().fill('')
    await ann.machine.context.setOffline(false)
    said.push('before the reload')
    await both(said)
  }, 60_000)
})

describe('two tabs', () => {
  it('show the same, and send what either writes once', async () => {
    const second = await ann.machine.newPage()
    await second.goto(ann.page.url())
    await ann.sees('before the reload', second)
    await ann.composer(second).fill('from the second tab')
    await ann.composer(second).press('Enter')
    said.push('from the second tab')
    await both(said)
    await ann.page.bringToFront()
    await ann.say('from the first tab')
    said.push('from the first tab')
    await both(said)
    expect(await ann.reads(second)).toEqual(said)
    // The other one goes on when the first is closed.
    await ann.page.close()
    await ben.say('still there?')
    said.push('still there?')
    await eventually(async () => expect(await ann.reads(second)).toEqual(said), 30_000)
    await ann.composer(second).fill('yes')
    await ann.composer(second).press('Enter')
    await ben.sees('yes')
  }, 90_000)
})

it('complains of nothing', () => {
  expect([...ann.machine.complaints, ...ben.machine.complaints]).toEqual([])
})
