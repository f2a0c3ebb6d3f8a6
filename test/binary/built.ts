/** The binary, built once for all tests of a run. */
import { join } from 'node:path'

export type TargetName = 'linux-x64' | 'linux-arm64'

const ROOT = join(import.meta.dir, '../..')
const builds = new Map<TargetName, Promise<string>>()

/** The target of the machine that the tests run on. */
export const ownTarget: TargetName = process.arch === 'arm64' ? 'linux-arm64' : 'linux-x64'

/** @returns where the binary lies */
export function built(target: TargetName = ownTarget): Promise<string> {
  const running = builds.get(target) ?? build(target)
  builds.set(target, running)
  return running
}

async function build(target: TargetName): Promise<string> {
  const child = Bun.spawn([process.execPath, join(ROOT, 'deploy/build.ts'), target], { stdout: 'pipe', stderr: 'pipe' })
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ])
  if (code !== 0) throw new Error(`The binary does not build:\n${out}${err}`)
  return join(ROOT, 'dist', `messenger-${target}`)
}
