/** The floors of the house, read from the imports of every file: who may know whom. */
import { describe, expect, it } from 'bun:test'
import { dirname, join, relative } from 'node:path'

const ROOT = join(import.meta.dir, '..')
/** A feature knows those to its left. */
const FEATURES = [
  'users',
  'auth',
  'subscriptions',
  'chats',
  'channels',
  'media',
  'messages',
  'uploads',
  'sync',
  'presence',
  'calls',
]
const BASE = ['src/config.ts', 'src/errors.ts', 'src/observability/']
const PORTS = ['src/db/', 'src/redis/', 'src/bus/', 'src/cache/', 'src/storage/']
/** Packages that one part of the house has to itself. */
const OWNERS: Record<string, RegExp> = {
  'drizzle-orm': /^src\/db\/|\/(?:[a-z-]+-)?store\.ts$/,
  postgres: /^src\/db\//,
  redis: /^src\/redis\//,
  '@fastify/busboy': /^src\/http\/multipart\.ts$/,
  sharp: /^src\/(?:features\/media\/image|demo\/pictures\/draw)\.ts$/,
  '@elysiajs/swagger': /^src\/http\/docs\.ts$/,
  '@elysiajs/cors': /^src\/(?:app\.ts|http\/)/,
  '@elysiajs/jwt': /^src\/features\/auth\/tokens\.ts$/,
  preact: /^src\/web\/(?!sync\/)/,
  '@preact/signals': /^src\/web\/(?!sync\/)/,
  elysia: /^src\/(?:app\.ts|http\/|realtime\/)|\/(?:[a-z-]+-)?routes\.ts$|\/model\.ts$|\/guard\.ts$/,
}
/** What makes markup or code of text. In the client a text is a text node, always. */
const MARKUP =
  /\b(?:innerHTML|outerHTML|insertAdjacentHTML|dangerouslySetInnerHTML|setHTMLUnsafe|createContextualFragment|DOMParser|srcdoc)\b|\bdocument\.write|\beval\(|\bnew Function\b|\bjavascript:/i
/** Of these Elysia walks every answer that has one, to turn it into text: what a long answer costs doubles. */
const COERCED = /\bt\.(?:Integer|Numeric)\(/
/** They run when they are loaded: that is what they are for. */
const STARTERS = ['src/main.ts', 'src/web/main.tsx', 'src/web/worker/sw.ts']
const MAX_LINES = 300

/** Path from the root of the repository -> text. */
type Sources = Record<string, string>

interface Import {
  from: string
  /** A path from the root of the repository, or the name of a package. */
  to: string
  /** Nothing of it is there when the program runs. */
  isType: boolean
}

/** Comments and the text of templates go, so that what looks like code there is none. */
const bare = (text: string) =>
  text
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/(^|\s)\/\/.*$/gm, '$1')
    .replace(/`(?:\\.|[^`\\])*`/g, '``')

function listImports(sources: Sources): Import[] {
  return Object.entries(sources).flatMap(([from, text]) => {
    const code = bare(text)
    const resolved = (to: string) => (to.startsWith('.') ? relative('/', join('/', dirname(from), to)) : to)
    const named = [...code.matchAll(/^(?:import|export)\s+([^'";]*?)\s*\bfrom\s+'([^']+)'/gm)].map(
      ([, clause = '', to = '']) => ({ from, to: resolved(to), isType: isTypeOnly(clause) }),
    )
    const bareOnes = [...code.matchAll(/(?:^import\s+|\bimport\(\s*)'([^']+)'/gm)].map(([, to = '']) => ({
      from,
      to: resolved(to),
      isType: false,
    }))
    return [...named, ...bareOnes]
  })
}

function isTypeOnly(clause: string): boolean {
  if (/^type\b/.test(clause)) return true
  const names = /^\{([^}]*)\}$/
    .exec(clause.trim())?.[1]
    ?.split(',')
    .map((name) => name.trim())
  return names?.every((name) => name === '' || name.startsWith('type ')) ?? false
}

const isStore = (path: string) => /\/(?:[a-z-]+-)?store\.ts$/.test(path)
const isRoutes = (path: string) => /\/(?:[a-z-]+-)?routes\.ts$/.test(path)
const isModel = (path: string) => path.endsWith('/model.ts')
const featureOf = (path: string) => /^src\/features\/([^/]+)\//.exec(path)?.[1]
const isIn = (path: string, places: readonly string[]) => places.some((place) => path.startsWith(place))
const folderOf = (path: string) => path.split('/').slice(0, 2).join('/')

/** Why a file may not import another; undefined when it may. */
function refusal({ from, to, isType }: Import): string | undefined {
  if (!to.startsWith('src/')) return refusalOfPackage(from, to, isType)
  if (to === 'src/main.ts') return 'main.ts runs when it is loaded'
  if (from === 'src/main.ts') return undefined
  const isOutside = !['src/demo/', 'src/commands/seed-demo.ts'].some((place) => from.startsWith(place))
  if (to.startsWith('src/demo/') && isOutside) return 'only its command knows the demo'
  if (from.startsWith('src/web/') || to.startsWith('src/web/')) return refusalOfWeb(from, to, isType)
  const [own, theirs] = [featureOf(from), featureOf(to)]
  if (theirs !== undefined && isStore(to) && own !== theirs) return "a store is its own feature's alone, types included"
  if (own !== undefined) return refusalOfFeature(from, to, isType, own, theirs)
  if (isIn(from, BASE)) return isIn(to, BASE) ? undefined : 'the base knows only itself'
  if (isIn(from, [...PORTS, 'src/embedded/'])) {
    const isByRedis = from.startsWith('src/bus/') || from.startsWith('src/cache/')
    const below = [...BASE, `${folderOf(from)}/`, ...(isByRedis ? ['src/redis/'] : [])]
    return isIn(to, below) ? undefined : 'a port knows the base and itself'
  }
  if (from.startsWith('src/backup/')) {
    return isIn(to, [...BASE, 'src/backup/', 'src/db/', 'src/storage/'])
      ? undefined
      : 'backup knows rows and files alone'
  }
  if (from.startsWith('src/http/')) {
    return isIn(to, [...BASE, ...PORTS, 'src/http/']) ? undefined : 'http knows no feature'
  }
  if (from.startsWith('src/realtime/')) {
    const isFine = isIn(to, [...BASE, 'src/bus/', 'src/cache/', 'src/http/', 'src/realtime/'])
    return isFine || (theirs !== undefined && !isRoutes(to)) ? undefined : 'realtime knows services, bus and http'
  }
  if (from.startsWith('src/jobs/')) {
    return isIn(to, ['src/commands/', 'src/realtime/', 'src/app.ts', 'src/services.ts']) || isRoutes(to)
      ? 'a job knows services'
      : undefined
  }
  if (from.startsWith('src/demo/')) return refusalOfDemo(from, to, isType)
  if (from === 'src/app.ts') return to.startsWith('src/commands/') ? 'the app knows no command' : undefined
  if (from === 'src/services.ts') {
    return isIn(to, ['src/commands/', 'src/app.ts']) || isRoutes(to) ? 'services know no door' : undefined
  }
  if (from.startsWith('src/commands/')) return isRoutes(to) ? 'a command serves the app, not routes' : undefined
  return 'it stands on no floor'
}

/** A community does through services what people do through routes; only its own command knows it. */
function refusalOfDemo(from: string, to: string, isType: boolean): string | undefined {
  if (isStore(from)) return to.startsWith('src/db/') ? undefined : 'a store knows the database'
  if (to.startsWith('src/demo/')) return undefined
  return isType ? undefined : 'the demo is handed its services'
}

/** The browser's half knows the shapes that the server sends, and nothing that runs there. */
function refusalOfWeb(from: string, to: string, isType: boolean): string | undefined {
  if (!from.startsWith('src/web/')) return 'the server knows nothing of the web client'
  if (isModel(to) || to === 'src/realtime/frames.ts')
    return isType ? undefined : "a browser takes the server's types alone"
  if (!to.startsWith('src/web/')) return "a browser takes the server's types alone"
  const isBelow = !from.startsWith('src/web/sync/') || to.startsWith('src/web/sync/')
  return isBelow ? undefined : 'sync knows nothing of a browser'
}

function refusalOfPackage(from: string, to: string, isType: boolean): string | undefined {
  const name = to
    .split('/')
    .slice(0, to.startsWith('@') ? 2 : 1)
    .join('/')
  const owner = OWNERS[name]
  // What a part is handed it may name.
  return owner && !isType && !owner.test(from) ? `${name} is not for this file` : undefined
}

function refusalOfFeature(
  from: string,
  to: string,
  isType: boolean,
  own: string,
  theirs: string | undefined,
): string | undefined {
  if (isStore(from)) {
    if (to.startsWith('src/db/')) return undefined
    if (own === theirs && (isStore(to) || isModel(to))) return undefined
    return isType && (own === theirs || isModel(to))
      ? undefined
      : 'a store knows the database and the shapes of its feature'
  }
  if (isRoutes(from)) {
    const isGuard = to === 'src/features/auth/guard.ts' && isType
    if (
      isStore(to) ||
      isIn(
        to,
        PORTS.filter((port) => port !== 'src/bus/'),
      )
    )
      return 'routes know no store and no database'
    if (isGuard) return undefined
  }
  if (theirs === undefined) {
    const isBelow = isIn(to, [...BASE, ...PORTS, 'src/http/'])
    return isBelow ? undefined : 'a feature knows ports, http and other features'
  }
  if (own === theirs) return isRoutes(to) ? 'only the app mounts routes' : undefined
  if (isRoutes(to)) return 'only the app mounts routes'
  if (isModel(to)) return undefined
  if (!FEATURES.includes(own) || !FEATURES.includes(theirs)) return 'a feature has no place in the order'
  return FEATURES.indexOf(theirs) < FEATURES.indexOf(own) ? undefined : `${theirs} stands right of ${own}`
}

/** Everything that breaks a rule, one line each. */
function findViolations(sources: Sources): string[] {
  const imports = listImports(sources)
  const found = imports.flatMap((one) => {
    const why = refusal(one)
    return why === undefined ? [] : [`${one.from} imports ${one.to}: ${why}`]
  })
  for (const [path, text] of Object.entries(sources)) {
    const code = bare(text)
    const say = (what: string) => found.push(`${path} ${what}`)
    if (path !== 'src/config.ts' && /\b(?:process|Bun|import\.meta)\.env\b/.test(code)) say('reads the environment')
    if (text.split('\n').length > MAX_LINES + 1) say(`is longer than ${MAX_LINES} lines`)
    if (/\b(?:utils?|helpers?|common|misc|shared)\b/.test(path)) say('has a name that says nothing')
    const isBarrel = path.endsWith('/index.ts') || /^export \* from/m.test(code)
    if (isBarrel && path !== 'src/db/schema/index.ts') say('is a barrel')
    if (!STARTERS.includes(path) && runsOnImport(code)) say('runs when it is loaded')
    if (path.startsWith('src/web/') && MARKUP.test(code)) say('makes markup or code of text')
    if (COERCED.test(code)) say('has a number that may come as text: see Whole, wholeNumber')
  }
  const runtime = imports.filter(({ isType }) => !isType)
  return [...found, ...findCycles(runtime).map((cycle) => `cycle: ${cycle.join(' -> ')}`)]
}

/** A statement at the margin that is no declaration, or a declaration that waits: the formatter puts them there. */
const runsOnImport = (code: string) =>
  /^(?!import\b|export\b|const\b|let\b|function\b|async function\b|class\b|interface\b|type\b|declare\b|enum\b)[\w$]/m.test(
    code,
  ) || /^(?:export )?(?:const|let) [^\n]*\bawait\b/m.test(code)

/** One cycle for each pair of files that reach each other first. */
function findCycles(imports: readonly Import[]): string[][] {
  const next = new Map<string, string[]>()
  for (const { from, to } of imports) next.set(from, [...(next.get(from) ?? []), to])
  const done = new Set<string>()
  const cycles: string[][] = []
  const visit = (path: string, way: string[]) => {
    const at = way.indexOf(path)
    if (at >= 0) cycles.push([...way.slice(at), path])
    if (at >= 0 || done.has(path)) return
    for (const to of next.get(path) ?? []) visit(to, [...way, path])
    done.add(path)
  }
  for (const path of next.keys()) visit(path, [])
  return cycles
}

async function readSources(): Promise<Sources> {
  const all = await Array.fromAsync(new Bun.Glob('src/**/*.{ts,tsx}').scan(ROOT))
  const paths = all.filter((path) => !path.endsWith('.d.ts')).sort()
  const texts = await Promise.all(paths.map((path) => Bun.file(join(ROOT, path)).text()))
  return Object.fromEntries(paths.map((path, index) => [path, texts[index] ?? '']))
}

describe('the house', async () => {
  const sources = await readSources()

  it('keeps its floors', () => {
    expect(Object.keys(sources).length).toBeGreaterThan(80)
    expect(findViolations(sources)).toEqual([])
  })

  it('imports only files that are there', () => {
    const missing = listImports(sources).filter(({ to }) => to.startsWith('src/') && sources[to] === undefined)
    expect(missing.map(({ from, to }) => `${from} imports ${to}`)).toEqual([])
  })

  it('has a place in the order for every feature', () => {
    const features = new Set(Object.keys(sources).flatMap((path) => featureOf(path) ?? []))
    expect([...features].filter((name) => !FEATURES.includes(name))).toEqual([])
  })
})

describe('the check itself', () => {
  const violationsOf = (path: string, text: string) => findViolations({ [path]: text })

  it.each([
    ['src/features/chats/service.ts', "import { x } from '../messages/service.ts'", 'stands right of chats'],
    [
      'src/features/chats/service.ts',
      "import {\n  type A,\n  b,\n} from '../sync/service.ts'",
      'stands right of chats',
    ],
    ['src/features/chats/service.ts', "import type { X } from '../users/store.ts'", "its own feature's alone"],
    ['src/features/chats/service.ts', "import { sql } from 'drizzle-orm'", 'not for this file'],
    ['src/features/chats/service.ts', "import { loadConfig } from '../../app.ts'", 'ports, http and other features'],
    ['src/features/chats/store.ts', "import { x } from './service.ts'", 'a store knows the database'],
    ['src/features/chats/reads-store.ts', "import { x } from '../../bus/bus.ts'", 'a store knows the database'],
    ['src/features/sync/store.ts', "import { x } from '../chats/model.ts'", 'a store knows the database'],
    ['src/features/chats/routes.ts', "import { db } from '../../db/client.ts'", 'routes know no store'],
    ['src/features/chats/routes.ts', "import * as store from './store.ts'", 'routes know no store'],
    ['src/realtime/fanout.ts', "import type { Head } from '../features/chats/overview-store.ts'", "feature's alone"],
    ['src/realtime/gateway.ts', "import { db } from '../db/client.ts'", 'realtime knows services'],
    ['src/bus/redis.ts', "import { db } from '../db/client.ts'", 'a port knows the base'],
    ['src/backup/write.ts', "import { x } from '../bus/bus.ts'", 'rows and files alone'],
    ['src/http/errors.ts', "import { x } from '../features/users/service.ts'", 'http knows no feature'],
    ['src/errors.ts', "import { x } from './db/client.ts'", 'the base knows only itself'],
    ['src/commands/serve.ts', "import { seed } from '../demo/seed.ts'", 'only its command'],
    ['src/demo/seed.ts', "import { createApp } from '../app.ts'", 'is handed its services'],
    ['src/demo/store.ts', "import { people } from './people.ts'", 'a store knows the database'],
    ['src/app.ts', "await import('./main.ts')", 'main.ts runs'],
    ['src/services.ts', "import { x } from './features/chats/routes.ts'", 'no door'],
    ['src/app.ts', "import { x } from './web/sync/client.ts'", 'nothing of the web client'],
    ['src/web/main.tsx', "import { Message } from '../features/messages/model.ts'", 'types alone'],
    ['src/web/sync/wire.ts', "import type { x } from '../../errors.ts'", 'types alone'],
    ['src/web/sync/client.ts', "import { x } from '../platform/idb.ts'", 'nothing of a browser'],
    ['src/features/new/service.ts', "import { x } from '../users/service.ts'", 'no place in the order'],
    ['src/http/body.ts', 'export const port = process.env.PORT', 'reads the environment'],
    ['src/http/body.ts', 'start()\n', 'runs when it is loaded'],
    ['src/http/body.ts', 'export const x = await load()\n', 'runs when it is loaded'],
    ['src/web/sync/state.ts', "import { signal } from '@preact/signals'", 'not for this file'],
    ['src/web/app.tsx', 'export const x = (e: Element, text: string) => { e.innerHTML = text }', 'makes markup'],
    ['src/web/app.tsx', 'export const X = () => <p dangerouslySetInnerHTML={{ __html: text }} />', 'makes markup'],
    [
      'src/features/chats/model.ts',
      'export const X = t.Object({ seq: t.Integer() })',
      'a number that may come as text',
    ],
    ['src/http/utils.ts', 'export const x = 1', 'a name that says nothing'],
    ['src/bus/index.ts', "export * from './bus.ts'", 'is a barrel'],
    ['src/http/body.ts', 'export const x = 1\n'.repeat(301), 'is longer than'],
  ])('refuses: %s with %.60s', (path, text, why) => {
    expect(violationsOf(path, text).join('\n')).toContain(why)
  })

  it('finds a cycle, but none among types', () => {
    const a = "import { b } from './b.ts'"
    expect(findViolations({ 'src/bus/a.ts': a, 'src/bus/b.ts': "import { a } from './a.ts'" })).toEqual([
      'cycle: src/bus/a.ts -> src/bus/b.ts -> src/bus/a.ts',
    ])
    expect(findViolations({ 'src/bus/a.ts': a, 'src/bus/b.ts': "import type { A } from './a.ts'" })).toEqual([])
  })

  it('lets pass what the rules allow', () => {
    const allowed: Sources = {
      'src/features/messages/service.ts':
        "import type postgres from 'postgres'\nimport { type Db, x } from '../../db/client.ts'\n" +
        "import { accessChat } from '../chats/access.ts'\nimport { toMessage } from './model.ts'\n",
      'src/features/chats/model.ts': "import { Message } from '../messages/model.ts'\n",
      'src/features/users/routes.ts': "import type { Guard } from '../auth/guard.ts'\n",
      'src/features/users/store.ts':
        "import { eq } from 'drizzle-orm'\nimport { users } from '../../db/schema/index.ts'\n",
    }
    expect(findViolations(allowed)).toEqual([])
  })
})
