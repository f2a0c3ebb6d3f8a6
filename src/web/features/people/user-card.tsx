import { t } from '../../i18n/language.ts'
import { useAsked } from '../../state/asked.ts'
import { client, userNow } from '../../state/client.ts'
import { attempt } from '../../state/failures.ts'
import { isMe, nameOfUser, presenceText } from '../../state/names.ts'
import { openDm } from '../../state/opening.ts'
import { Avatar } from '../../ui/avatar.tsx'
import { Button } from '../../ui/button.tsx'
import { ask } from '../../ui/dialog.tsx'
import { Empty, Loading } from '../../ui/empty.tsx'
import { Page } from '../../ui/page.tsx'

/** Somebody's profile, and what one can do with them. */
export function UserCard({ userId, canWrite }: { userId: string; canWrite: boolean }) {
  const profile = useAsked(() => client.api.user(userId), userId)
  const blocks = useAsked(listBlockedIds, userId)
  const user = profile.value ?? userNow(userId)?.profile
  if (!user) return profile.trouble ? <Empty icon="alert" text={profile.trouble} /> : <Loading />
  const name = nameOfUser(user)
  const isBlocked = blocks.value?.has(userId)
  const block = async () => {
    if (!(await ask(t().blockAsk(name), t().block))) return
    await attempt(() => client.api.block(userId))
    blocks.refresh()
  }
  const unblock = async () => {
    await attempt(() => client.api.unblock(userId))
    blocks.refresh()
  }
  return (
    <>
      <div class="profile-head">
        <Avatar id={user.id} name={name} url={user.avatar_url} size={112} />
        <h2 dir="auto">{name}</h2>
        <p>
          {user.is_premium && <span class="tag">{t().premium}</span>}{' '}
          {!user.is_deleted && presenceText(userNow(userId)?.isOnline, user.last_seen)}
        </p>
      </div>
      {user.bio && (
        <dl class="facts">
          <div>
            <dt>{t().bio}</dt>
            <dd dir="auto">{user.bio}</dd>
          </div>
        </dl>
      )}
      {!user.is_deleted && !isMe(userId) && (
        <div class="page stack">
          {canWrite && (
            <Button kind="primary" icon="chat" onClick={() => openDm(userId)}>
              {t().writeTo}
            </Button>
          )}
          {blocks.value && (
            <Button kind={isBlocked ? 'plain' : 'danger'} icon="block" onClick={isBlocked ? unblock : block}>
              {isBlocked ? t().unblock : t().block}
            </Button>
          )}
        </div>
      )}
    </>
  )
}

async function listBlockedIds(): Promise<Set<string>> {
  const ids = new Set<string>()
  let cursor: string | null = null
  do {
    const page: Awaited<ReturnType<typeof client.api.listBlocks>> = await client.api.listBlocks({ cursor, limit: 100 })
    for (const { user } of page.blocks) ids.add(user.id)
    cursor = page.next_cursor
  } while (cursor)
  return ids
}

export const UserPage = ({ userId }: { userId: string }) => (
  <Page title={t().info}>
    <UserCard userId={userId} canWrite />
  </Page>
)
