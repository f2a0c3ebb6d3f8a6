import { useSignal } from '@preact/signals'
import { t } from '../../i18n/language.ts'
import { useAsked } from '../../state/asked.ts'
import { client } from '../../state/client.ts'
import { attempt } from '../../state/failures.ts'
import { openChat } from '../../state/opening.ts'
import { Avatar } from '../../ui/avatar.tsx'
import { Button } from '../../ui/button.tsx'
import { Empty, Loading } from '../../ui/empty.tsx'
import { Page } from '../../ui/page.tsx'

/** Where an invite link leads. */
export function JoinPage({ code }: { code: string }) {
  const preview = useAsked(() => client.api.previewInvite(code), code)
  const isBusy = useSignal(false)
  const chat = preview.value?.chat
  const join = async () => {
    isBusy.value = true
    await attempt(async () => openChat((await client.api.joinInvite(code)).id))
    isBusy.value = false
  }
  return (
    <Page title={t().joinTitle}>
      {preview.trouble && <Empty icon="link" text={t().inviteGone} />}
      {!preview.trouble && !chat && <Loading />}
      {chat && (
        <div class="profile-head">
          <Avatar id={code} name={chat.name ?? ''} url={chat.avatar_url} size={96} isSquare={chat.type === 'channel'} />
          <h2 dir="auto">{chat.name}</h2>
          <p>{chat.type === 'channel' ? t().subscribers(chat.member_count) : t().members(chat.member_count)}</p>
          <Button kind="primary" isBusy={isBusy.value} onClick={join}>
            {t().join}
          </Button>
        </div>
      )}
    </Page>
  )
}
