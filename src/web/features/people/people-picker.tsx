import { type Signal, useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useEffect } from 'preact/hooks'
import { t } from '../../i18n/language.ts'
import { client, orderNow } from '../../state/client.ts'
import { describeFailure } from '../../state/failures.ts'
import { nameOfUser, presenceText } from '../../state/names.ts'
import type { PublicProfile } from '../../sync/wire.ts'
import { Avatar } from '../../ui/avatar.tsx'
import { Empty } from '../../ui/empty.tsx'
import { SearchBox } from '../../ui/field.tsx'
import { Icon } from '../../ui/icon.tsx'

const PAUSE_MS = 250
const MIN_LENGTH = 2

/** Those one has a direct chat with, the latest first. */
export const acquaintances = (): PublicProfile[] =>
  orderNow().flatMap((id) => {
    const peer = client.state.chats.get(id)?.row.peer
    return peer && !peer.is_deleted ? [peer] : []
  })

interface PeopleListProps {
  /** It is what the page is for. */
  hasFocus?: boolean
  /** Above the list, while nothing is being searched for. */
  children?: ComponentChildren
  /** Above the list, whatever is being searched for. */
  chips?: ComponentChildren
  /** Ids of those who cannot be chosen. */
  without?: ReadonlySet<string>
  row(user: PublicProfile): ComponentChildren
}

/** People by name, phone or e-mail; those one knows come first. */
export function PeopleList({ hasFocus, children, chips, without, row }: PeopleListProps) {
  const q = useSignal('')
  const found = useSignal<{ q: string; users: PublicProfile[] } | undefined>(undefined)
  const trouble = useSignal('')
  const wanted = q.value.trim()
  useEffect(() => {
    if (wanted.length < MIN_LENGTH) return
    let isOver = false
    const timer = setTimeout(async () => {
      try {
        const { users } = await client.api.findUsers(wanted)
        if (isOver) return
        found.value = { q: wanted, users }
        trouble.value = ''
      } catch (error) {
        if (!isOver) trouble.value = describeFailure(error)
      }
    }, PAUSE_MS)
    return () => {
      isOver = true
      clearTimeout(timer)
    }
  }, [wanted, found, trouble])
  const isAsking = wanted.length >= MIN_LENGTH
  const known = acquaintances().filter((user) => nameOfUser(user).toLowerCase().includes(wanted.toLowerCase()))
  const answered = isAsking && found.value?.q === wanted ? found.value.users : []
  const ids = new Set(answered.map(({ id }) => id))
  const users = [...answered, ...known.filter(({ id }) => !ids.has(id))].filter(({ id }) => !without?.has(id))
  return (
    <>
      <div class="picker-search">
        <SearchBox
          hasFocus={hasFocus}
          label={t().findPeople}
          value={q.value}
          onInput={(text) => {
            q.value = text
          }}
        />
      </div>
      {chips}
      {!wanted && children}
      {trouble.value && <p class="notice danger">{trouble.value}</p>}
      <ul>
        {users.map((user) => (
          <li key={user.id}>{row(user)}</li>
        ))}
      </ul>
      {users.length === 0 && wanted !== '' && found.value?.q === wanted && (
        <Empty icon="search" text={t().nothingFound(wanted)} />
      )}
      {users.length === 0 && !isAsking && <Empty icon="user" text={t().findPeopleHint} />}
    </>
  )
}

/** Several people, with a mark at each. */
export function PeopleChoice({ chosen, without }: { chosen: Signal<PublicProfile[]>; without?: ReadonlySet<string> }) {
  const toggle = (user: PublicProfile) => {
    const others = chosen.value.filter(({ id }) => id !== user.id)
    chosen.value = others.length < chosen.value.length ? others : [...chosen.value, user]
  }
  const chips = chosen.value.length > 0 && (
    <div class="chips">
      {chosen.value.map((user) => (
        <button
          key={user.id}
          type="button"
          class="chip"
          aria-label={t().removeWho(nameOfUser(user))}
          onClick={() => toggle(user)}
        >
          <span dir="auto">{nameOfUser(user)}</span>
          <Icon name="close" size={16} />
        </button>
      ))}
    </div>
  )
  return (
    <PeopleList
      without={without}
      chips={chips}
      row={(user) => (
        <label class="row check-row">
          <UserLine user={user} />
          <input
            type="checkbox"
            checked={chosen.value.some(({ id }) => id === user.id)}
            onChange={() => toggle(user)}
          />
        </label>
      )}
    />
  )
}

export function UserLine({ user, about }: { user: PublicProfile; about?: string }) {
  return (
    <>
      <Avatar id={user.id} name={nameOfUser(user)} url={user.avatar_url} size={44} />
      <span class="row-text">
        <span class="row-name" dir="auto">
          {nameOfUser(user)}
        </span>
        <span class="row-preview" dir="auto">
          {about ?? (user.bio || presenceText(false, user.last_seen))}
        </span>
      </span>
    </>
  )
}
