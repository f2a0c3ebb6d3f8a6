/** Every REST endpoint that needs no place in the state machine, as one typed call each. */
import type { ChangePassword, Session } from '../../features/auth/model.ts'
import type { CreateChannel, UpdateChannel } from '../../features/channels/model.ts'
import type * as chats from '../../features/chats/model.ts'
import type * as subscriptions from '../../features/subscriptions/model.ts'
import type * as users from '../../features/users/model.ts'
import type { Call } from './rest.ts'
import type { Channel, ChatOverview, Member, Message, OwnProfile, PublicProfile } from './wire.ts'

export interface Page {
  cursor?: string | null
  limit?: number
}
interface Paged {
  has_more: boolean
  next_cursor: string | null
}
export interface Found {
  message: Message
  /** `highlights` count UTF-16 units of `text`. */
  snippet: { text: string; highlights: { start: number; length: number }[] }
}
export interface Done {
  message: string
}
type SubscriptionType = typeof subscriptions.SubscriptionType.static

/** `?a=1&b=2` of what is there; '' of nothing. */
function query(fields: Record<string, string | number | null | undefined>): string {
  const given = Object.entries(fields).flatMap(([name, value]) =>
    value === undefined || value === null ? [] : [`${name}=${encodeURIComponent(value)}`],
  )
  return given.length > 0 ? `?${given.join('&')}` : ''
}

export type Api = ReturnType<typeof createApi>

/** Told of what comes by, so that the state has it before the call resolves. */
export interface Learn {
  chat(chat: ChatOverview): void
  users(users: PublicProfile[]): void
  me(me: OwnProfile): void
}

