/** Notifications, while a page is open but not looked at. The browser asks whether it may only when a person turns them on. */
import { signal } from '@preact/signals'

const KEY = 'notifications'
const TEXT_KEY = 'notification-text'

export const areNotificationsOn = signal(
  localStorage.getItem(KEY) === 'on' && 'Notification' in globalThis && Notification.permission === 'granted',
)
/** Whether what was written may be read by whoever sees the screen. */
export const isTextShown = signal(localStorage.getItem(TEXT_KEY) !== 'hidden')

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

export function setTextShown(isShown: boolean): void {
  isTextShown.value = isShown
  if (isShown) localStorage.removeItem(TEXT_KEY)
  else localStorage.setItem(TEXT_KEY, 'hidden')
}

export interface Notice {
  /** A later one with the same takes its place. */
  tag: string
  /** Where a click leads. */
  chatId: string
  title: string
  body: string
  icon?: string
  onClick(): void
}

/** By tag: the page's own, or one that the service worker has. */
const shown = new Map<string, Notification | 'worker'>()

export function notify({ tag, chatId, title, body, icon, onClick }: Notice): void {
  if (!areNotificationsOn.value) return
  const about = { body, icon, tag, data: { chatId } }
  try {
    const notice = new Notification(title, about)
    shown.set(tag, notice)
    notice.onclick = () => {
      focus()
      closeNotice(tag)
      onClick()
    }
    notice.onclose = () => {
      if (shown.get(tag) === notice) shown.delete(tag)
    }
  } catch {
    // Android shows them by a service worker alone.
    shown.set(tag, 'worker')
    navigator.serviceWorker?.ready.then((worker) => worker.showNotification(title, about))
  }
}

export const listNotices = (): string[] => [...shown.keys()]

/** What it told of was seen, or is over. */
export function closeNotice(tag: string): void {
  const notice = shown.get(tag)
  shown.delete(tag)
  if (notice instanceof Notification) notice.close()
  else if (notice)
    navigator.serviceWorker?.ready
      .then((worker) => worker.getNotifications({ tag }))
      .then((notices) => notices.map((one) => one.close()))
}
