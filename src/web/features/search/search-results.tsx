import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useEffect } from 'preact/hooks'
import { brief } from '../../i18n/format.ts'
import { t } from '../../i18n/language.ts'
import { client, orderNow } from '../../state/client.ts'
import { attempt, describeFailure } from '../../state/failures.ts'
import { avatarOfChat, nameOf, nameOfChat, nameOfUser, presenceText } from '../../state/names.ts'
import { openAt, openChat, openDm } from '../../state/opening.ts'
import type { Found } from '../../sync/api.ts'
import type { Channel, PublicProfile } from '../../sync/wire.ts'
import { Avatar } from '../../ui/avatar.tsx'
import { Button } from '../../ui/button.tsx'
import { Empty, Loading } from '../../ui/empty.tsx'
import { Who } from '../chats/who.tsx'

interface Results {
  q: string
  users: PublicProfile[]
  channels: Channel[]
  messages: Found[]
  cursor: string | null
  isFuzzy: boolean
}

/** Typing goes on so long before the server is asked. */
const PAUSE_MS = 250
/** The server's own least for people. */
const MIN_PEOPLE = 2
const FEW = 5

/** What the side pane shows while something stands in its search: chats at hand, people, channels, messages. */
export function SearchResults({ q, onDone }: { q: string; onDone(): void }) {
  const results = useSignal<Results | undefined>(undefined)
  const trouble = useSignal('')
  useEffect(() => {
    let isOver = false
    const timer = setTimeout(async () => {
      try {
        const [people, channels, found] = await Promise.all([
          q.length >= MIN_PEOPLE ? client.api.findUsers(q) : { users: [] },
          client.api.findChannels(q, { limit: FEW }),
          client.api.search(q, { limit: 20 }),
        ])
        if (isOver) return
        trouble.value = ''
        results.value = {
          q,
          users: people.users,
          channels: channels.channels,
          messages: found.results,
          cursor: found.next_cursor,
          isFuzzy: found.is_fuzzy,
        }
      } catch (error) {
        if (!isOver) trouble.value = describeFailure(error)
      }
    }, PAUSE_MS)
    return () => {
      isOver = true
      clearTimeout(timer)
    }
  }, [q, results, trouble])

  const wanted = q.toLocaleLowerCase()
  const chats = orderNow()
    .flatMap((id) => client.state.chats.get(id) ?? [])
    .filter(({ row }) => nameOfChat(row).toLocaleLowerCase().includes(wanted))
    .slice(0, FEW)
  const known = new Set(chats.map(({ row }) => row.peer?.id ?? row.id))
  const users = results.value?.users.filter(({ id }) => !known.has(id)) ?? []
  const channels = results.value?.channels.filter(({ id }) => !known.has(id)) ?? []
  const messages = results.value?.messages ?? []
  const isDone = results.value?.q === q
  const isEmpty = isDone && chats.length + users.length + channels.length + messages.length === 0

  const more = () =>
    attempt(async () => {
      const now = results.value
      if (!now) return
      const page = await client.api.search(now.q, { cursor: now.cursor, limit: 20 })
      results.value = { ...now, messages: [...now.messages, ...page.results], cursor: page.next_cursor }
    })

  return (
    <section class="scroll" aria-label={t().search} aria-busy={!isDone}>
      {trouble.value && <p class="notice danger">{trouble.value}</p>}
      {isEmpty && <Empty icon="search" text={t().nothingFound(q)} />}
      <Section title={t().chats} isShown={chats.length > 0}>
        {chats.map(({ row }) => (
          <Line
            key={row.id}
            avatar={avatarOfChat(row)}
            name={nameOfChat(row)}
            about={
              row.type === 'dm' ? presenceText(row.peer?.is_online, row.peer?.last_seen) : t().members(row.member_count)
            }
            onOpen={() => {
              onDone()
              openChat(row.id)
            }}
          />
        ))}
      </Section>
      <Section title={t().people} isShown={users.length > 0}>
        {users.map((user) => (
          <Line
            key={user.id}
            avatar={{ id: user.id, name: nameOfUser(user), url: user.avatar_url }}
            name={nameOfUser(user)}
            about={user.bio || presenceText(false, user.last_seen)}
            onOpen={async () => {
              if (await openDm(user.id)) onDone()
            }}
          />
        ))}
      </Section>
      <Section title={t().channels} isShown={channels.length > 0}>
        {channels.map((channel) => (
          <Line
            key={channel.id}
            avatar={{ id: channel.id, name: channel.name, url: channel.avatar_url, isSquare: true }}
            name={channel.name}
            about={t().subscribers(channel.subscriber_count)}
            onOpen={() => {
              onDone()
              openChat(channel.id)
            }}
          />
        ))}
      </Section>
      <Section title={results.value?.isFuzzy ? t().similar : t().messages} isShown={messages.length > 0}>
        {messages.map((found) => (
          <FoundRow
            key={found.message.id}
            found={found}
            onOpen={() => openAt(found.message.chat_id, found.message.seq)}
          />
        ))}
        {results.value?.cursor && (
          <Button kind="quiet" isWide onClick={more}>
            {t().loadMore}
          </Button>
        )}
      </Section>
      {!isDone && !trouble.value && <Loading />}
    </section>
  )
}

function Section({ title, isShown, children }: { title: string; isShown: boolean; children: ComponentChildren }) {
  if (!isShown) return null
  return (
    <section>
      <h2 class="section-title">{title}</h2>
      {children}
    </section>
  )
}

interface LineProps {
  avatar: { id: string; name: string; url?: string | null; isSquare?: boolean }
  name: string
  about: string
  onOpen(): void
}

const Line = ({ avatar, name, about, onOpen }: LineProps) => (
  <button type="button" class="row" onClick={onOpen}>
    <Avatar {...avatar} size={42} />
    <span class="row-text">
      <span class="row-name" dir="auto">
        {name}
      </span>
      <span class="row-preview" dir="auto">
        {about}
      </span>
    </span>
  </button>
)

interface FoundRowProps {
  found: Found
  /** In one chat that everybody knows: then who wrote it is told instead. */
  isInChat?: boolean
  onOpen(): void
}

/** A message that was found, with what was found in it marked. */
export function FoundRow({ found: { message, snippet }, isInChat = false, onOpen }: FoundRowProps) {
  const chat = isInChat ? undefined : client.state.chats.get(message.chat_id)
  const at = new Date(message.created_at)
  return (
    <button type="button" class="row" onClick={onOpen}>
      <span class="row-text">
        <span class="row-line">
          <span class="row-name" dir="auto">
            {chat ? nameOfChat(chat.row) : nameOf(message.sender_id)}
          </span>
          <time class="row-time" dateTime={message.created_at}>
            {brief(at)}
          </time>
        </span>
        <span class="row-preview" dir="auto">
          {chat && chat.row.type !== 'dm' && <Who userId={message.sender_id} />}
          <Marked {...snippet} />
        </span>
      </span>
    </button>
  )
}

function Marked({ text, highlights }: Found['snippet']) {
  const parts: ComponentChildren[] = []
  let at = 0
  for (const { start, length } of highlights) {
    parts.push(text.slice(at, start), <mark key={start}>{text.slice(start, start + length)}</mark>)
    at = start + length
  }
  return (
    <>
      {parts}
      {text.slice(at)}
    </>
  )
}
