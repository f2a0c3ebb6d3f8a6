/** The service worker, and the offer of a new version. */
import { t } from '../i18n/language.ts'
import { toast } from '../ui/toast.tsx'

/** What this page uses of it (W3C, Trusted Types); not every browser has it, nor TypeScript's libraries. */
interface TrustedTypes {
  createPolicy(
    name: string,
    rules: { createScriptURL(address: string): string },
  ): { createScriptURL(address: string): unknown }
}

const PATH = '/sw.js'
const LOOK_EVERY_MS = 60 * 60_000

/** The one place where text becomes the address of a script, and the one address it may be. */
function workerAddress(): string {
  const policy = (globalThis as { trustedTypes?: TrustedTypes }).trustedTypes?.createPolicy('app', {
    createScriptURL(address) {
      if (address !== PATH) throw new TypeError(`No script: ${address}`)
      return address
    },
  })
  return (policy?.createScriptURL(PATH) ?? PATH) as string
}

export async function startWorker(): Promise<void> {
  if (!('serviceWorker' in navigator)) return
  const { serviceWorker } = navigator
  // A private window or a browser without storage: the page does without.
  const registration = await serviceWorker.register(workerAddress()).catch(() => undefined)
  if (!registration) return
  let isOffered = false
  let isWanted = false
  const take = () => {
    const { waiting } = registration
    // Another page has asked for it already.
    if (!waiting) return location.reload()
    isWanted = true
    waiting.postMessage('take over')
  }
  const offer = () => {
    if (!registration.waiting || isOffered) return
    isOffered = true
    const again = () => {
      isOffered = false
    }
    toast(t().newVersion, { label: t().reload, run: take, onDismiss: again })
  }
  offer()
  registration.addEventListener('updatefound', () => {
    const coming = registration.installing
    coming?.addEventListener('statechange', () => {
      if (coming.state === 'installed' && serviceWorker.controller) offer()
    })
  })
  // The other pages go on: somebody may be in a call there.
  serviceWorker.addEventListener('controllerchange', () => {
    if (isWanted) location.reload()
    isWanted = false
  })
  setInterval(() => registration.update().catch(() => undefined), LOOK_EVERY_MS)
}
