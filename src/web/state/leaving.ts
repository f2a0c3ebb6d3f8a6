/** The end of a session: whoever did not ask for it is told. */
import { effect } from '@preact/signals'
import { t } from '../i18n/language.ts'
import { toast } from '../ui/toast.tsx'
import { client, sessionNow } from './client.ts'

let isWanted = false

export function signOut(): Promise<void> {
  isWanted = true
  return client.signOut()
}

/** Ended on another device, by another tab, by a new password. */
export function watchSignOut(): void {
  let before: string | undefined
  effect(() => {
    const { status } = sessionNow()
    if (before === 'signed-in' && status === 'signed-out') {
      if (!isWanted) toast(t().signedOut)
      isWanted = false
    }
    before = status
  })
}
