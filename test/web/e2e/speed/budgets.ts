/**
 * What the client may cost, in counts and ratios: they are the same on a slow machine and on a busy one. On those several
 * messages are shown together, and most counts become less.
 */
import type { Figures } from './measure.ts'

export interface Budget {
  what: string
  unit: string
  most: number
  of(figures: Figures): number
}

export const budgets: readonly Budget[] = [
  ...[
    { what: 'layouts for a message into the open chat', unit: '', most: 1.5, of: ({ here }: Figures) => here.layouts },
    { what: 'recalculations of styles for it', unit: '', most: 2.5, of: ({ here }: Figures) => here.styles },
    { what: 'elements made for it', unit: '', most: 14, of: ({ here }: Figures) => here.added },
  ],
  {
    what: 'its CPU, against the same picture without an application',
    unit: 'x',
    most: 3,
    of: ({ here, bareCpuMs }) => here.cpuMs / bareCpuMs,
  },
  { what: 'layouts for a message into another chat', unit: '', most: 1.5, of: ({ elsewhere }) => elsewhere.layouts },
  { what: 'elements made or moved for it', unit: '', most: 20, of: ({ elsewhere }) => elsewhere.added },
  { what: 'rows in the page while scrolling, at most', unit: '', most: 130, of: ({ scrolled }) => scrolled.mostRows },
  { what: 'layouts for a message scrolled by', unit: '', most: 0.4, of: ({ scrolled }) => scrolled.layouts },
  { what: 'elements made for it', unit: '', most: 14, of: ({ scrolled }) => scrolled.added },
  {
    what: 'memory kept for it, after garbage was collected',
    unit: 'B',
    most: 1000,
    of: ({ scrolled }) => scrolled.heapBytes,
  },
]
