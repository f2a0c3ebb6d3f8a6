/** Cutting a square out of a photo: for oneself, a group, a channel; by hand, wheel, fingers and keys. */
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import type { Browser, Page } from 'playwright-core'
import sharp from 'sharp'
import { startServer, type TestServer } from '../../support/server.ts'
import { listFaults } from './axe.ts'
import { eventually, newPerson, type Person, startBrowser } from './browser.ts'

let server: TestServer
let browser: Browser
let ann: Person
let ben: Person
let photo: Buffer

const RED = [200, 30, 30]
const GREEN = [30, 160, 60]
const BLUE = [30, 60, 200]

/** A third red, a third green, a third blue, from left to right. */
async function drawStripes(width: number, height: number): Promise<Buffer> {
  const stripe = { width: Math.round(width / 3), height, channels: 3 as const }
  const [green, blue] = await Promise.all(
    [GREEN, BLUE].map(([r, g, b]) =>
      sharp({ create: { ...stripe, background: { r, g, b } } })
        .png()
        .toBuffer(),
    ),
  )
  const [r, g, b] = RED
  return sharp({ create: { width, height, channels: 3, background: { r, g, b } } })
    .composite([
      { input: green, left: stripe.width, top: 0 },
      { input: blue, left: 2 * stripe.width, top: 0 },
    ])
    .jpeg({ quality: 95 })
    .toBuffer()
}

beforeAll(async () => {
  server = await startServer()
  browser = await startBrowser()
  ;[ann, ben] = await Promise.all([newPerson(browser, server.url, 'ann'), newPerson(browser, server.url, 'ben')])
  photo = await drawStripes(1500, 500)
}, 60_000)
afterAll(async () => {
  await browser?.close()
  await server?.stop()
})

const stageOf = (page: Page) => page.getByRole('application', { name: 'Photo' })
const use = (page: Page) => page.getByRole('button', { name: 'Use photo' })
const isClosed = (page: Page) => eventually(async () => expect(await page.getByRole('dialog').count()).toBe(0))

/** What is seen in the middle of the stage. */
const drawnMiddle = (page: Page) =>
  page.locator('.crop-stage canvas').evaluate((element) => {
    const canvas = element as HTMLCanvasElement
    const middle = canvas.getContext('2d')?.getImageData(canvas.width >> 1, canvas.height >> 1, 1, 1).data
    return [...(middle ?? [])].slice(0, 3)
  })

async function choose(page: Page, pane: 'side' | 'info', buffer: Buffer, mimeType = 'image/jpeg'): Promise<void> {
  const asked = page.waitForEvent('filechooser')
  await page.locator(`.pane.${pane} button`, { hasText: /^(Add|Change) photo$/ }).click()
  await (await asked).setFiles({ name: `me.${mimeType.split('/')[1]}`, mimeType, buffer })
}

/** What became of it: the picture that everybody sees, at the left, in the middle, at the right. */
async function coloursAt(url: unknown): Promise<{ width: number; height: number; at: number[][] }> {
  const answer = await fetch(new URL(new URL(String(url), server.url).pathname, server.url))
  const { data, info } = await sharp(Buffer.from(await answer.arrayBuffer()))
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true })
  const at = [0.02, 0.5, 0.98].map((share) => {
    const pixel = Math.floor(info.height / 2) * info.width + Math.floor(share * info.width)
    return [...data.subarray(pixel * 3, pixel * 3 + 3)]
  })
  return { width: info.width, height: info.height, at }
}
const near = (colour: number[] | undefined, wanted: number[]) =>
  expect(wanted.every((value, index) => Math.abs(value - (colour?.[index] ?? -99)) < 24)).toBeTrue()

