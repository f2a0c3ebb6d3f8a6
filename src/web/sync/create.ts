/** The parts of a client put together: who tells whom. */
import type { SignedIn } from '../../features/auth/model.ts'
import { createApi } from './api.ts'
import type { Client, NewMessage, NewUpload } from './client.ts'
import { createDriver, type Driver } from './driver.ts'
import { createLink } from './link.ts'
import type { Ports, Stored } from './ports.ts'
import { type AnyFrame, createRequests, type RequestNews } from './requests.ts'
import { createRest } from './rest.ts'
import { createSessions } from './session.ts'
import { type ChangeSet, createState, type Session } from './state.ts'
import { createTabs } from './tabs.ts'
import type { Event } from './turn.ts'
import type { Message, ServerFrame } from './wire.ts'

/** What tabs tell each other. */
type News =
  | { event: Event }
  | { session: Session }
  | { hello: true }
  | { left: true }
  | { send: AnyFrame }
  | RequestNews

const NOTHING: Stored = { session: undefined, me: undefined, chats: [], outbox: [], drafts: [], users: [] }
/** What only the tab with the socket has a use for. */
const PRIVATE = new Set(['user_chats', 'pong', 'error', 'token_expiring', 'session_revoked'])

/** How often the others are told that I type; they forget it after 3 s. */
const TYPING_MS = 2500