/** Each rejects with ApiError or NetworkError. */
export function createApi(call: Call, learn: Learn) {
  const get = <T>(path: string) => call<T>('GET', path)
  const post = <T>(path: string, body?: unknown, headers?: Record<string, string>) =>
    call<T>('POST', path, body, headers)
  const patch = <T>(path: string, body: unknown) => call<T>('PATCH', path, body)
  const remove = <T = Done>(path: string) => call<T>('DELETE', path)
  const learning = async <T>(asked: Promise<T>, note: (answer: T) => void): Promise<T> => {
    const answer = await asked
    note(answer)
    return answer
  }
  const getChat = (chatId: string) => learning(get<ChatOverview>(`/chats/${chatId}`), learn.chat)
  /** For answers that say less of a chat than its row. */
  const withChat = async <T extends { id: string }>(asked: Promise<T>): Promise<T> => {
    const answer = await asked
    await getChat(answer.id)
    return answer
  }

  return {
    // People
    me: () => learning(get<OwnProfile>('/users/me'), learn.me),
    user: (userId: string) => learning(get<PublicProfile>(`/users/${userId}`), (user) => learn.users([user])),
    findUsers: (q: string) =>
      learning(get<{ users: PublicProfile[] }>(`/users/search${query({ q })}`), ({ users }) => learn.users(users)),
    updateProfile: async (changes: users.UpdateProfile) => {
      await patch<typeof users.UpdatedProfile.static>('/users/me', changes)
      return learning(get<OwnProfile>('/users/me'), learn.me)
    },
    changePassword: (passwords: ChangePassword) => patch<Done>('/users/me/password', passwords),
    deleteAccount: () => remove('/users/me'),
    listBlocks: (page: Page = {}) => get<users.BlockedUsers>(`/users/me/blocks${query({ ...page })}`),
    block: (userId: string) => post<Done>(`/users/${userId}/block`),
    unblock: (userId: string) => remove(`/users/${userId}/block`),
    listAudit: (page: Page = {}) => get<users.AuditLog>(`/users/me/audit${query({ ...page })}`),

    // Sessions
    listSessions: () => get<{ sessions: Session[] }>('/auth/sessions'),
    endSession: (id: string) => remove(`/auth/sessions/${id}`),
    endOtherSessions: () => remove('/auth/sessions'),

    // Chats
    /** These resolve when the chat is in the state. */
    openDm: (userId: string) => learning(get<ChatOverview>(`/chats/dm/${userId}`), learn.chat),
    createGroup: (group: Omit<chats.CreateGroup, 'type'>) =>
      withChat(post<typeof chats.Chat.static>('/chats', { ...group, type: 'group' })),
    chat: getChat,
    renameChat: (chatId: string, name: string) => patch<ChatOverview>(`/chats/${chatId}`, { name }),
    /** Of a group or a channel: a picture as a data URL; null for none. */
    setChatAvatar: (chatId: string, avatar: string | null) => patch<ChatOverview>(`/chats/${chatId}`, { avatar }),
    deleteChat: (chatId: string) => remove(`/chats/${chatId}`),

    // Members
    listMembers: (chatId: string, offset = 0, limit = 100) =>
      learning(
        get<{ members: Member[]; total: number; has_more: boolean }>(
          `/chats/${chatId}/members${query({ offset, limit })}`,
        ),
        ({ members }) => learn.users(members.map(({ user }) => user)),
      ),
    addMembers: (chatId: string, user_ids: string[]) =>
      post<typeof chats.AddedMembers.static>(`/chats/${chatId}/members`, { user_ids }),
    setRole: (chatId: string, userId: string, role: chats.Role) =>
      patch<{ user_id: string; role: chats.Role }>(`/chats/${chatId}/members/${userId}`, { role }),
    /** Oneself: to leave. */
    removeMember: (chatId: string, userId: string) => remove(`/chats/${chatId}/members/${userId}`),
    listInvites: (chatId: string) => get<{ invites: chats.Invite[] }>(`/chats/${chatId}/invites`),
    createInvite: (chatId: string, invite: chats.CreateInvite = {}) =>
      post<chats.Invite>(`/chats/${chatId}/invites`, invite),
    revokeInvite: (chatId: string, code: string) => remove(`/chats/${chatId}/invites/${code}`),
    previewInvite: (code: string) => get<chats.InvitePreview>(`/invites/${code}`),
    joinInvite: (code: string) => learning(post<ChatOverview>(`/invites/${code}/join`), learn.chat),

    // Channels
    createChannel: (channel: CreateChannel) => withChat(post<Channel>('/channels', channel)),
    findChannels: (q: string, page: Page = {}) =>
      get<{ channels: Channel[] } & Paged>(`/channels${query({ q: q || undefined, ...page })}`),
    channel: (id: string) => get<Channel>(`/channels/${id}`),
    updateChannel: (id: string, changes: UpdateChannel) => patch<Channel>(`/channels/${id}`, changes),
    subscribe: (id: string) => withChat(post<Channel>(`/channels/${id}/subscribe`)),
    unsubscribe: (id: string) => remove(`/channels/${id}/subscribe`),

    // Search, in all chats or in one
    search: (q: string, { chatId, ...page }: Page & { chatId?: string } = {}) =>
      get<{ results: Found[]; is_fuzzy: boolean } & Paged>(`/messages/search${query({ q, chat_id: chatId, ...page })}`),

    // Files
    /** Addresses for what cannot send a token: an image, a player. Up to 100 paths. */
    mediaLinks: (paths: string[]) =>
      post<{ links: { path: string; url: string; expires_at: string }[]; not_found: string[] }>('/media/links', {
        paths,
      }),

    // Calls; the rest of a call is frames
    iceServers: () =>
      get<{ ice_servers: { urls: string[]; username?: string; credential?: string }[] }>('/calls/ice-servers'),

    // Premium
    subscription: () => get<subscriptions.MySubscription>('/subscriptions/me'),
    /** `key`: the same for every try of one purchase, so that it is charged once. */
    purchase: (subscription_type: SubscriptionType, key: string) =>
      post<subscriptions.Purchased>('/subscriptions/purchase', { subscription_type }, { 'idempotency-key': key }),
    cancelSubscription: () => remove<typeof subscriptions.Cancelled.static>('/subscriptions/me'),
    listPayments: (page: Page = {}) =>
      get<typeof subscriptions.PaymentList.static>(`/subscriptions/payments${query({ ...page })}`),
  }
}
