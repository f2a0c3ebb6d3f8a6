import { signal, useSignal } from '@preact/signals'
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef } from 'preact/hooks'
import { t } from '../../i18n/language.ts'
import { Viewport } from '../../list/viewport.ts'
import { boundsOf, chunkOf, keep, shiftDown, shiftUp, type View, viewAround, viewOfEnd } from '../../list/window.ts'
import { beforeShowing, client, conversationNow } from '../../state/client.ts'
import { nameOfChat } from '../../state/names.ts'
import { target } from '../../state/opening.ts'
import { type Conversation, conversationOf, pendingRowsOf, type Row, rowsOf } from '../../sync/rows.ts'
import type { Chat } from '../../sync/state.ts'
import { Empty } from '../../ui/empty.tsx'
import { Arrivals } from './arrivals.tsx'
import { Chunk, Edge, Rows, ToNewest } from './history-parts.tsx'
import { openMessageMenu } from './message-menu.tsx'

/** The unread line, or what was looked for, comes to stand this far down. */
const UNREAD_SHARE = 0.25
const FOUND_SHARE = 0.4
const SHINE_MS = 1800

/** Back to the newest message; the composer asks for it when something is sent. */
export const endWanted = signal(0)

/** The messages of the open chat. It is made anew for another chat. */
export function History({ chatId }: { chatId: string }) {
  const chat = conversationNow(chatId)
  const conversation = conversationOf(client.state, chatId)
  const scroller = useRef<HTMLDivElement>(null)
  const viewport = useRef<Viewport | undefined>(undefined)
  const view = useRef<View | undefined>(undefined)
  /** What is to be brought into sight once it is there. */
  const goal = useRef<{ seq: number; share: number } | 'end' | undefined>('end')
  /** The seq the client was told of. */
  const viewed = useRef(0)
  const isAway = useSignal(false)
  const found = useSignal(0)
  const repaint = useSignal(0)
  repaint.value
  viewport.current?.catchUp()

  const isLoaded = conversation.last >= conversation.first
  if (!isLoaded) view.current = undefined
  else view.current = nextView(view.current, conversation, goal.current, viewport.current?.isFollowing ?? true)

  const look = useCallback(() => {
    const now = conversationOf(client.state, chatId)
    const port = viewport.current
    const { current } = view
    if (!port || !current || now.last < now.first) return
    const isEnd = showsEnd(current, now)
    port.scrolled(isEnd)
    const { isNearTop, isNearBottom, isAtBottom } = port.edges()
    isAway.value = !(isEnd && isAtBottom)
    const next = isNearTop ? shiftUp(current, now) : isNearBottom ? shiftDown(current, now) : current
    if (next.from !== current.from || next.to !== current.to) {
      view.current = next
      repaint.value++
    } else if (isNearTop && now.hasOlder && now.loading === 'none' && !now.hasFailed) client.loadOlder(chatId)
    else if (isNearBottom && now.hasNewer && now.loading === 'none' && !now.hasFailed) client.loadNewer(chatId)
    if (port.seq > 0 && port.seq !== viewed.current) {
      viewed.current = port.seq
      client.view(chatId, port.seq)
    }
    markRead(chatId, port)
  }, [chatId, isAway, repaint])

  /** In a task of its own: with a frame that is scrolled it would take too long, and after it was painted it costs less. */
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined)
  const lookSoon = useCallback(() => {
    timer.current ??= setTimeout(() => {
      timer.current = undefined
      look()
    })
  }, [look])
  useEffect(() => () => clearTimeout(timer.current), [])

  // What comes while its reader is at the end is read as it is shown: nothing counts it as unread in between.
  useEffect(
    () =>
      beforeShowing(() => {
        const now = conversationOf(client.state, chatId)
        const port = viewport.current
        // Where the reader is to be brought is not where they are.
        if (!port || !view.current || goal.current || now.hasNewer) return
        port.catchUp()
        if (port.isFollowing && isWatched()) readUpTo(chatId, now.last)
      }),
    [chatId],
  )

  useLayoutEffect(() => {
    if (scroller.current) viewport.current = new Viewport(scroller.current)
    client.open(chatId)
    return () => client.close(chatId)
  }, [chatId])

  /** Where the reader was, or where they wanted to be. */
  function place() {
    const port = viewport.current
    if (!port || !view.current) return
    if (goal.current === 'end') {
      const unreadFrom = conversation.unreadFrom
      const row = unreadFrom === undefined ? undefined : rowsOf(client.state, chatId, unreadFrom, unreadFrom)[0]
      if (!(row && unreadFrom !== 1 && port.bring(row.key, UNREAD_SHARE))) {
        port.isFollowing = true
        port.settle()
      }
      goal.current = undefined
    } else if (goal.current) {
      const { seq, share } = goal.current
      const [row] = rowsOf(client.state, chatId, seq, seq)
      if (row && port.bring(row.key, share)) {
        goal.current = undefined
        found.value = seq
        setTimeout(() => {
          found.value = 0
        }, SHINE_MS)
      }
    } else port.settle()
  }
  // After each rendering, of whatever is rendered with it, and before it is painted: so it is laid out once.
  useLayoutEffect(() => {
    let isOver = false
    queueMicrotask(() => isOver || place())
    // What came may leave room for more.
    lookSoon()
    return () => {
      isOver = true
    }
  })

  useEffect(() => {
    const element = scroller.current
    const content = element?.firstElementChild
    if (!element || !content) return
    const observer = new ResizeObserver(() => viewport.current?.settle())
    observer.observe(element)
    observer.observe(content)
    const seen = () => viewport.current && markRead(chatId, viewport.current)
    const scrolled = () => {
      viewport.current?.scrolled(
        view.current !== undefined && showsEnd(view.current, conversationOf(client.state, chatId)),
      )
      lookSoon()
    }
    element.addEventListener('scroll', scrolled, { passive: true })
    addEventListener('focus', seen)
    document.addEventListener('visibilitychange', seen)
    return () => {
      observer.disconnect()
      element.removeEventListener('scroll', scrolled)
      removeEventListener('focus', seen)
      document.removeEventListener('visibilitychange', seen)
    }
  }, [chatId, lookSoon])

  const led = target.value
  useLayoutEffect(() => {
    if (led?.chatId !== chatId) return
    target.value = undefined
    view.current = undefined
    goal.current = { seq: led.seq, share: FOUND_SHARE }
    repaint.value++
  }, [led, chatId, repaint])

  const toEnd = useCallback(() => {
    client.openEnd(chatId)
    view.current = undefined
    if (viewport.current) viewport.current.isFollowing = true
    goal.current = undefined
    repaint.value++
  }, [chatId, repaint])
  const wanted = endWanted.value
  const lastWanted = useRef(wanted)
  useLayoutEffect(() => {
    if (lastWanted.current !== wanted) toEnd()
    lastWanted.current = wanted
  }, [wanted, toEnd])

  const rows = useMemo(() => new Rows(), [])
  const { current } = view
  const isEnd = current !== undefined && showsEnd(current, conversation)
  const pending = isEnd || !isLoaded ? pendingRowsOf(client.state, chatId) : []
  const isEmpty = !isLoaded && !conversation.hasOlder && pending.length === 0 && conversation.loading === 'none'
  const chunks = current ? Array.from({ length: current.to - current.from + 1 }, (_, i) => current.from + i) : []
  const about = {
    isGroup: chat?.row.type === 'group',
    isChannel: chat?.row.type === 'channel',
    foundSeq: found.value,
  }
  return (
    <div class="history">
      <section
        class="history-scroll"
        ref={scroller}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: whoever has no mouse scrolls it too
        tabIndex={0}
        aria-label={t().history}
        onKeyDown={(event) => walk(event, chatId)}
      >
        <div class={isEmpty ? 'history-list is-empty' : 'history-list'}>
          {conversation.hasOlder && <Edge conversation={conversation} retry={() => client.loadOlder(chatId)} />}
          {isEmpty && chat && <Empty icon="chat" text={emptyText(chat)} />}
          {chunks.map((chunk) => {
            const { from, to } = boundsOf(chunk, conversation)
            return <Chunk key={chunk} rows={rows.same(chunk, rowsOf(client.state, chatId, from, to))} {...about} />
          })}
          {pending.length > 0 && <Chunk key="pending" rows={rows.same(-1, pending)} {...about} />}
          {conversation.hasNewer && isLoaded && (
            <Edge conversation={conversation} retry={() => client.loadNewer(chatId)} />
          )}
        </div>
      </section>
      {isAway.value && <ToNewest count={chat?.row.unread_count ?? 0} onClick={toEnd} />}
      <Arrivals chatId={chatId} />
    </div>
  )
}

