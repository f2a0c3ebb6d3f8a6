/** Files on their way: dropped, pasted, several at once, taken back, cut off, reloaded. Each arrives once or not at all. */
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, CDPSession } from 'playwright-core'
import sharp from 'sharp'
import { startServer, type TestServer } from '../../support/server.ts'
import { eventually, newPerson, type Person, startBrowser } from './browser.ts'

let server: TestServer
let browser: Browser
let ann: Person
let ben: Person
let folder: string
let devtools: CDPSession
let dm: string

/** Of noise, which no coding makes smaller. */
async function makePhoto(name: string, side: number): Promise<string> {
  const noise = crypto.getRandomValues(new Uint8Array(side * side * 3).subarray(0, 65_536))
  const pixels = Buffer.alloc(side * side * 3, noise)
  const path = join(folder, name)
  await sharp(pixels, { raw: { width: side, height: side, channels: 3 } })
    .jpeg({ quality: 100 })
    .toFile(path)
  return path
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'messenger-photos-'))
  server = await startServer()
  browser = await startBrowser()
  ;[ann, ben] = await Promise.all([newPerson(browser, server.url, 'ann'), newPerson(browser, server.url, 'ben')])
  await ann.openDmWith('ben')
  await ann.say('Files are coming')
  await ben.openChat('ann')
  await ben.sees('Files are coming')
  dm = new URL(ann.page.url()).hash.split('chat=')[1] ?? ''
  devtools = await ann.page.context().newCDPSession(ann.page)
}, 60_000)
afterAll(async () => {
  await browser?.close()
  await server?.stop()
  await rm(folder, { recursive: true, force: true })
})

/** As a hand does it: real files, from outside the browser. */
async function drag(type: 'dragEnter' | 'dragOver' | 'drop' | 'dragCancel', files: string[]): Promise<void> {
  const data = { items: [], files, dragOperationsMask: 1 }
  await devtools.send('Input.dispatchDragEvent', { type, x: 700, y: 400, data })
}
const dialog = () => ann.page.getByRole('dialog')
const captionsOf = (person: Person) => person.reads()
const photosOf = (person: Person) => person.page.locator('article .photo img:not(.blur)')
const storedCount = async () => Number((await ann.api('GET', `/chats/${dm}/messages?limit=1`)).total)
const slowDown = (bytesPerSecond: number) =>
  devtools.send('Network.emulateNetworkConditions', {
    offline: false,
    latency: 0,
    downloadThroughput: -1,
    uploadThroughput: bytesPerSecond,
  })
const choose = (path: string) => ann.page.locator('.composer input[type="file"]').setInputFiles(path)

describe('photos that are dropped', () => {
  it('are shown before they are sent, and go in their order with the words of the first', async () => {
    const files = await Promise.all(['one.jpg', 'two.jpg', 'three.jpg'].map((name) => makePhoto(name, 200)))
    await drag('dragEnter', files)
    await drag('dragOver', files)
    await ann.page.getByText('Drop to send').waitFor()
    await drag('dragCancel', files)
    await eventually(async () => expect(await ann.page.getByText('Drop to send').count()).toBe(0))
    await drag('dragEnter', files)
    await drag('dragOver', files)
    await drag('drop', files)
    await dialog().getByText('Send 3 files').waitFor()
    expect(await dialog().locator('.picked img').count()).toBe(3)
    await dialog().getByRole('button', { name: 'Remove two.jpg' }).click()
    await dialog().getByText('Send 2 files').waitFor()
    // One types at once, and Enter sends.
    await ann.page.getByLabel('Caption').fill('From the hill')
    await ann.page.getByLabel('Caption').press('Enter')
    await ben.sees('From the hill')
    await eventually(async () => expect(await photosOf(ben).count()).toBe(2))
    expect(await storedCount()).toBe(3)
  })

  it('go nowhere where one may not write, and never take the place of the page', async () => {
    const { id } = await ben.api('POST', '/channels', { name: 'Tides' })
    await ann.api('POST', `/channels/${id}/subscribe`)
    await ann.page.goto(`/#/?chat=${id}`)
    await ann.page.getByText('Only the owner and admins post here.').waitFor()
    const files = [await makePhoto('four.jpg', 100)]
    for (const type of ['dragEnter', 'dragOver', 'drop'] as const) await drag(type, files)
    await Bun.sleep(300)
    expect(await dialog().count()).toBe(0)
    expect(ann.page.url()).toContain(String(id))
    await ann.page.goto(`/#/?chat=${dm}`)
    await ann.composer().waitFor()
  })
})