export function createClient(ports: Ports): Client {
  const { clock, random, signals, storage } = ports
  const state = createState()
  const rest = createRest(ports)
  const sessions = createSessions({
    ports,
    call: rest.anonymous,
    onRenewed: (session) => tell({ session }),
    onEnded: () => void leave(),
  })
  const call = rest.signedBy(sessions)
  const listeners = new Set<(changes: ChangeSet) => void>()
  const frameListeners = new Set<(frame: AnyFrame) => void>()
  const typedAt = new Map<string, number>()
  let writtenAt = 0
  /** Counts what this tab leads, and its ends: what began in an earlier term is over. */
  let term = 0
  let stopSignals = () => {}

  const driver: Driver = createDriver({
    ports,
    state,
    call,
    tokens: sessions,
    link: () => link,
    tell: (event) => tell({ event }),
    onChange(changes) {
      for (const listener of listeners) listener(changes)
    },
  })
  const { dispatch } = driver
  const link = createLink({
    ports,
    tokens: sessions,
    onFrame: hear,
    onStatus(status) {
      dispatch({ type: 'link', status })
      if (status !== 'open') requests.fail()
    },
  })
  const tabs = createTabs({
    ports,
    onLead: () => void lead(),
    onFollow: follow,
    onNews: (news) => listen(news as News),
  })
  const tell = (news: News) => tabs.tell(news)
  const requests = createRequests({ clock, random, link, tell, isLeading: tabs.isLeading })
  const api = createApi(call, {
    chat: (chat) => dispatch({ type: 'chat', chat }),
    users: (users) => dispatch({ type: 'users', users }),
    me: (me) => dispatch({ type: 'me', me }),
  })

  function hear(frame: ServerFrame): void {
    requests.hear(frame)
    dispatch({ type: 'frame', frame })
    if (!PRIVATE.has(frame.type)) tell({ event: { type: 'told-frame', frame } })
    spread(frame)
  }

  function spread(frame: ServerFrame): void {
    for (const listener of frameListeners) listener(frame as AnyFrame)
  }

  function listen(news: News): void {
    if ('event' in news) {
      dispatch(news.event)
      if (news.event.type === 'told-frame') spread(news.event.frame)
    } else if ('session' in news) join(news.session)
    else if ('left' in news) void retire()
    else if ('hello' in news) {
      if (tabs.isLeading()) tell({ event: { type: 'told-link', status: state.link } })
    } else if ('send' in news) link.send(news.send)
    else void requests.listen(news)
  }

  /** Another tab signed in, or renewed the token. */
  function join(session: Session): void {
    sessions.adopt(session)
    if (state.session.status === 'signed-in') return
    dispatch({ type: 'signed-in', userId: session.userId })
    enter()
  }

  async function lead(): Promise<void> {
    const mine = ++term
    await driver.flush()
    const standing = await storage.readStanding().catch(() => undefined)
    if (mine !== term) return
    dispatch({ type: 'led', standing: driver.isBroken() ? undefined : standing })
    link.start()
  }

  async function follow(): Promise<void> {
    term++
    link.stop()
    dispatch({ type: 'unled' })
    dispatch({ type: 'link', status: 'connecting' })
    await driver.flush()
  }

  function enter(): void {
    tabs.start()
    tell({ hello: true })
    // Whoever has no network finds out by the socket.
    api.me().catch(() => {})
  }

  async function begin(answer: SignedIn): Promise<void> {
    if (state.session.status === 'signed-in') await leave()
    else await storage.clear().catch(() => {})
    await sessions.begin(answer)
    dispatch({ type: 'signed-in', userId: answer.user_id })
    const session = sessions.current()
    if (session) tell({ session })
    enter()
  }

  /** Signed out, here or by another tab, which then forgets what is stored. */
  async function retire(): Promise<void> {
    if (state.session.status === 'signed-out') return
    sessions.adopt(undefined)
    dispatch({ type: 'signed-out' })
    await tabs.stop()
    await driver.flush()
  }

  async function leave(): Promise<void> {
    await retire()
    await storage.clear().catch(() => {})
    tell({ left: true })
  }

  function wake(): void {
    if (state.session.status !== 'signed-in') return
    if (signals.isVisible()) tabs.shown()
    // It may be closed.
    else void driver.flush()
    link.wake()
  }

  function write(chatId: string, message: NewMessage, upload?: NewUpload): string {
    writtenAt = Math.max(clock.now(), writtenAt + 1)
    const clientId = random.uuid()
    const { content, replyToId = null } = message
    const entry = { clientId, chatId, writtenAt, content, replyToId, file: upload?.about ?? null }
    const fresh = { status: 'saving' as const, error: null, attempts: 0, sentBytes: 0 }
    dispatch({ type: 'write', entry: { ...entry, ...fresh }, file: upload?.file })
    return clientId
  }

  /** The answer to a change is the event everybody else gets, a little earlier. */
  async function change(type: 'message_updated' | 'message_deleted', answer: Promise<Message>): Promise<void> {
    const message = await answer
    const frame: ServerFrame = { type, chat_id: message.chat_id, message }
    dispatch({ type: 'frame', frame })
    tell({ event: { type: 'told-frame', frame } })
  }

  const pathOf = ({ chat_id, id }: Message) => `/chats/${chat_id}/messages/${id}`

  return {
    state,
    api,
    subscribe: (listener) => add(listeners, listener),

    async start() {
      const stored = await storage.load().catch(() => NOTHING)
      sessions.adopt(stored.session)
      dispatch({ type: 'loaded', stored })
      stopSignals = signals.onChange(wake)
      tabs.listen()
      if (stored.session) enter()
    },

    async stop() {
      stopSignals()
      await tabs.stop()
      tabs.deafen()
      await driver.flush()
      driver.stop()
    },

    register: (account) => rest.anonymous<SignedIn>('POST', '/auth/register', account).then(begin),
    signIn: (login) => rest.anonymous<SignedIn>('POST', '/auth/login', login).then(begin),
    async signOut() {
      await call('POST', '/auth/logout').catch(() => {})
      await leave()
    },

    open: (chatId) => dispatch({ type: 'open', chatId }),
    openAt: (chatId, seq) => dispatch({ type: 'open-at', chatId, seq }),
    openEnd: (chatId) => dispatch({ type: 'open-end', chatId }),
    close: (chatId) => dispatch({ type: 'close', chatId }),
    loadOlder: (chatId) => dispatch({ type: 'older', chatId }),
    loadNewer: (chatId) => dispatch({ type: 'newer', chatId }),
    view: (chatId, seq) => dispatch({ type: 'view', chatId, seq }),
    seek: (chatId, messageId) => dispatch({ type: 'seek', chatId, messageId }),

    send: (chatId, message) => write(chatId, message),
    upload: (chatId, upload) => write(chatId, { ...upload, content: upload.content ?? '' }, upload),
    retry: (clientId) => dispatch({ type: 'retry', clientId }),
    discard: (clientId) => dispatch({ type: 'discard', clientId }),
    edit: (message, content) => change('message_updated', call('PATCH', pathOf(message), { content })),
    remove: (message) => change('message_deleted', call('DELETE', pathOf(message))),

    read: (chatId, seq) => dispatch({ type: 'read', chatId, seq }),
    typing(chatId) {
      const now = clock.now()
      if (now - (typedAt.get(chatId) ?? 0) < TYPING_MS) return
      typedAt.set(chatId, now)
      const frame = { type: 'typing', chat_id: chatId }
      if (!link.send(frame)) tell({ send: frame })
    },
    setDraft(chatId, draft) {
      const event: Event = { type: 'draft', chatId, draft }
      dispatch(event)
      tell({ event })
    },
    fileOf: (clientId) => storage.readFile(clientId).catch(() => undefined),

    request: requests.request,
    keepSocket: tabs.keep,
    onFrame: (listener) => add(frameListeners, listener),
  }
}

function add<Listener>(listeners: Set<Listener>, listener: Listener): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}
