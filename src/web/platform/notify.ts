/** Notifications of new messages, while a page is open but not looked at. */
import { signal } from '@preact/signals'

const KEY = 'notifications'

export const areNotificationsOn = signal(
  localStorage.getItem(KEY) === 'on' && 'Notification' in globalThis && Notification.permission === 'granted',
)

/** @returns false when the browser does not allow it */
export async function setNotifications(isOn: boolean): Promise<boolean> {
  if (isOn) {
    const isAllowed = 'Notification' in globalThis && (await Notification.requestPermission()) === 'granted'
    areNotificationsOn.value = isAllowed
    if (isAllowed) localStorage.setItem(KEY, 'on')
    return isAllowed
  }
  areNotificationsOn.value = false
  localStorage.removeItem(KEY)
  return true
}

export interface Notice {
  /** A later one with the same takes its place. */
  chatId: string
  title: string
  body: string
  icon?: string
  onClick(): void
}

export function notify({ chatId, title, body, icon, onClick }: Notice): void {
  if (!areNotificationsOn.value) return
  try {
    const shown = new Notification(title, { body, icon, tag: chatId })
    shown.onclick = () => {
      focus()
      shown.close()
      onClick()
    }
  } catch {
    // Android shows them by a service worker alone.
    navigator.serviceWorker?.ready.then((worker) => worker.showNotification(title, { body, icon, tag: chatId }))
  }
}
