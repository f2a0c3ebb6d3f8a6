/** Settings that are a list: where I am signed in, whom I have blocked. */
import { since } from '../../i18n/format.ts'
import { t } from '../../i18n/language.ts'
import { useAsked } from '../../state/asked.ts'
import { client } from '../../state/client.ts'
import { attempt } from '../../state/failures.ts'
import { Button, IconButton } from '../../ui/button.tsx'
import { ask } from '../../ui/dialog.tsx'
import { Empty, Loading } from '../../ui/empty.tsx'
import { Icon } from '../../ui/icon.tsx'
import { Page } from '../../ui/page.tsx'
import { UserLine } from '../people/people-picker.tsx'
import { deviceName } from './device.ts'

const parent = ['settings']

export function SessionsPage() {
  const asked = useAsked(() => client.api.listSessions())
  const sessions = asked.value?.sessions
  const endOthers = async () => {
    if (!(await ask(t().endOthersAsk, t().endOthers))) return
    await attempt(() => client.api.endOtherSessions())
    await asked.refresh()
  }
  return (
    <Page title={t().sessions} parent={parent}>
      {asked.trouble && <p class="notice danger">{asked.trouble}</p>}
      {!sessions && !asked.trouble && <Loading />}
      <ul class="rows">
        {sessions?.map((session) => (
          <li key={session.id} class="row">
            <Icon name="devices" size={26} />
            <span class="row-text">
              <span class="row-line">
                <span class="row-name">{deviceName(session.user_agent) ?? t().unknownDevice}</span>
                {session.is_current && <span class="tag">{t().thisSession}</span>}
              </span>
              <span class="row-preview">
                {session.ip_address} · {t().lastUsed(since(new Date(session.last_used_at)))}
              </span>
            </span>
            {!session.is_current && (
              <IconButton
                icon="trash"
                label={t().endSession}
                onClick={async () => {
                  await attempt(() => client.api.endSession(session.id))
                  await asked.refresh()
                }}
              />
            )}
          </li>
        ))}
      </ul>
      {sessions && sessions.length > 1 && (
        <div class="page">
          <Button kind="danger" icon="out" onClick={endOthers}>
            {t().endOthers}
          </Button>
        </div>
      )}
    </Page>
  )
}

export function BlocksPage() {
  const asked = useAsked(() => client.api.listBlocks({ limit: 100 }))
  const page = asked.value
  const more = () =>
    attempt(async () => {
      if (!page) return
      const next = await client.api.listBlocks({ cursor: page.next_cursor, limit: 100 })
      asked.set({ ...next, blocks: [...page.blocks, ...next.blocks] })
    })
  return (
    <Page title={t().blocks} parent={parent}>
      {asked.trouble && <p class="notice danger">{asked.trouble}</p>}
      {!page && !asked.trouble && <Loading />}
      {page?.blocks.length === 0 && <Empty icon="block" text={t().noBlocks} />}
      <ul>
        {page?.blocks.map(({ user }) => (
          <li key={user.id} class="row">
            <UserLine user={user} />
            <Button
              isSmall
              onClick={async () => {
                await attempt(() => client.api.unblock(user.id))
                await asked.refresh()
              }}
            >
              {t().unblock}
            </Button>
          </li>
        ))}
      </ul>
      {page?.has_more && (
        <Button kind="quiet" isWide onClick={more}>
          {t().loadMore}
        </Button>
      )}
    </Page>
  )
}
