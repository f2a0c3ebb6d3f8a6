/** Installing the page as an app, where the browser offers it. */
import { signal } from '@preact/signals'

interface InstallEvent extends Event {
  prompt(): Promise<unknown>
}

/** Asks the person; undefined while there is nothing to install. */
export const installOffer = signal<(() => void) | undefined>(undefined)

export function watchInstall(): void {
  addEventListener('beforeinstallprompt', (event) => {
    event.preventDefault()
    installOffer.value = () => {
      installOffer.value = undefined
      ;(event as InstallEvent).prompt()
    }
  })
  addEventListener('appinstalled', () => {
    installOffer.value = undefined
  })
}
