/** The bundles: scripts by Bun, styles by Lightning CSS. */
import { basename } from 'node:path'
import { bundleAsync } from 'lightningcss'
import { hashOf, type Made } from './made.ts'

interface Scripts {
  /** Path of the script that starts it all. */
  entry: string
  /** What the entry imports at once. */
  preloads: string[]
  files: Made[]
}

const minified = { target: 'browser', format: 'esm', minify: true, sourcemap: 'none' } as const
const production = { 'process.env.NODE_ENV': '"production"' }

async function bundle(options: Bun.BuildConfig): Promise<Bun.BuildArtifact[]> {
  const built = await Bun.build(options)
  if (!built.success) throw new AggregateError(built.logs, 'The client does not build')
  return built.outputs
}

/** The client, in chunks: what is not imported at once is loaded when it is used. */
export async function bundleScripts(entrypoint: string): Promise<Scripts> {
  const outputs = await bundle({
    ...minified,
    entrypoints: [entrypoint],
    splitting: true,
    publicPath: '/assets/',
    naming: { entry: '[name]-[hash].[ext]', chunk: '[name]-[hash].[ext]', asset: '[name]-[hash].[ext]' },
    define: production,
  })
  const files = await Promise.all(
    outputs.map(async (output) => ({
      path: `/assets/${basename(output.path)}`,
      kind: output.kind,
      bytes: new Uint8Array(await output.arrayBuffer()),
    })),
  )
  const main = files.find(({ kind }) => kind === 'entry-point')
  if (!main) throw new Error('The client has no entry')
  const textOf = new Map(files.map(({ path, bytes }) => [path, new TextDecoder().decode(bytes)]))
  const reached = new Set([main.path])
  // A Set hands out what is added while it is walked.
  for (const path of reached) for (const next of listStaticImports(textOf.get(path) ?? '')) reached.add(next)
  return { entry: main.path, preloads: [...reached].slice(1), files: files.map(({ path, bytes }) => ({ path, bytes })) }
}

/** `import{a as b}from"/assets/x.js"` and `import"/assets/x.js"`, but no `import("...")`. */
const listStaticImports = (code: string) =>
  [...code.matchAll(/\b(?:from|import)\s*"(\/assets\/[^"]+\.js)"/g)].map(([, path = '']) => path)

/**
 * All styles as one file. Without targets: Bun's own bundler lowers logical properties and `light-dark()`, and then
 * nothing mirrors from right to left.
 */
export async function bundleStyles(filename: string): Promise<Made> {
  const { code } = await bundleAsync({ filename, minify: true, errorRecovery: false })
  return { path: `/assets/main-${hashOf(code)}.css`, bytes: code }
}

/** @param told what the worker knows of this version: it stands in the place of `BUILD` */
export async function bundleWorker(entrypoint: string, told: { version: string; shell: string[] }): Promise<Made> {
  const [output] = await bundle({
    ...minified,
    format: 'iife',
    entrypoints: [entrypoint],
    define: { ...production, BUILD: JSON.stringify(told) },
  })
  if (!output) throw new Error('The service worker is empty')
  return { path: '/sw.js', bytes: new Uint8Array(await output.arrayBuffer()) }
}
