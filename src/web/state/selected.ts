/** Of a state that changes with every message the part that a component shows. */
import { computed } from '@preact/signals'
import { useMemo } from 'preact/hooks'

type Shown = Record<string, unknown> | string | number | boolean | null | undefined

/**
 * What `select` says, which may read signals; whoever renders it is rendered again when that is another one. Of objects
 * the properties are compared.
 * @param of what `select` depends on beside signals
 */
export function useSelected<T extends Shown>(select: () => T, of: readonly unknown[]): T {
  const selected = useMemo(() => {
    let before: T | undefined
    return computed(() => {
      const now = select()
      if (before === undefined || !isSame(before, now)) before = now
      return before
    })
  }, of)
  return selected.value as T
}

function isSame(one: Shown, other: Shown): boolean {
  if (typeof one !== 'object' || typeof other !== 'object' || !one || !other) return one === other
  const names = Object.keys(one)
  return names.length === Object.keys(other).length && names.every((name) => one[name] === other[name])
}
