import { t } from '../../i18n/language.ts'
import { chatNow } from '../../state/client.ts'
import { go } from '../../state/route.ts'
import { IconButton } from '../../ui/button.tsx'
import { UserCard } from '../people/user-card.tsx'
import { GroupInfo } from './group-info.tsx'

/** The third pane: who or what a chat is. */
export function InfoPane({ chatId }: { chatId: string }) {
  const chat = chatNow(chatId)
  if (!chat) return null
  const { row } = chat
  return (
    <>
      <header class="header">
        <IconButton icon="close" label={t().close} onClick={() => go({ isInfoOpen: false })} />
        <h2>{t().info}</h2>
      </header>
      <div class="scroll">
        {row.type === 'dm' && row.peer ? (
          <UserCard key={row.peer.id} userId={row.peer.id} canWrite={false} />
        ) : (
          <GroupInfo key={row.id} row={row} />
        )}
      </div>
    </>
  )
}
