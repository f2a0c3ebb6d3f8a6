/** Suites once more, on a server that is set up in another way. */
import { expect } from 'bun:test'
import { join } from 'node:path'

const ROOT = join(import.meta.dir, '../..')

/** Runs `test/{name}.test.ts` of each with these variables; all pass, and more than `least` tests do. */
export async function runSuites(names: readonly string[], environment: Record<string, string>, least: number) {
  const files = names.map((name) => `test/${name}.test.ts`)
  const run = Bun.spawn([process.execPath, 'test', '--timeout', '30000', ...files], {
    cwd: ROOT,
    stdout: 'pipe',
    stderr: 'pipe',
    env: { ...process.env, ...environment },
  })
  const [output, code] = await Promise.all([new Response(run.stderr).text(), run.exited])
  const count = (what: string) => Number(new RegExp(`^ *(\\d+) ${what}$`, 'm').exec(output)?.[1] ?? 0)
  const failures = output.split('\n').filter((line) => line.startsWith('(fail)'))
  if (code !== 0) process.stderr.write(tellFailures(output))
  expect(failures).toEqual([])
  expect(code).toBe(0)
  expect(count('fail')).toBe(0)
  expect(count('skip')).toBe(0)
  expect(count('pass')).toBeGreaterThan(least)
}

/** What stands before each failure, back to the test before it; or the end of it all where none is told. */
function tellFailures(output: string): string {
  const blocks = output.split(/^(?=\((?:pass|fail|skip|todo)\) )/m)
  const told = blocks.flatMap((block, n) => {
    if (!block.startsWith('(fail)')) return []
    const before = blocks[n - 1]?.split('\n').slice(1) ?? []
    return [...before.slice(-80), block.split('\n')[0] ?? '']
  })
  return `${told.join('\n') || output.slice(-20_000)}\n`
}
