import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { t } from '../../i18n/language.ts'
import { client } from '../../state/client.ts'
import { attempt, describeFailure } from '../../state/failures.ts'
import { goBack } from '../../state/route.ts'
import { ApiError } from '../../sync/rest.ts'
import type { Channel } from '../../sync/wire.ts'
import { Avatar } from '../../ui/avatar.tsx'
import { Button, IconButton } from '../../ui/button.tsx'
import { Empty, Loading } from '../../ui/empty.tsx'

/** Or not for me: nobody can tell which. */
const isNotThere = (error: unknown) => error instanceof ApiError && (error.status === 404 || error.status === 400)

/** A chat one is not in: a public channel can be subscribed to; anything else is not there. */
export function Outside({ chatId }: { chatId: string }) {
  const channel = useSignal<Channel | undefined>(undefined)
  const trouble = useSignal('')
  const isBusy = useSignal(false)
  useEffect(() => {
    let isOver = false
    client.api.channel(chatId).then(
      (found) => {
        if (!isOver) channel.value = found
      },
      (error) => {
        if (!isOver) trouble.value = isNotThere(error) ? t().chatGone : describeFailure(error)
      },
    )
    return () => {
      isOver = true
    }
  }, [chatId, channel, trouble])
  const found = channel.value
  const subscribe = async () => {
    isBusy.value = true
    // The server tells of the new chat by itself; then this is its conversation.
    await attempt(() => client.api.subscribe(chatId))
    isBusy.value = false
  }
  return (
    <>
      <header class="header">
        <IconButton icon="back" isOnlyNarrow label={t().back} onClick={() => goBack({ chat: undefined, page: [] })} />
        <h1 dir="auto">{found?.name ?? ''}</h1>
      </header>
      <div class="nothing-open">
        {trouble.value && <Empty icon="alert" text={trouble.value} />}
        {!trouble.value && !found && <Loading />}
        {found && (
          <div class="profile-head">
            <Avatar id={found.id} name={found.name} url={found.avatar_url} size={96} isSquare />
            <h2 dir="auto">{found.name}</h2>
            <p>{t().subscribers(found.subscriber_count)}</p>
            {found.description && <p dir="auto">{found.description}</p>}
            <Button kind="primary" isBusy={isBusy.value} onClick={subscribe}>
              {t().subscribe}
            </Button>
          </div>
        )}
      </div>
    </>
  )
}
