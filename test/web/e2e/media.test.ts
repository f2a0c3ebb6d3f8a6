/** Photos, files and voice notes, from one browser to another. */
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import type { Browser } from 'playwright-core'
import sharp from 'sharp'
import { startServer, type TestServer } from '../../support/server.ts'
import { eventually, newPerson, type Person, startBrowser } from './browser.ts'

let server: TestServer
let browser: Browser
let ann: Person
let ben: Person
let photo: Buffer

beforeAll(async () => {
  server = await startServer()
  browser = await startBrowser()
  const options = { permissions: ['camera', 'microphone'] }
  ;[ann, ben] = await Promise.all([
    newPerson(browser, server.url, 'ann', options),
    newPerson(browser, server.url, 'ben', options),
  ])
  const create = { width: 1600, height: 1200, channels: 3 as const, background: '#2f7d6b' }
  photo = await sharp({ create }).jpeg().toBuffer()
  await ann.openDmWith('ben')
  await ann.say('Files are coming')
  await ben.openChat('ann')
}, 60_000)
afterAll(async () => {
  await browser?.close()
  await server?.stop()
})

const choose = (files: { name: string; mimeType: string; buffer: Buffer }[]) =>
  ann.page.locator('.composer input[type="file"]').setInputFiles(files)
const send = () => ann.page.getByRole('dialog').getByRole('button', { name: 'Send', exact: true }).click()
/** Of the pictures that have come, the widths they were made with. */
const widths = (person: Person) =>
  person.page
    .locator('article .photo img:not(.blur)')
    .evaluateAll((all) => all.map((image) => (image as HTMLImageElement).naturalWidth))

describe('photos', () => {
  it('go several at a time, with a caption, and are seen by both', async () => {
    await choose([
      { name: 'one.jpg', mimeType: 'image/jpeg', buffer: photo },
      { name: 'two.jpg', mimeType: 'image/jpeg', buffer: photo },
    ])
    await ann.page.getByLabel('Caption').fill('Two of the lake')
    await send()
    await ben.sees('Two of the lake')
    await eventually(async () => expect(await widths(ben)).toEqual([500, 500]))
    await eventually(async () => {
      expect(await ann.page.locator('.progress').count()).toBe(0)
      expect(await widths(ann)).toEqual([500, 500])
    })
  })

  it('can be looked at, one after the other, and larger', async () => {
    await ben.page.getByRole('button', { name: 'Open photo' }).first().click()
    const viewer = ben.page.locator('dialog.viewer')
    await viewer.waitFor()
    await viewer.getByRole('button', { name: 'Zoom in' }).click()
    await viewer.getByRole('button', { name: 'Next' }).click()
    await eventually(async () => expect(await viewer.getByRole('button', { name: 'Next' }).count()).toBe(0))
    await ben.page.keyboard.press('ArrowLeft')
    await viewer.getByRole('button', { name: 'Next' }).waitFor()
    await ben.page.keyboard.press('Escape')
    await eventually(async () => expect(await viewer.count()).toBe(0))
  })

  it('can be pasted', async () => {
    await ann.page.evaluate(async () => {
      const canvas = document.createElement('canvas')
      canvas.width = canvas.height = 64
      const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve))
      const clipboardData = new DataTransfer()
      if (blob) clipboardData.items.add(new File([blob], 'pasted.png', { type: 'image/png' }))
      const paste = new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true })
      document.querySelector('.composer textarea')?.dispatchEvent(paste)
    })
    await send()
    await eventually(async () => expect((await widths(ben)).length).toBe(3))
  })

  it('are as wide as their bubbles, whatever is written below', async () => {
    const long = 'A long caption, which goes on for longer than the photo is wide, and so has to wrap below it. '
    const tall = await sharp({ create: { width: 90, height: 600, channels: 3, background: '#7d4f2f' } })
      .jpeg()
      .toBuffer()
    for (const [name, buffer] of [
      ['wide', photo],
      ['tall', tall],
    ] as const) {
      await choose([{ name: `${name}.jpg`, mimeType: 'image/jpeg', buffer }])
      await ann.page.getByLabel('Caption').fill(`${name}: ${long}`)
      await send()
      const bubble = ben.page.locator('.bubble', { hasText: `${name}: ` })
      await bubble.waitFor()
      const widthOf = async (selector: string) => (await bubble.locator(selector).boundingBox())?.width ?? 0
      const width = (await bubble.boundingBox())?.width
      expect(width).toBe(name === 'wide' ? 372 : 240)
      // Padding and a line on both sides.
      expect(width).toBeCloseTo((await widthOf('.photo')) + 12, 0)
      expect(await widthOf('.bubble-text')).toBeCloseTo((await widthOf('.photo')) - 14, 0)
    }
  })
})

