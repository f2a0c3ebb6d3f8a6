/** What went wrong, in words for whoever was using the page. */
import { signal } from '@preact/signals'
import { t } from '../i18n/language.ts'
import { ApiError, NetworkError } from '../sync/rest.ts'
import { toast } from '../ui/toast.tsx'

const capital = (text: string) => text.charAt(0).toLocaleUpperCase() + text.slice(1)

/** The server speaks English; a catalogue may know its words. */
export const translated = (text: string): string => t().serverWords[text] ?? capital(text)

export function describeFailure(error: unknown): string {
  if (error instanceof NetworkError) return t().noConnection
  if (!(error instanceof ApiError)) return t().somethingWrong
  if (error.status === 429 && error.retryAfter !== undefined) return t().tooFast(Math.ceil(error.retryAfter))
  if (error.status >= 500) return t().somethingWrong
  const first = Object.values(error.details).find((detail) => typeof detail === 'string')
  return error.status === 400 && first ? translated(first) : translated(error.message)
}

/** Field -> what is wrong with it, for 400, 403 and 409. */
export function faultsOf(error: unknown): Record<string, string> {
  if (!(error instanceof ApiError)) return {}
  return Object.fromEntries(
    Object.entries(error.details)
      .filter((entry): entry is [string, string] => typeof entry[1] === 'string')
      .map(([field, fault]) => [field, translated(fault)]),
  )
}

export const tellFailure = (error: unknown): void => toast(describeFailure(error))

/** Does it and tells when it fails. @returns whether it was done */
export async function attempt(act: () => Promise<unknown>): Promise<boolean> {
  try {
    await act()
    return true
  } catch (error) {
    tellFailure(error)
    return false
  }
}

/** Where one goes on typing: the first field that has a fault, once it says so. */
function focusFault(): void {
  requestAnimationFrame(() => document.querySelector<HTMLElement>('.input[aria-invalid="true"]')?.focus())
}

/** The state of a form that asks the server: whether it is under way, what is wrong field by field, what else. */
export function createForm(fields: readonly string[]) {
  const isBusy = signal(false)
  const faults = signal<Record<string, string>>({})
  const trouble = signal('')
  return {
    isBusy,
    faults,
    trouble,
    forget(field: string) {
      const { [field]: _, ...rest } = faults.value
      faults.value = rest
    },
    /** @param needed what may not be empty, by field. @returns whether it was done */
    async submit(act: () => Promise<unknown>, needed: Record<string, string> = {}): Promise<boolean> {
      if (isBusy.value) return false
      trouble.value = ''
      const empty = Object.keys(needed).filter((field) => needed[field]?.trim() === '')
      faults.value = Object.fromEntries(empty.map((field) => [field, t().fillIn]))
      if (empty.length > 0) {
        focusFault()
        return false
      }
      isBusy.value = true
      try {
        await act()
        return true
      } catch (error) {
        faults.value = faultsOf(error)
        const isShownAtField = Object.keys(faults.value).some((field) => fields.includes(field))
        if (isShownAtField) focusFault()
        else trouble.value = describeFailure(error)
        return false
      } finally {
        isBusy.value = false
      }
    },
  }
}
export type Form = ReturnType<typeof createForm>
