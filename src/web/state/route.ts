/**
 * Where one is: in the fragment of the address, so that the server never sees it (an invite's code is there).
 * `#/settings/sessions?chat=ID&info` shows a page in the side pane, a chat in the main one and its info.
 */
import { signal } from '@preact/signals'

export interface Route {
  /** The page of the side pane, in parts: [] is the list of chats. */
  page: readonly string[]
  chat?: string
  isInfoOpen: boolean
}

function parse(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#?\/?/, '').split('?')
  const params = new URLSearchParams(query)
  return {
    page: path.split('/').filter(Boolean).map(decode),
    chat: params.get('chat') ?? undefined,
    isInfoOpen: params.has('info') && params.has('chat'),
  }
}

// What people paste may be no encoding of anything.
function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

export function addressOf({ page, chat, isInfoOpen }: Route): string {
  const query = [chat && `chat=${encodeURIComponent(chat)}`, isInfoOpen && 'info'].filter(Boolean).join('&')
  return `#/${page.map(encodeURIComponent).join('/')}${query && `?${query}`}`
}

export const route = signal<Route>(parse(location.hash))

let depth = 0

export function watchRoute(): void {
  addEventListener('popstate', () => {
    depth = Math.max(0, depth - 1)
    route.value = parse(location.hash)
  })
}

/** Changes what is named and leaves the rest; a page or chat of its own goes into the history. */
export function go(to: Partial<Route>, { replace = false } = {}): void {
  const next = { ...route.value, ...to }
  if (to.chat !== undefined && to.chat !== route.value.chat && to.isInfoOpen === undefined) next.isInfoOpen = false
  if ('chat' in to && to.chat === undefined) next.isInfoOpen = false
  const address = addressOf(next)
  if (address === addressOf(route.value)) return
  if (replace) history.replaceState(null, '', address)
  else {
    history.pushState(null, '', address)
    depth++
  }
  route.value = next
}

/** One step back as the browser's button does it, or to `fallback` when one came here directly. */
export function goBack(fallback: Partial<Route>): void {
  if (depth > 0) history.back()
  else go(fallback, { replace: true })
}
