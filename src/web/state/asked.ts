/** What a page asks the server for when it opens. */
import { useSignal } from '@preact/signals'
import { useCallback, useEffect } from 'preact/hooks'
import { describeFailure } from './failures.ts'

export interface Asked<T> {
  value: T | undefined
  trouble: string
  /** Asks again; what was there stays meanwhile. */
  refresh(): Promise<void>
  set(value: T): void
}

/** @param key what the answer depends on: another one asks anew */
export function useAsked<T>(ask: () => Promise<T>, key = ''): Asked<T> {
  const answer = useSignal<{ key: string; value: T } | undefined>(undefined)
  const trouble = useSignal('')
  const refresh = useCallback(async () => {
    try {
      answer.value = { key, value: await ask() }
      trouble.value = ''
    } catch (error) {
      trouble.value = describeFailure(error)
    }
  }, [key])
  useEffect(() => {
    refresh()
  }, [refresh])
  return {
    value: answer.value?.key === key ? answer.value.value : undefined,
    trouble: trouble.value,
    refresh,
    set: (value) => {
      answer.value = { key, value }
    },
  }
}
