/** A real Chromium without a window, whose camera and microphone are made up. Nothing of it outlives the tests. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BrowserContext, chromium } from 'playwright-core'

const FLAGS = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-dev-shm-usage'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
  ...['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'],
]

export interface TestBrowser {
  context: BrowserContext
  stop(): Promise<void>
}

export async function startChromium(): Promise<TestBrowser> {
  const executablePath = Bun.which('chromium') ?? undefined
  if (!executablePath) throw new Error('chromium is not installed: `npm test` installs it')
  const directory = await mkdtemp(join(tmpdir(), 'messenger-chromium-'))
  const context = await chromium.launchPersistentContext(directory, { executablePath, headless: true, args: FLAGS })
  return {
    context,
    async stop() {
      await context.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
}
