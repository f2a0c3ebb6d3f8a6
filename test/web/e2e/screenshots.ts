/**
 * The pictures of the README: `npm run screenshots` seeds the demo, signs in and writes deploy/screenshots/. Look at them
 * before they are committed.
 */
import { mkdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import sharp from 'sharp'
import { makeDataDir, run, start } from '../../commands/process.ts'
import { eventually, newMachine, startBrowser } from './browser.ts'

const FOLDER = join(import.meta.dir, '../../../deploy/screenshots')
/** In a repository for ever. */
const MAX_BYTES = 250_000
const PASSWORD = 'Harbour-Lane-12'
const TIME_ZONE = 'Europe/Berlin'

interface Shot {
  name: string
  width: number
  height: number
  theme: 'light' | 'dark'
  /** The name of a chat; none for the list alone. */
  chat?: string
  /** To look at another place than the newest message: a text that is to be at the bottom. */
  upTo?: string
}

const SHOTS: Shot[] = [
  {
    name: 'conversation-light',
    width: 1440,
    height: 900,
    theme: 'light',
    chat: 'Saturday Walkers',
    upTo: 'Nobody spoke, not even Theo',
  },
  { name: 'group-dark', width: 1440, height: 900, theme: 'dark', chat: 'Harbour Lane 12', upTo: 'He is home' },
  { name: 'phone-chats', width: 360, height: 740, theme: 'light' },
  {
    name: 'phone-conversation',
    width: 360,
    height: 740,
    theme: 'dark',
    chat: 'Kitchen Choir',
    upTo: 'I said once',
  },
  { name: 'phone-arabic', width: 360, height: 740, theme: 'light', chat: 'Yusuf', upTo: 'أول خبز اليوم' },
]

async function take(browser: Browser, url: string, shot: Shot): Promise<void> {
  const { width, height, theme } = shot
  const options = { viewport: { width, height }, colorScheme: theme, deviceScaleFactor: 2, timezoneId: TIME_ZONE }
  const { context, newPage, complaints } = await newMachine(browser, url, options)
  const page = await newPage()
  await page.goto('/')
  await page.getByLabel('Phone or e-mail').fill('nora@example.com')
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.locator('.chat-list .row').first().waitFor()
  if (shot.chat !== undefined) await open(page, shot.chat, shot.upTo)
  await settle(page)
  await keep(shot.name, await page.screenshot())
  if (complaints.length > 0) throw new Error(`The page complains: ${complaints.join('\n')}`)
  await context.close()
}

async function open(page: Page, chat: string, upTo: string | undefined): Promise<void> {
  await page.locator('.chat-list .row', { has: page.locator('.row-name', { hasText: chat }) }).click()
  await page.locator('article.message').first().waitFor()
  if (upTo === undefined) return
  const message = page.locator('article.message', { hasText: upTo }).first()
  for (let tries = 0; tries < 40 && !(await message.isVisible()); tries++) {
    await page.mouse.move(page.viewportSize()?.width ?? 0, 400)
    await page.locator('.history').hover()
    await page.mouse.wheel(0, -500)
    await page.waitForTimeout(100)
  }
  const toBottom = () => message.evaluate((element) => element.scrollIntoView({ block: 'end' }))
  await toBottom()
  // On a phone it takes a bar of the room.
  await page.locator('.to-newest').waitFor()
  await toBottom()
}

/** Every picture is there, and nothing moves. */
async function settle(page: Page): Promise<void> {
  await page.mouse.move(0, 0)
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur())
  await page.waitForLoadState('networkidle')
  await eventually(async () => {
    const missing = await page.evaluate(() => {
      const isSeen = ({ top, bottom }: DOMRect) => bottom > 0 && top < window.innerHeight
      const seen = [...document.images].filter((image) => isSeen(image.getBoundingClientRect()))
      return seen.filter(({ complete, naturalWidth }) => !complete || naturalWidth === 0).length
    })
    if (missing > 0) throw new Error(`${missing} pictures are not there`)
  })
  await page.waitForTimeout(500)
}

async function keep(name: string, png: Buffer): Promise<void> {
  const path = join(FOLDER, `${name}.webp`)
  await sharp(png).webp({ quality: 82, smartSubsample: true, effort: 6 }).toFile(path)
  const { size } = await stat(path)
  process.stdout.write(`${path}: ${Math.round(size / 1000)} KB\n`)
  if (size > MAX_BYTES) throw new Error(`${path} is larger than ${MAX_BYTES / 1000} KB`)
}

const dataDir = await makeDataDir()
const settings = { DATA_DIR: dataDir.path, TZ: TIME_ZONE, RATE_LIMITS: 'off' }
const seeded = await run(['seed-demo', '--password-stdin'], settings, PASSWORD)
if (seeded.code !== 0) throw new Error(seeded.err)
const server = start(settings)
const browser = await startBrowser()
try {
  const url = await server.ready
  await mkdir(FOLDER, { recursive: true })
  const wanted = process.argv.slice(2)
  const shots = SHOTS.filter(({ name }) => wanted.length === 0 || wanted.includes(name))
  for (const shot of shots) await take(browser, url.replace('localhost', '127.0.0.1'), shot)
} finally {
  await browser.close()
  server.process.kill('SIGTERM')
  await server.finished
  await dataDir.remove()
}
