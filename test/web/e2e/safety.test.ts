/** What people write is text, wherever it is shown; and nothing but our own files ever runs. */
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import type { Browser } from 'playwright-core'
import { startServer, type TestServer } from '../../support/server.ts'
import { eventually, newMachine, newPerson, type Person, startBrowser } from './browser.ts'

/** Each would run `pwned()` somewhere, were it taken for more than text. */
const CORPUS = [
  '<script>pwned()</script>',
  '<img src=x onerror=pwned()>',
  '<svg/onload=pwned()>',
  '"><img src=x onerror=pwned()>',
  "'-pwned()-'",
  'javascript:pwned()',
  'https://example.org/" onmouseover="pwned()',
  'https://example.org/<script>pwned()</script>',
  'data:text/html,<script>pwned()</script>',
  '[x](javascript:pwned())',
  '<iframe srcdoc="<script>parent.pwned()</script>"></iframe>',
  '<a href="javascript:pwned()">x</a>',
  '<math><mtext></form><form><mglyph><style></math><img src onerror=pwned()>',
  '{{constructor.constructor("pwned()")()}}',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is to look like one
  '${pwned()}',
  '\u202e<script>pwned()</script>',
  '&lt;script&gt;pwned()&lt;/script&gt;',
  '%3Cscript%3Epwned()%3C/script%3E',
]

let server: TestServer
let browser: Browser
let ann: Person
let ben: Person
const pwned: string[] = []

beforeAll(async () => {
  server = await startServer()
  browser = await startBrowser()
  ;[ann, ben] = await Promise.all([newPerson(browser, server.url, 'ann'), newPerson(browser, server.url, 'ben')])
  for (const { machine, page } of [ann, ben]) {
    await machine.context.exposeFunction('pwned', () => pwned.push(page.url()))
    page.on('dialog', (dialog) => {
      pwned.push(dialog.message())
      dialog.dismiss()
    })
  }
}, 60_000)
afterAll(async () => {
  await browser?.close()
  await server?.stop()
})

const nothingRan = () => {
  expect(pwned).toEqual([])
  expect([...ann.machine.complaints, ...ben.machine.complaints]).toEqual([])
}

describe('text from others', () => {
  it('is text in messages, quotes, the list, edits, search and drafts', async () => {
    await ann.openDmWith('ben')
    for (const text of CORPUS) {
      await ann.say(text)
      await eventually(async () => expect((await ann.reads()).at(-1)).toBe(text))
    }
    await ben.openChat('ann')
    await eventually(async () => expect(await ben.reads()).toEqual(CORPUS))
    await ben.page.locator('.chat-list .row-preview', { hasText: CORPUS.at(-1) }).waitFor()
    for (const text of CORPUS.slice(0, 4)) {
      await ben.choose(text, 'Reply')
      await ben.say(`re ${text}`)
      await ann.sees(`re ${text}`)
    }
    await ben.page.getByRole('searchbox').first().fill('pwned')
    await ben.page.locator('.pane.side .row mark').first().waitFor()
    await ben.page
      .getByRole('searchbox')
      .first()
      .fill(CORPUS[1] ?? '')
    await ben.page.locator('.pane.side').getByText('messages').first().waitFor()
    await ann.composer().fill(CORPUS[1] ?? '')
    await ann.page.goto('/#/')
    await ann.page.locator('.chat-list .row-preview', { hasText: 'Draft' }).waitFor()
    nothingRan()
  })

  it('makes links that lead to the web or to a mail, and nowhere else', async () => {
    const links = await ben.page
      .locator('article.message a')
      .evaluateAll((all) => all.map((link) => [link.getAttribute('href'), link.getAttribute('rel')]))
    expect(links.length).toBeGreaterThan(1)
    for (const [href, rel] of links) {
      expect(href).toMatch(/^(?:https?:\/\/|mailto:)/)
      expect(rel).toContain('noopener')
    }
  })

  it('is text in names, descriptions and profiles', async () => {
    for (const text of CORPUS.slice(0, 6)) {
      const group = await ann.api('POST', '/chats', { name: text, type: 'group', member_ids: [] })
      const channel = await ann.api('POST', '/channels', { name: text, description: text })
      await ann.api('PATCH', '/users/me', { bio: text })
      await ann.page.goto(`/#/?chat=${group.id}&info`)
      await ann.page.locator('.pane.info h2', { hasText: text }).last().waitFor()
      await ben.page.goto(`/#/channels?chat=${channel.id}`)
      await ben.page.locator('.pane.main h2', { hasText: text }).waitFor()
      await ben.page.goto(`/#/user/${await ann.userId()}`)
      await ben.page.locator('dd', { hasText: text }).waitFor()
    }
    nothingRan()
  })

  it('is text in the address', async () => {
    for (const text of CORPUS) {
      const part = encodeURIComponent(text)
      for (const path of [`join/${part}`, `user/${part}`, `${part}`, `settings/${part}`, `?chat=${part}&info`]) {
        await ben.page.goto(`/#/${path}`)
      }
    }
    await ben.page.goto('/#/settings/constructor')
    await ben.page.getByRole('heading', { name: 'Settings' }).waitFor()
    nothingRan()
  })
})

describe('the policy', () => {
  it('stops scripts and markup even where ours would fail, and the tests hear of it', async () => {
    const machine = await newMachine(browser, server.url)
    const page = await machine.newPage()
    await page.goto('/')
    const outcome = await page.evaluate(async () => {
      const tried: Record<string, string> = {}
      const attempt = (name: string, act: () => void) => {
        try {
          act()
          tried[name] = 'done'
        } catch (error) {
          tried[name] = (error as Error).name
        }
      }
      attempt('markup', () => {
        document.body.innerHTML = '<b>x</b>'
      })
      attempt('script', () => {
        document.createElement('script').src = '/sw.js'
      })
      attempt('policy', () => {
        const { trustedTypes } = globalThis as unknown as { trustedTypes: { createPolicy(name: string): unknown } }
        trustedTypes.createPolicy('mine')
      })
      const foreign = await fetch('https://example.org/').then(
        () => 'done',
        (error: Error) => error.name,
      )
      return { ...tried, foreign }
    })
    expect(outcome as Record<string, string>).toEqual({
      markup: 'TypeError',
      script: 'TypeError',
      policy: 'TypeError',
      foreign: 'TypeError',
    })
    await eventually(() => expect(machine.complaints.length).toBeGreaterThan(2))
    await machine.context.close()
  })
})
