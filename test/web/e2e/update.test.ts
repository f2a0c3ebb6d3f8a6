/** Another version of the client: it is offered, never forced, and breaks no page that is open. */
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { cp, mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import sharp from 'sharp'
import { follow, type Running } from '../../commands/process.ts'
import { eventually, newPerson, type Person, startBrowser } from './browser.ts'

const ROOT = join(import.meta.dir, '../../..')
const OLD = 'People, chats, messages'
const NEW = 'People, chats, words'

let folder: string
let running: Running
let browser: Browser
let ann: Person
let port = '0'

/** A server of the sources in `root`, always on the same port. */
async function start(root: string): Promise<string> {
  const child = Bun.spawn([process.execPath, join(root, 'src/main.ts')], {
    cwd: root,
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
    env: {
      ...{ PATH: process.env.PATH, HOME: process.env.HOME, HOST: '127.0.0.1', PORT: port },
      ...{ DATA_DIR: join(folder, 'data'), RATE_LIMITS: 'off', PASSWORD_HASH: 'argon2id' },
    },
  })
  running = follow(child)
  const url = (await running.ready).replace('localhost', '127.0.0.1')
  port = new URL(url).port
  return url
}
async function stop(): Promise<void> {
  running.process.kill('SIGTERM')
  await running.finished
}

/** The next version: one word of it is another, and so are the names of its files. */
async function makeNext(): Promise<string> {
  const next = join(folder, 'next')
  for (const part of ['src', 'deploy', 'drizzle']) await cp(join(ROOT, part), join(next, part), { recursive: true })
  for (const part of ['package.json', 'tsconfig.json', 'bun.lock']) await cp(join(ROOT, part), join(next, part))
  await symlink(join(ROOT, 'node_modules'), join(next, 'node_modules'))
  const texts = join(next, 'src/web/i18n/en.ts')
  await Bun.write(texts, (await Bun.file(texts).text()).replace(OLD, NEW))
  return next
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'messenger-update-'))
  browser = await startBrowser()
  ann = await newPerson(browser, await start(ROOT), 'ann')
}, 90_000)
afterAll(async () => {
  await browser?.close()
  await stop()
  await rm(folder, { recursive: true, force: true })
})

const search = (page: Page) => page.getByRole('searchbox').first().getAttribute('placeholder')
const lookForUpdate = (page: Page) =>
  page.evaluate(async () => {
    await (await navigator.serviceWorker.getRegistration())?.update()
  })
const isControlled = (page: Page) => page.evaluate(() => navigator.serviceWorker.controller !== null)
const OFFER = 'A new version is ready.'

describe('a new version', () => {
  it('is offered to the pages of the old one, which go on as they are', async () => {
    const { page } = ann
    const second = await ann.machine.newPage()
    await second.goto('/#/settings/profile')
    await second.getByRole('button', { name: 'Add photo' }).waitFor()
    for (const one of [page, second]) await eventually(async () => expect(await isControlled(one)).toBeTrue())
    expect(await page.getByText(OFFER).count()).toBe(0)

    await stop()
    await start(await makeNext())
    await lookForUpdate(page)
    for (const one of [page, second]) await one.getByText(OFFER).waitFor()
    expect(await search(page)).toBe(OLD)
    // It may be put away, and the page goes on; a reload is of the old version still, and offers it again.
    await page.getByRole('status').getByRole('button', { name: 'Close' }).click()
    await eventually(async () => expect(await page.getByText(OFFER).count()).toBe(0))
    await page.reload()
    expect(await search(page)).toBe(OLD)
    await page.getByText(OFFER).waitFor()

    await page.getByRole('button', { name: 'Reload' }).click()
    await eventually(async () => expect(await search(page)).toBe(NEW))
    await ann.isIn(page)
    expect(await page.getByText(OFFER).count()).toBe(0)

    // The other page was not reloaded, and loads parts that the server does not have any more.
    const photo = await sharp({ create: { width: 300, height: 200, channels: 3, background: '#2f7d6b' } })
      .png()
      .toBuffer()
    await second.locator('.pane.side input[type="file"]').setInputFiles({
      name: 'me.png',
      mimeType: 'image/png',
      buffer: photo,
    })
    await second.getByRole('button', { name: 'Use photo' }).click()
    await second.getByRole('button', { name: 'Remove photo' }).waitFor()
    await second.getByRole('button', { name: 'Reload' }).click()
    await second.goto('/#/')
    await eventually(async () => expect(await search(second)).toBe(NEW))
    expect(ann.machine.complaints).toEqual([])
  }, 90_000)

  it('starts without a network, too', async () => {
    const { page, machine } = ann
    await machine.context.setOffline(true)
    await page.reload()
    await ann.isIn(page)
    expect(await search(page)).toBe(NEW)
    await machine.context.setOffline(false)
  })
})
