import type { ComponentChildren } from 'preact'
import { AuthPage } from './features/auth/auth-page.tsx'
import { call } from './features/calls/call-state.ts'
import { CallScreen } from './features/calls/calling.ts'
import { ChatsPage } from './features/chats/chats-page.tsx'
import { ConversationPane } from './features/conversation/conversation.tsx'
import { InfoPane } from './features/info/info-pane.tsx'
import { Viewer, viewed } from './features/media/open-viewer.ts'
import { ChannelsPage } from './features/people/channels-page.tsx'
import { JoinPage } from './features/people/join-page.tsx'
import { NewChannelPage, NewChatPage, NewGroupPage } from './features/people/new-pages.tsx'
import { UserPage } from './features/people/user-card.tsx'
import { BlocksPage, SessionsPage } from './features/settings/list-pages.tsx'
import { PremiumPage } from './features/settings/premium-page.tsx'
import { ProfilePage } from './features/settings/profile-page.tsx'
import { SettingsPage } from './features/settings/settings-page.tsx'
import { AppearancePage, NotificationsPage, PasswordPage } from './features/settings/small-pages.tsx'
import { t } from './i18n/language.ts'
import { sessionNow } from './state/client.ts'
import { route } from './state/route.ts'
import { Asking } from './ui/dialog.tsx'
import { Empty, Loading } from './ui/empty.tsx'
import { Toasts } from './ui/toast.tsx'

/** Everything: signing in, or the three panes. */
export function App() {
  const { status } = sessionNow()
  return (
    <>
      {status === 'loading' && <Loading />}
      {status === 'signed-out' && <AuthPage />}
      {status === 'signed-in' && <Panes />}
      {viewed.value && Viewer.value && <Viewer.value message={viewed.value} onShow={(next) => (viewed.value = next)} />}
      {call.value && CallScreen.value && <CallScreen.value />}
      <Asking />
      <Toasts />
    </>
  )
}

function Panes() {
  const { chat, isInfoOpen, page } = route.value
  // Where there is room for one pane, it is the one that was gone to last.
  const shows = page.length > 0 || !chat ? 'side' : isInfoOpen ? 'info' : 'main'
  return (
    <div class="app" data-shows={shows} data-info={isInfoOpen || undefined}>
      <button type="button" class="skip button primary" onClick={skip}>
        {t().skipToChat}
      </button>
      <section class="pane side" aria-label={t().chats}>
        <SidePage page={page} />
      </section>
      <main class="pane main" id="conversation" tabIndex={-1}>
        {chat ? (
          <ConversationPane chatId={chat} />
        ) : (
          <div class="nothing-open">
            <Empty icon="chat" text={t().pickChat} />
          </div>
        )}
      </main>
      {chat && isInfoOpen && (
        <aside class="pane info" aria-label={t().info}>
          <InfoPane chatId={chat} />
        </aside>
      )}
    </div>
  )
}

// No link: the fragment of the address says where one is.
function skip(): void {
  const history = document.querySelector<HTMLElement>('.history-scroll')
  ;(history ?? document.getElementById('conversation'))?.focus()
}

const settings: Record<string, () => ComponentChildren> = {
  profile: () => <ProfilePage />,
  appearance: () => <AppearancePage />,
  notifications: () => <NotificationsPage />,
  password: () => <PasswordPage />,
  sessions: () => <SessionsPage />,
  blocks: () => <BlocksPage />,
  premium: () => <PremiumPage />,
}

function SidePage({ page: [name, part = ''] }: { page: readonly string[] }) {
  switch (name) {
    case 'new':
      return part === 'group' ? <NewGroupPage /> : part === 'channel' ? <NewChannelPage /> : <NewChatPage />
    case 'channels':
      return <ChannelsPage />
    case 'join':
      return <JoinPage key={part} code={part} />
    case 'user':
      return <UserPage key={part} userId={part} />
    case 'settings':
      return (Object.hasOwn(settings, part) && settings[part]?.()) || <SettingsPage />
    default:
      return <ChatsPage />
  }
}