/** The newest message is in the page. */
const showsEnd = ({ to }: View, { hasNewer, last }: Conversation) => !hasNewer && to >= chunkOf(last)

function nextView(
  before: View | undefined,
  conversation: Conversation,
  goal: { seq: number } | 'end' | undefined,
  isFollowing: boolean,
): View {
  if (goal && goal !== 'end') {
    const isThere = goal.seq >= conversation.first && goal.seq <= conversation.last
    if (isThere) return viewAround(goal.seq, conversation)
  }
  if (goal === 'end' && conversation.unreadFrom !== undefined) return viewAround(conversation.unreadFrom, conversation)
  if (!before || (isFollowing && !conversation.hasNewer)) return viewOfEnd(conversation)
  return keep(before, conversation)
}

function emptyText({ row }: Chat): string {
  if (row.type === 'dm') return t().emptyDm(nameOfChat(row))
  return row.type === 'channel' ? t().emptyChannel : t().emptyGroup
}

/** What somebody has before their eyes is read. */
function markRead(chatId: string, viewport: Viewport): void {
  if (isWatched()) readUpTo(chatId, viewport.lastSeen())
}

const isWatched = () => document.visibilityState === 'visible' && document.hasFocus()

function readUpTo(chatId: string, seq: number): void {
  const chat = client.state.chats.get(chatId)
  if (chat && seq > chat.row.last_read_seq) client.read(chatId, seq)
}

/** Up and down go from message to message, Enter opens what can be done with one. */
function walk(event: KeyboardEvent, chatId: string): void {
  const scroller = event.currentTarget as HTMLElement
  const all = [...scroller.querySelectorAll<HTMLElement>('article.message')]
  const focused = (document.activeElement as HTMLElement | null)?.closest<HTMLElement>('article.message')
  const isInside = event.target !== scroller && !(event.target as Element).matches('article')
  if (isInside) return
  if (event.key === 'Enter' && focused) {
    const key = focused.closest<HTMLElement>('[data-key]')?.dataset.key
    const chat = client.state.chats.get(chatId)
    const seq = Number(focused.closest<HTMLElement>('[data-seq]')?.dataset.seq)
    const row = chat && seq ? rowsOf(client.state, chatId, seq, seq)[0] : undefined
    const unsent = pendingRowsOf(client.state, chatId).find((one) => one.key === key)
    if (row ?? unsent) openMessageMenu((row ?? unsent) as Row, event)
    return
  }
  const step = { ArrowUp: -1, ArrowDown: 1 }[event.key]
  if (step === undefined) return
  const at = focused ? all.indexOf(focused) + step : all.length - 1
  const next = all[at]
  if (!next) return
  event.preventDefault()
  next.focus({ preventScroll: true })
  next.scrollIntoView({ block: 'nearest' })
}
