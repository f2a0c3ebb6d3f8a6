import { AxeBuilder } from '@axe-core/playwright'
import type { Page } from 'playwright-core'

interface AxeOptions {
  /** What is looked at, as a selector. */
  part?: string
  /** Everything else was looked at in another theme, which has the same elements. */
  isColoursAlone?: boolean
}

/** The serious and critical faults of a page, or of a part of it, by axe: none is what we want. */
export async function listFaults(page: Page, { part = 'body', isColoursAlone = false }: AxeOptions = {}) {
  const axe = new AxeBuilder({ page }).include(part)
  const { violations } = await (isColoursAlone ? axe.withRules(['color-contrast']) : axe).analyze()
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${id} ${target.join(' ')}: ${failureSummary}`),
    )
}
