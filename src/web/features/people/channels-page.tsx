import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { t } from '../../i18n/language.ts'
import { client } from '../../state/client.ts'
import { attempt, describeFailure } from '../../state/failures.ts'
import { openChat } from '../../state/opening.ts'
import type { Channel } from '../../sync/wire.ts'
import { Avatar } from '../../ui/avatar.tsx'
import { Button } from '../../ui/button.tsx'
import { Empty, Loading } from '../../ui/empty.tsx'
import { SearchBox } from '../../ui/field.tsx'
import { Page } from '../../ui/page.tsx'

const PAUSE_MS = 250

/** Public channels: the largest first. */
export function ChannelsPage() {
  const q = useSignal('')
  const found = useSignal<{ q: string; channels: Channel[]; cursor: string | null } | undefined>(undefined)
  const trouble = useSignal('')
  const wanted = q.value.trim()
  useEffect(() => {
    let isOver = false
    const timer = setTimeout(
      async () => {
        try {
          const page = await client.api.findChannels(wanted)
          if (!isOver) found.value = { q: wanted, channels: page.channels, cursor: page.next_cursor }
        } catch (error) {
          if (!isOver) trouble.value = describeFailure(error)
        }
      },
      wanted ? PAUSE_MS : 0,
    )
    return () => {
      isOver = true
      clearTimeout(timer)
    }
  }, [wanted, found, trouble])
  const { value } = found
  const more = () =>
    attempt(async () => {
      if (!value) return
      const page = await client.api.findChannels(value.q, { cursor: value.cursor })
      found.value = { ...value, channels: [...value.channels, ...page.channels], cursor: page.next_cursor }
    })
  return (
    <Page title={t().findChannels}>
      <div class="picker-search">
        <SearchBox
          hasFocus
          label={t().findChannels}
          value={q.value}
          onInput={(text) => {
            q.value = text
          }}
        />
      </div>
      {trouble.value && <p class="notice danger">{trouble.value}</p>}
      {!value && !trouble.value && <Loading />}
      {value?.channels.length === 0 && (
        <Empty icon="channel" text={value.q ? t().nothingFound(value.q) : t().noChannels} />
      )}
      <ul>
        {value?.channels.map((channel) => (
          <li key={channel.id}>
            <button type="button" class="row" onClick={() => openChat(channel.id)}>
              <Avatar id={channel.id} name={channel.name} url={channel.avatar_url} size={44} isSquare />
              <span class="row-text">
                <span class="row-name" dir="auto">
                  {channel.name}
                </span>
                <span class="row-preview" dir="auto">
                  {channel.description || t().subscribers(channel.subscriber_count)}
                </span>
              </span>
              {channel.is_subscribed && <span class="tag">✓</span>}
            </button>
          </li>
        ))}
      </ul>
      {value?.cursor && (
        <Button kind="quiet" isWide onClick={more}>
          {t().loadMore}
        </Button>
      )}
    </Page>
  )
}
