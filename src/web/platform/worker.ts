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
  const hadOne = serviceWorker.controller !== null
  // A private window or a browser without storage: the page does without.
  const registration = await serviceWorker.register(workerAddress()).catch(() => undefined)
  if (!registration) return
  const offer = () => {
    const { waiting } = registration
    if (waiting) toast(t().newVersion, { label: t().reload, run: () => waiting.postMessage('take over') })
  }
  offer()
  registration.addEventListener('updatefound', () => {
    const coming = registration.installing
    coming?.addEventListener('statechange', () => {
      if (coming.state === 'installed' && serviceWorker.controller) offer()
    })
  })
  let isReloading = false
  serviceWorker.addEventListener('controllerchange', () => {
    if (!hadOne || isReloading) return
    isReloading = true
    location.reload()
  })
  setInterval(() => registration.update().catch(() => undefined), LOOK_EVERY_MS)
}