describe('a video', () => {
  it('is made ready by the server, and played', async () => {
    const film = ['-f', 'lavfi', '-i', 'testsrc=duration=2:size=320x240:rate=10', '-pix_fmt', 'yuv420p']
    const made = Bun.spawnSync(['ffmpeg', '-v', 'error', ...film, '-f', 'matroska', 'pipe:1'])
    await choose([{ name: 'film.mkv', mimeType: 'video/x-matroska', buffer: Buffer.from(made.stdout) }])
    await send()
    const video = ben.page.locator('article .photo video')
    await video.waitFor()
    await video.evaluate((player) => (player as HTMLVideoElement).play())
    await eventually(async () => {
      const seconds = await video.evaluate((player) => (player as HTMLVideoElement).currentTime)
      expect(seconds).toBeGreaterThan(0)
    })
  })
})

describe('files', () => {
  const name = '"><img src=x onerror=alert(1)>.html'
  it('keep their names, which are text, and are saved and not opened', async () => {
    await choose([{ name, mimeType: 'text/html', buffer: Buffer.from('<script>alert(1)</script>') }])
    await send()
    const file = ben.page.locator('a.file', { hasText: 'onerror' })
    await file.waitFor()
    const href = String(await file.getAttribute('href'))
    expect(href).toStartWith('/api/v1/media/')
    const answer = await fetch(server.url + href)
    expect(answer.headers.get('content-disposition')).toStartWith('attachment')
    expect(await answer.text()).toBe('<script>alert(1)</script>')
  })
})

describe('a voice note', () => {
  it('is recorded, sent and heard', async () => {
    await ann.page.getByRole('button', { name: 'Record a voice message' }).click()
    await ann.page.getByRole('timer').waitFor()
    await Bun.sleep(1200)
    await ann.page.getByRole('button', { name: 'Send voice message' }).click()
    const play = ben.page.getByRole('button', { name: 'Play: Voice message' })
    await play.waitFor()
    await eventually(async () => expect(await play.isEnabled()).toBeTrue())
    await play.click()
    await eventually(async () => {
      const seconds = await ben.page
        .locator('.voice audio')
        .evaluate((audio) => (audio as HTMLAudioElement).currentTime)
      expect(seconds).toBeGreaterThan(0)
    })
  })

  it('of which nothing is sent when it is discarded', async () => {
    const before = await ann.page.locator('article.message').count()
    await ann.page.getByRole('button', { name: 'Record a voice message' }).click()
    await ann.page.getByRole('button', { name: 'Discard recording' }).click()
    await ann.composer().waitFor()
    expect(await ann.page.locator('article.message').count()).toBe(before)
  })
})

describe('what is heard', () => {
  it('is one thing at a time, from where one points to', async () => {
    await ann.page.getByRole('button', { name: 'Record a voice message' }).click()
    await ann.page.getByRole('timer').waitFor()
    await Bun.sleep(3000)
    await ann.page.getByRole('button', { name: 'Send voice message' }).click()
    const notes = ben.page.locator('.voice')
    await eventually(async () => expect(await notes.count()).toBe(2))
    const toggle = (index: number) => notes.nth(index).getByRole('button')
    await eventually(async () => expect(await toggle(1).isEnabled()).toBeTrue())
    const playing = () =>
      ben.page.locator('.voice audio').evaluateAll((all) => all.map((audio) => !(audio as HTMLAudioElement).paused))
    await toggle(1).click()
    await eventually(async () => expect(await playing()).toEqual([false, true]))
    await toggle(0).click()
    await eventually(async () => expect((await playing())[1]).toBeFalse())
    // By keys, too.
    const position = notes.nth(1).getByRole('slider', { name: 'Position' })
    await position.focus()
    await ben.page.keyboard.press('End')
    await eventually(async () => {
      const at = await notes
        .nth(1)
        .locator('audio')
        .evaluate((audio) => (audio as HTMLAudioElement).currentTime)
      expect(at).toBeGreaterThan(2)
    })
  })

  it('is not recorded any more when one leaves the conversation', async () => {
    const before = await ann.page.locator('article.message').count()
    await ann.page.getByRole('button', { name: 'Record a voice message' }).click()
    await ann.page.getByRole('timer').waitFor()
    await ann.page.goto('/#/')
    await ann.openChat('ben')
    await ann.composer().waitFor()
    await eventually(async () => expect(await ann.page.locator('article.message').count()).toBe(before))
    expect(await ann.page.locator('.recording').count()).toBe(0)
  })
})

it('nobody complains of anything', () => {
  expect([...ann.machine.complaints, ...ben.machine.complaints]).toEqual([])
})
