/** The short form of scenarios, as tests. */
import { describe, expect, it } from 'bun:test'
import { isRoot } from '../../src/embedded/identity.ts'
import type { Scenario } from './scenario.ts'

export function describeScenarios(title: string, scenarios: readonly Scenario[]): void {
  describe(title, () => {
    for (const { name, bar, withinSeconds, needsRoot, run } of scenarios) {
      // A skipped one says so.
      it.skipIf(needsRoot === true && !isRoot())(
        `${name}: ${bar}`,
        async () => {
          const { figure, isHeld, faults = [] } = await run('short')
          process.stderr.write(`  ${name}: ${figure}\n`)
          expect(faults).toEqual([])
          expect({ figure, isHeld }).not.toEqual({ figure, isHeld: false })
        },
        withinSeconds * 1000,
      )
    }
  })
}
