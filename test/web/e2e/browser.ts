/**
 * A real Chromium with people in it: each has a browser context of their own, as on a machine of their own. Whatever a page
 * complains of (an exception, a breach of its content security policy) is gathered, and is to be nothing.
 */
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { PASSWORD } from '../../support/server.ts'

const CHROMIUM = '/usr/bin/chromium'
/** What a page may wait for, on a machine that is busy with other things too. */
const PATIENCE_MS = Number(process.env.PATIENCE_MS ?? 15_000)

export async function startBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: CHROMIUM,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--use-fake-device-for-media-stream',
      '--use-fake-ui-for-media-stream',
    ],
  })
}

/** What Chromium itself says of requests that fail: the tests make them fail. */
const EXPECTED = /^Failed to load resource|net::ERR_|WebSocket connection to/

export interface Machine {
  context: BrowserContext
  /** What went wrong in its pages. */
  complaints: string[]
  newPage(): Promise<Page>
}

export async function newMachine(
  browser: Browser,
  baseURL: string,
  options: BrowserContextOptions = {},
): Promise<Machine> {
  const context = await browser.newContext({
    baseURL,
    locale: 'en-GB',
    timezoneId: 'Europe/Berlin',
    viewport: { width: 1280, height: 800 },
    reducedMotion: 'reduce',
    ...options,
  })
  context.setDefaultTimeout(PATIENCE_MS)
  const complaints: string[] = []
  // Chromium writes breaches of a content security policy there too.
  context.on('console', (message) => {
    if (message.type() === 'error' && !EXPECTED.test(message.text())) complaints.push(message.text())
  })
  context.on('weberror', (error) => complaints.push(String(error.error().stack ?? error.error())))
  return { context, complaints, newPage: () => context.newPage() }
}

/** Somebody with a browser. */
export class Person {
  constructor(
    readonly name: string,
    readonly phone: string,
    readonly page: Page,
    readonly machine: Machine,
  ) {}

  async register(): Promise<void> {
    const { page } = this
    await page.goto('/')
    await page.getByRole('button', { name: 'New here?' }).click()
    await page.getByLabel('Username').fill(this.name)
    await page.getByLabel('Phone').fill(this.phone)
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD)
    await page.getByRole('button', { name: 'Create account' }).click()
    await this.isIn()
  }

  async signIn(page = this.page): Promise<void> {
    await page.goto('/')
    await page.getByLabel('Phone or e-mail').fill(this.phone)
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await this.isIn(page)
  }

  private signedIn: { user_id: string; token: string } | undefined

  /** What the page does not do, or not fast enough: by REST, in a session of its own. */
  async api(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
    const base = `${new URL(this.page.url()).origin}/api/v1`
    const json = { 'content-type': 'application/json' }
    if (!this.signedIn) {
      const login = { phone_or_email: this.phone, password: PASSWORD }
      const answer = await fetch(`${base}/auth/login`, { method: 'POST', headers: json, body: JSON.stringify(login) })
      this.signedIn = (await answer.json()) as { user_id: string; token: string }
    }
    const headers = { ...json, authorization: `Bearer ${this.signedIn.token}` }
    const answer = await fetch(base + path, { method, headers, body: body ? JSON.stringify(body) : undefined })
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`)
    return (await answer.json()) as Record<string, unknown>
  }

  async userId(): Promise<string> {
    return String((await this.api('GET', '/users/me')).id)
  }

  async isIn(page = this.page): Promise<void> {
    await page.getByRole('button', { name: 'New chat' }).first().waitFor()
  }

  /** Finds somebody by name and opens the chat with them. */
  async openDmWith(name: string): Promise<void> {
    const { page } = this
    await page.getByRole('button', { name: 'New chat' }).first().click()
    await page.getByRole('searchbox').fill(name)
    await page.locator('.pane.side').getByRole('button', { name }).click()
    await this.composer().waitFor()
  }

  async openChat(name: string): Promise<void> {
    await this.chatRow(name).click()
    await this.page.locator('.chat-title', { hasText: name }).waitFor()
  }

  /** The row of a chat in the list, by what the chat is called. */
  chatRow(name: string, page = this.page) {
    return page.locator('.chat-list .row', { has: page.locator('.row-name', { hasText: name }) })
  }

  composer(page = this.page) {
    return page.locator('.composer textarea')
  }

  async say(text: string): Promise<void> {
    await this.composer().fill(text)
    await this.composer().press('Enter')
  }

  /** By its own text, not by what it answers. */
  message(text: string, page = this.page) {
    return page.locator('article.message', { has: page.locator('.bubble-text', { hasText: text }) })
  }

  async sees(text: string, page = this.page): Promise<void> {
    await this.message(text, page).first().waitFor()
  }

  /** The texts of the conversation, in the order they stand. */
  async reads(page = this.page): Promise<string[]> {
    return page.locator('article.message .bubble-text').allTextContents()
  }

  async choose(text: string, action: string): Promise<void> {
    await this.message(text).first().click({ button: 'right' })
    await this.page.getByRole('menuitem', { name: action }).click()
  }
}

let phones = 0
export const newPhone = () => `+1202${String(5_550_100 + ++phones).padStart(7, '0')}`

export async function newPerson(
  browser: Browser,
  url: string,
  name: string,
  options?: BrowserContextOptions,
): Promise<Person> {
  const machine = await newMachine(browser, url, options)
  const person = new Person(name, newPhone(), await machine.newPage(), machine)
  await person.register()
  return person
}

/** Tries until it holds. */
export async function eventually(check: () => Promise<void> | void, withinMs = PATIENCE_MS): Promise<void> {
  const until = Date.now() + withinMs
  for (;;) {
    try {
      await check()
      return
    } catch (error) {
      if (Date.now() > until) throw error
      await Bun.sleep(50)
    }
  }
}
