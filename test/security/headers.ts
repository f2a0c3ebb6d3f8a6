/** What goes out with every answer: who may keep it, and what a browser may do with it. */
import { askRoute, nameOf, seenBy } from '../access/ask.ts'
import { rows } from '../access/table.ts'
import { createWorld, type Role } from '../access/world.ts'
import { HTML, halves, SVG } from '../features/media/corpus.ts'
import { upload } from '../features/uploads/support.ts'
import { request, type TestUser } from '../support/client.ts'
import { allOf, noneOf, type Outcome, type Scenario } from '../support/scenario.ts'
import { startServer, type TestServer } from '../support/server.ts'

/** Whoever is let in nearly everywhere, who is shut out, and who is nobody there. */
const ASKED_AS: readonly Role[] = ['owner', 'member', 'stranger', 'revoked']
/** The suites ask all of them, if not for this: the short form asks one of so many. */
const SHORT_SHARE = 15
/** What is for everybody, whoever asks: it has its own words on being kept, or none. */
const isOpen = (route: string) => !route.includes('/api/v1') || route.includes('/avatars/')

/** Answers to those who show a token that a shared cache might keep. */
async function listKeepable(
  server: TestServer,
  share: number,
): Promise<{ faults: string[]; asked: number; taken: number }> {
  const faults: string[] = []
  let [asked, taken] = [0, 0]
  for (const row of rows.filter(({ route, isHandshake }, n) => n % share === 0 && !isOpen(route) && !isHandshake)) {
    // Whatever an earlier row has done to another one.
    const world = await createWorld(server)
    for (const role of ASKED_AS) {
      const { status, headers } = await askRoute(server, row, role, seenBy(role, world))
      asked++
      if (status < 300) taken++
      const policy = headers.get('cache-control') ?? ''
      if (!/no-store|private/.test(policy)) faults.push(`${nameOf(row)} as ${role}: ${status} with "${policy}"`)
    }
  }
  return { faults, asked, taken }
}

/** What a browser may open as a page: ours, with what they load, and what people sent. */
async function listPages(server: TestServer): Promise<string[]> {
  const pages = [
    '/',
    '/swagger',
    '/swagger/json',
    '/health',
    '/health/ready',
    '/metrics',
    '/nothing',
    '/api/v1/nothing',
    '/ws',
  ]
  for (const page of ['/', '/swagger', '/sw.js']) {
    const text = await (await fetch(server.url + page)).text()
    const named = [...text.matchAll(/(?:src|href)="([^"]+)"|"(\/assets\/[^"]+)"/g)].map(([, a, b]) => a ?? b ?? '')
    pages.push(...named.map((path) => new URL(path, `${server.url}${page}`).pathname))
  }
  return [...new Set([...pages, '/sw.js'])]
}

function judgePage(path: string, { headers }: Pick<Response, 'headers'>): string[] {
  const faults: string[] = []
  const type = headers.get('content-type') ?? ''
  if (headers.get('x-content-type-options') !== 'nosniff') faults.push(`${path} may be sniffed`)
  if (headers.has('x-powered-by') || headers.has('server')) faults.push(`${path} says what runs`)
  if (headers.has('set-cookie')) faults.push(`${path} sets a cookie`)
  if (headers.get('access-control-allow-origin') === '*') faults.push(`${path} may be read by every page`)
  if (!type.startsWith('text/html')) return faults
  const policy = headers.get('content-security-policy') ?? ''
  if (!policy.includes("default-src 'none'")) faults.push(`${path} has no CSP that begins with nothing`)
  if (!policy.includes("frame-ancestors 'none'")) faults.push(`${path} may be framed`)
  if (!policy.includes("base-uri 'none'")) faults.push(`${path} may be given another base`)
  if (/script-src[^;]*('unsafe-|https?:|data:|blob:|\*)/.test(policy)) faults.push(`${path} takes foreign scripts`)
  if (/(?:connect|img|media|form-action|style)[^;]*(https?:|\*)/.test(policy)) faults.push(`${path} may talk to others`)
  return faults
}

/** Files that somebody sent, as they come: an image is shown, a page and a drawing with scripts are only saved. */
async function judgeSent(server: TestServer, user: TestUser): Promise<{ faults: string[]; count: number }> {
  const faults: string[] = []
  const chatId = await server.addDm(user, await server.addUser())
  const picture = await halves(64, 64).png().toBuffer()
  const sent = { 'page.html': Buffer.from(HTML), 'drawing.svg': Buffer.from(SVG), 'photo.png': picture }
  const urls: string[] = []
  for (const [fileName, bytes] of Object.entries(sent)) {
    const { body } = await upload(user, ['chat_id', chatId], ['file', bytes, fileName])
    urls.push(`/api/v1/media/${body.message.media_url}`)
  }
  const avatar = `data:image/png;base64,${picture.toString('base64')}`
  const { body } = await user.patch('/users/me', { avatar })
  const avatarPath = new URL(body.avatar_url, server.url).pathname
  for (const path of [...urls, avatarPath]) {
    const headers = { authorization: `Bearer ${user.token}` }
    const answer = await fetch(server.url + path, path === avatarPath ? {} : { headers })
    const policy = answer.headers.get('content-security-policy') ?? ''
    const isImage = answer.headers.get('content-type') === 'image/webp'
    const isSaved = answer.headers.get('content-disposition')?.startsWith('attachment') ?? false
    if (answer.status !== 200) faults.push(`${path} answered ${answer.status}`)
    if (!isImage && !isSaved) faults.push(`${path} is shown as ${answer.headers.get('content-type')}`)
    if (!policy.includes("default-src 'none'") || !policy.includes('sandbox')) faults.push(`${path} may do something`)
    if (/allow-/.test(policy)) faults.push(`${path} has a sandbox with a hole`)
    faults.push(...judgePage(path, answer))
  }
  return { faults, count: urls.length + 1 }
}

export const headers: Scenario = {
  name: 'headers',
  bar: 'no authenticated answer may be kept by a shared cache; every page and file forbids sniffing, framing, foreign scripts',
  withinSeconds: 90,
  async run(size): Promise<Outcome> {
    const server = await startServer({ PASSWORD_HASH: 'argon2id' })
    const kept = await listKeepable(server, size === 'long' ? 1 : SHORT_SHARE)
    const pages = await listPages(server)
    const lacking: string[] = []
    for (const path of pages) lacking.push(...judgePage(path, await request(server.url + path, 'GET')))
    const sent = await judgeSent(server, await server.addUser())
    await server.stop()
    return allOf([
      noneOf(kept.faults, kept.asked, `authenticated answers may be kept (${kept.taken} of them 2xx)`),
      noneOf(lacking, pages.length, 'pages and their files lack a header'),
      noneOf(sent.faults, sent.count, 'files that people sent lack one'),
    ])
  },
}