describe('photos that are pasted', () => {
  it('go several at a time; ten are the most', async () => {
    const before = await photosOf(ben).count()
    const paste = (count: number) =>
      ann.page.evaluate(async (n) => {
        const clipboardData = new DataTransfer()
        for (let i = 0; i < n; i++) {
          const canvas = document.createElement('canvas')
          canvas.width = canvas.height = 40 + i
          const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve))
          if (blob) clipboardData.items.add(new File([blob], `pasted ${i}.png`, { type: 'image/png' }))
        }
        const event = new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true })
        document.querySelector('.composer textarea')?.dispatchEvent(event)
      }, count)
    await paste(12)
    await ann.page.getByText('10 files at a time: the rest was left out.').waitFor()
    expect(await dialog().locator('.picked li').count()).toBe(10)
    await dialog().getByRole('button', { name: 'Cancel' }).click()
    await paste(2)
    await dialog().getByText('Send 2 files').waitFor()
    await dialog().getByRole('button', { name: 'Send', exact: true }).click()
    await eventually(async () => expect(await photosOf(ben).count()).toBe(before + 2))
  })
})

describe('an upload', () => {
  it('tells how far it is, lets text go by, and can be taken back', async () => {
    const large = join(folder, 'large.bin')
    await Bun.write(large, crypto.getRandomValues(new Uint8Array(65_536)).toBase64().repeat(30))
    const before = await storedCount()
    await slowDown(300_000)
    await choose(large)
    await dialog().getByRole('button', { name: 'Send', exact: true }).click()
    const ring = ann.page.getByRole('button', { name: /Uploading: [1-9]/ })
    await ring.waitFor()
    await ann.say('It takes a while')
    await ben.sees('It takes a while')
    await ring.click()
    await eventually(async () => expect(await ann.page.locator('.progress').count()).toBe(0))
    await slowDown(-1)
    await ann.say('I took it back')
    await ben.sees('I took it back')
    expect(await storedCount()).toBe(before + 2)
    expect(await ben.page.getByText('large.bin').count()).toBe(0)
    expect(await ann.page.getByText('large.bin').count()).toBe(0)
    // Gone for good, not only from sight.
    await ann.page.reload()
    await ann.sees('I took it back')
    expect(await storedCount()).toBe(before + 2)
  }, 60_000)

  it('arrives once, though the network is cut and the page reloaded', async () => {
    const path = join(folder, 'notes.bin')
    await Bun.write(path, crypto.getRandomValues(new Uint8Array(65_536)).toBase64().repeat(20))
    await slowDown(300_000)
    await choose(path)
    await ann.page.getByLabel('Caption').fill('My notes')
    await dialog().getByRole('button', { name: 'Send', exact: true }).click()
    await ann.page.getByRole('button', { name: /Uploading: [1-9]/ }).waitFor()
    await ann.machine.context.setOffline(true)
    await Bun.sleep(300)
    await ann.machine.context.setOffline(false)
    await ann.page.locator('.progress').waitFor()
    await ann.page.reload()
    await ben.sees('My notes')
    await eventually(async () => expect(await ann.page.locator('.progress').count()).toBe(0))
    for (const person of [ann, ben])
      expect((await captionsOf(person)).filter((text) => text === 'My notes')).toEqual(['My notes'])
  }, 60_000)

  it('is not begun of nothing, of too much, or of a folder', async () => {
    const path = join(folder, 'empty.txt')
    await Bun.write(path, '')
    await choose(path)
    await ann.page.getByText('empty.txt is empty.').waitFor()
    const large = join(folder, 'film.bin')
    await writeFile(large, '')
    await truncate(large, 51 * 1024 ** 2)
    await choose(large)
    await ann.page.getByText('film.bin is larger than 52 MB.').waitFor()
    for (const type of ['dragEnter', 'dragOver', 'drop'] as const) await drag(type, [folder])
    await ann.page.getByText('Folders cannot be sent').waitFor()
    expect(await dialog().count()).toBe(0)
  })
})

describe('a file', () => {
  it('is written of in the list and in answers by its name', async () => {
    const path = join(folder, 'A plan for Saturday.pdf')
    await Bun.write(path, '%PDF-1.4 nothing much')
    await choose(path)
    await dialog().getByRole('button', { name: 'Send', exact: true }).click()
    const file = ben.page.locator('a.file', { hasText: 'A plan for Saturday.pdf' })
    await file.waitFor()
    await ann.chatRow('ben').getByText('A plan for Saturday.pdf').waitFor()
    await file.click({ button: 'right', trial: true })
    await ben.page.locator('article.message', { has: file }).click({ button: 'right', position: { x: 3, y: 3 } })
    await ben.page.getByRole('menuitem', { name: 'Reply' }).click()
    await ben.page.locator('.composer-context', { hasText: 'A plan for Saturday.pdf' }).waitFor()
    await ben.say('Good plan')
    await ann.sees('Good plan')
    expect(await ann.message('Good plan').locator('.quote').textContent()).toContain('A plan for Saturday.pdf')
    // Saved under its own name.
    const [download] = await Promise.all([ben.page.waitForEvent('download'), file.click()])
    expect(download.suggestedFilename()).toBe('A plan for Saturday.pdf')
    expect(await Bun.file(await download.path()).text()).toBe('%PDF-1.4 nothing much')
  })
})

it('nobody complains of anything', () => {
  expect([...ann.machine.complaints, ...ben.machine.complaints]).toEqual([])
})