describe('my own picture', () => {
  const mine = async () => (await ann.api('GET', '/users/me')).avatar_url

  it('is cut with the keyboard, and told in words', async () => {
    const { page } = ann
    await page.goto('/#/settings/profile')
    const loaded = () => page.evaluate(() => performance.getEntriesByType('resource').map(({ name }) => name))
    await page.getByRole('button', { name: 'Add photo' }).waitFor()
    const before = await loaded()
    await choose(page, 'side', photo)
    await stageOf(page).waitFor()
    // The part that cuts comes only now.
    expect((await loaded()).filter((name) => !before.includes(name) && name.endsWith('.js')).length).toBeGreaterThan(0)
    expect(await page.evaluate(() => document.activeElement?.getAttribute('role'))).toBe('application')
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme })
      expect(await listFaults(page)).toEqual([])
    }
    await eventually(async () => near(await drawnMiddle(page), GREEN))
    await page.keyboard.press('+')
    // Further than the edge is nowhere.
    for (let presses = 0; presses < 60; presses++) await page.keyboard.press('ArrowRight')
    await eventually(async () => near(await drawnMiddle(page), RED))
    await eventually(async () => {
      expect(await page.getByRole('dialog').getByRole('status').textContent()).toBe('0 % across, 50 % down, zoom 115 %')
    })
    expect(await page.getByRole('slider', { name: 'Zoom' }).getAttribute('aria-valuetext')).toBe('115 %')
    const isUseFocused = () => use(page).evaluate((button) => button === document.activeElement)
    for (let presses = 0; presses < 8 && !(await isUseFocused()); presses++) await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await isClosed(page)
    await page.getByRole('button', { name: 'Remove photo' }).waitFor()
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Change photo')
    const { width, height, at } = await coloursAt(await mine())
    expect(width).toBe(height)
    for (const colour of at) near(colour, RED)
  })

  it('travels no larger than it will be kept', async () => {
    const { page } = ann
    let bytes = 0
    page.on('request', (request) => {
      if (request.method() === 'PATCH') bytes = request.postData()?.length ?? 0
    })
    const noise = Buffer.alloc(3000 * 2000 * 3)
    for (let i = 0; i < noise.length; i++) noise[i] = (i * 7919) % 251
    const large = await sharp(noise, { raw: { width: 3000, height: 2000, channels: 3 } })
      .png()
      .toBuffer()
    await choose(page, 'side', large, 'image/png')
    await use(page).click()
    await isClosed(page)
    expect(bytes).toBeWithin(1000, 500_000)
    expect((await coloursAt(await mine())).width).toBe(512)
  })

  it('is white where the picture was transparent', async () => {
    const { page } = ann
    const create = { width: 300, height: 300, channels: 4 as const, background: { r: 0, g: 0, b: 0, alpha: 0 } }
    await choose(page, 'side', await sharp({ create }).png().toBuffer(), 'image/png')
    await use(page).click()
    await isClosed(page)
    for (const colour of (await coloursAt(await mine())).at) near(colour, [255, 255, 255])
  })

  it('stays as it is when one thinks better of it, or chooses no picture', async () => {
    const { page } = ann
    const before = await mine()
    await choose(page, 'side', photo)
    await stageOf(page).waitFor()
    await page.keyboard.press('Escape')
    await isClosed(page)
    await choose(page, 'side', Buffer.from('no picture at all'))
    await page.getByText('me.jpeg is not a picture this browser can open.').waitFor()
    expect(await page.getByRole('dialog').count()).toBe(0)
    expect(await mine()).toBe(before)
  })

  it('is not lost when there is no network: one tries again', async () => {
    const { page, machine } = ann
    await choose(page, 'side', photo)
    await stageOf(page).waitFor()
    await machine.context.setOffline(true)
    await use(page).click()
    await page.getByText('No connection.').waitFor()
    await machine.context.setOffline(false)
    await use(page).click()
    await isClosed(page)
    near((await coloursAt(await mine())).at[1], GREEN)
  })
})

describe('the picture of a group', () => {
  it('is dragged into place, and zoomed by the wheel', async () => {
    const { page } = ann
    const { id } = await ann.api('POST', '/chats', { name: 'Walkers', type: 'group', member_ids: [await ben.userId()] })
    await page.goto(`/#/?chat=${id}&info`)
    await page.getByRole('button', { name: 'Add photo' }).waitFor()
    await choose(page, 'info', photo)
    const box = await stageOf(page).boundingBox()
    if (!box) throw new Error('Nothing is shown')
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2]
    await page.mouse.move(x, y)
    await page.mouse.down()
    // Out of the square and back in: the hand holds it all the while.
    await page.mouse.move(x - box.width, y + box.height, { steps: 6 })
    await page.mouse.up()
    await page.mouse.move(x, y)
    await page.mouse.wheel(0, -300)
    const zoom = page.getByRole('slider', { name: 'Zoom' })
    await eventually(async () => expect(Number(await zoom.inputValue())).toBeGreaterThan(1.3))
    expect(await page.getByRole('dialog').count()).toBe(1)
    await use(page).click()
    await isClosed(page)
    for (const colour of (await coloursAt((await ann.api('GET', `/chats/${id}`)).avatar_url)).at) near(colour, BLUE)
    // Everybody in it sees it.
    await ben.chatRow('Walkers').locator('.avatar img').waitFor()
  })
})

describe('the picture of a channel', () => {
  it('is zoomed by two fingers, and by the slider', async () => {
    const { id } = await ann.api('POST', '/channels', { name: 'Tides' })
    const { page } = ann
    await page.goto(`/#/?chat=${id}&info`)
    await page.getByRole('button', { name: 'Add photo' }).waitFor()
    await choose(page, 'info', photo)
    const box = await stageOf(page).boundingBox()
    if (!box) throw new Error('Nothing is shown')
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2]
    const devtools = await page.context().newCDPSession(page)
    const touch = (type: 'touchStart' | 'touchMove' | 'touchEnd', apart: number) =>
      devtools.send('Input.dispatchTouchEvent', {
        type,
        touchPoints: type === 'touchEnd' ? [] : [-1, 1].map((side, id) => ({ x: x + (side * apart) / 2, y, id })),
      })
    await touch('touchStart', 40)
    for (let apart = 50; apart <= 120; apart += 10) await touch('touchMove', apart)
    await touch('touchEnd', 0)
    const zoom = page.getByRole('slider', { name: 'Zoom' })
    // Three times as far apart: three times as near.
    await eventually(async () => expect(Number(await zoom.inputValue())).toBeCloseTo(3, 1))
    await zoom.focus()
    await page.keyboard.press('Home')
    expect(await zoom.inputValue()).toBe('1')
    await page.getByRole('button', { name: 'Zoom in' }).click()
    expect(Number(await zoom.inputValue())).toBeGreaterThan(1)
    await use(page).click()
    await isClosed(page)
    for (const colour of (await coloursAt((await ann.api('GET', `/chats/${id}`)).avatar_url)).at) near(colour, GREEN)
  })
})

it('nobody complains of anything', () => {
  expect([...ann.machine.complaints, ...ben.machine.complaints]).toEqual([])
})
