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

/** On the way to a conversation: whoever leaves that does not want to see them again. */
const PASSING = new Set(['new', 'join'])

/** The addresses of this tab's history, as far as this page has seen them; `history.state` says which one is shown. */
const trail: (string | undefined)[] = []
let at = 0

export function watchRoute(): void {
  at = typeof history.state === 'number' ? history.state : 0
  note(false)
  addEventListener('popstate', ({ state }: PopStateEvent) => {
    route.value = parse(location.hash)
    const isOurs = typeof state === 'number'
    // An address that was typed, or a link, begins an entry of its own.
    at = isOurs ? state : at + 1
    note(!isOurs)
  })
}

/** @param isNew what was further on is gone */
function note(isNew: boolean): void {
  if (isNew) trail.length = at
  trail[at] = addressOf(route.value)
  history.replaceState(at, '')
}

/** Changes what is named and leaves the rest; a page or chat of its own goes into the history. */
export function go(to: Partial<Route>, { replace = false } = {}): void {
  const next = { ...route.value, ...to }
  if (to.chat !== undefined && to.chat !== route.value.chat && to.isInfoOpen === undefined) next.isInfoOpen = false
  if ('chat' in to && to.chat === undefined) next.isInfoOpen = false
  const address = addressOf(next)
  if (address === addressOf(route.value)) return
  // What was opened and is closed again is no step further.
  const isClosing = route.value.isInfoOpen && !next.isInfoOpen && trail[at - 1] === address
  if (isClosing && !replace) {
    history.back()
    return
  }
  if (replace) history.replaceState(at, '', address)
  else history.pushState(++at, '', address)
  route.value = next
  note(!replace)
}

/**
 * Back as the browser's button does it, or to `fallback` when one came here directly. Out of a conversation it leads to
 * where that was chosen, past its own info and past the pages that only led there.
 */
export function goBack(fallback: Partial<Route>): void {
  const { page, chat } = route.value
  for (let steps = 1; trail[at - steps] !== undefined; steps++) {
    const before = parse(trail[at - steps] ?? '')
    const isSameChat = before.page.length === 0 && before.chat === chat
    const isPassed = page.length === 0 && (isSameChat || PASSING.has(before.page[0] ?? ''))
    if (isPassed) continue
    history.go(-steps)
    return
  }
  go(fallback, { replace: true })
}
