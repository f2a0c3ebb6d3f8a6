/** What others wrote and we ship: exactly what was looked at, from the registry alone, running nothing while it is installed. */
import { cp, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import lock from '../../bun.lock'
import manifest from '../../package.json'
import { allOf, noneOf, type Outcome, type Scenario } from '../support/scenario.ts'

const ROOT = join(import.meta.dir, '../..')
const EXACT = /^\d+\.\d+\.\d+(?:-[\w.]+)?$/
/** Subresource Integrity (W3C), as registries and lock files have it. */
const INTEGRITY = /^sha512-[A-Za-z0-9+/]{86}==$/

interface Listed {
  faults: string[]
  count: number
}

/** By what package.json asks for. */
function judgeManifest(): Listed {
  const { dependencies, devDependencies, optionalDependencies } = manifest
  const asked = Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies })
  const loose = asked.filter(([, version]) => !EXACT.test(version))
  const faults = loose.map(([name, version]) => `package.json asks for ${name} ${version}, which is no exact version`)
  // Bun runs the install scripts of those that are trusted, and of some well-known ones when nothing is said.
  if ('trustedDependencies' in manifest) faults.push('package.json trusts install scripts')
  return { faults, count: asked.length }
}

/** By what is installed. An entry is [name@version, registry or '', {...}, integrity]. */
function judgeLock(): Listed {
  const packages = Object.entries(lock.packages as Record<string, readonly unknown[]>)
  const faults: string[] = []
  for (const [name, [resolved, registry, , integrity]] of packages) {
    const version = String(resolved).slice(String(resolved).lastIndexOf('@') + 1)
    if (!EXACT.test(version)) faults.push(`${name} is ${resolved}: from git, an address or a folder`)
    if (registry !== '') faults.push(`${name} comes from ${registry}`)
    if (typeof integrity !== 'string' || !INTEGRITY.test(integrity)) faults.push(`${name} has no integrity`)
  }
  if ('trustedDependencies' in lock) faults.push('the lock file trusts install scripts')
  return { faults, count: packages.length }
}

/** Whether installing by the lock file would install what package.json asks for. */
async function agree(): Promise<Outcome> {
  const folder = await mkdtemp(join(tmpdir(), 'messenger-lock-'))
  for (const name of ['package.json', 'bun.lock', 'bunfig.toml', 'deploy/patches'])
    await cp(join(ROOT, name), join(folder, name), { recursive: true })
  const child = Bun.spawn([process.execPath, 'install', '--frozen-lockfile', '--dry-run'], {
    cwd: folder,
    stdout: 'ignore',
    stderr: 'pipe',
  })
  const complaint = await new Response(child.stderr).text()
  const isAgreed = (await child.exited) === 0
  await rm(folder, { recursive: true, force: true })
  return {
    figure: `the lock file ${isAgreed ? 'agrees' : 'does not agree'} with package.json`,
    isHeld: isAgreed,
    faults: isAgreed ? [] : [complaint.slice(0, 500)],
  }
}

/** Whatever installs packages does so by the lock file and without their scripts. */
async function judgeInstallers(): Promise<Listed> {
  const scripts = (await readdir(join(ROOT, 'deploy'), { recursive: true })).filter((name) =>
    /\.sh$|Dockerfile$/.test(name),
  )
  const faults: string[] = []
  let count = 0
  for (const name of scripts) {
    const text = (await Bun.file(join(ROOT, 'deploy', name)).text()).replaceAll('\\\n', ' ')
    for (const [line] of text.matchAll(/^.*(?:bun"?|npm|"\$other"|"\$bun") (?:install|add|ci)\b.*$/gm)) {
      if (/^\s*#|say |fail /.test(line)) continue
      count++
      if (!line.includes('--ignore-scripts')) faults.push(`${name} runs install scripts: ${line.trim()}`)
    }
  }
  return { faults, count }
}

/** Known holes of high or critical severity, asked of the registry; unknown where it cannot be asked. */
async function audit(): Promise<Outcome> {
  const child = Bun.spawn([process.execPath, 'audit', '--json'], { cwd: ROOT, stdout: 'pipe', stderr: 'pipe' })
  const timer = setTimeout(() => child.kill(), 60_000)
  const [out, complaint] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  clearTimeout(timer)
  const start = out.indexOf('{')
  if (start < 0) {
    const status = /- (\d{3})/.exec(complaint + out)?.[1]
    const why = status === undefined ? 'no answer' : `it answers ${status}`
    return { figure: `the registry could not be asked for known holes: ${why}`, isHeld: undefined }
  }
  type Advisory = { severity: string; title: string }
  const found = Object.entries(JSON.parse(out.slice(start)) as Record<string, Advisory[]>)
  const holes = found.flatMap(([name, advisories]) =>
    advisories.map(({ severity, title }) => ({ severity, text: `${name}: ${severity}: ${title}` })),
  )
  const grave = holes.filter(({ severity }) => severity === 'high' || severity === 'critical')
  return {
    figure: `${grave.length} of ${holes.length} known holes high or critical`,
    isHeld: grave.length === 0,
    faults: holes.map(({ text }) => text),
  }
}

export const dependencies: Scenario = {
  name: 'dependencies',
  bar: 'every package at one exact version, from the registry, with its SHA-512; 0 install scripts run',
  withinSeconds: 60,
  async run(): Promise<Outcome> {
    const [asked, locked, installers] = [judgeManifest(), judgeLock(), await judgeInstallers()]
    return allOf([
      noneOf([...asked.faults, ...locked.faults], asked.count + locked.count, 'entries not pinned'),
      noneOf(installers.faults, installers.count, 'installers run scripts'),
      await agree(),
    ])
  },
}

export const knownHoles: Scenario = {
  name: 'known-holes',
  bar: '0 packages with a known hole of high or critical severity',
  withinSeconds: 90,
  // What will be known tomorrow must not break a suite that passed today.
  run: async (size) => (size === 'long' ? audit() : { figure: 'asked by the long form alone', isHeld: undefined }),
}
