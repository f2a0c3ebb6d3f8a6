/** What travels between server and client. The shapes are the server's own: only their types come here, never their code. */
import type { Channel as ChannelModel } from '../../features/channels/model.ts'
import type * as chats from '../../features/chats/model.ts'
import type * as messages from '../../features/messages/model.ts'
import type * as sync from '../../features/sync/model.ts'
import type * as users from '../../features/users/model.ts'

export type Message = messages.Message
export type ChatOverview = chats.ChatOverview
export type Role = chats.Role
export type Member = typeof chats.Member.static
export type Channel = typeof ChannelModel.static
export type PublicProfile = users.PublicProfile
export type OwnProfile = users.OwnProfile
export type History = typeof messages.History.static
export type Changes = sync.Changes
export type SyncedChat = sync.SyncedChat
export type SyncResponse = typeof sync.SyncResponse.static
/** Where a chat stands: its last message and its last change. */
export type Head = sync.Head

/** The body of every failure; for 400 and 409 `details` names each faulty field. */
export interface Failure {
  error: string
  details: Record<string, unknown>
}

/** Everything the server pushes. Frames that are not here (calls) are for whoever asked for them by `onFrame`. */
export type ServerFrame =
  | { type: 'user_chats'; chat_ids: string[]; heads: Record<string, Head> }
  | { type: 'new_message'; message: Message }
  | { type: 'message_updated' | 'message_deleted'; chat_id: string; message: Message }
  | { type: 'read'; chat_id: string; user_id: string; last_read_seq: number }
  | { type: 'typing'; chat_id: string; user_id: string; is_typing: boolean }
  | { type: 'online_status'; user_id: string; is_online: boolean; timestamp: number }
  | { type: 'chat_presence'; chat_id: string; user_id: string; is_joined: boolean }
  | { type: 'chat_created'; chat_id: string; head: Head; chat: ChatOverview }
  | ({ type: 'chat_updated'; chat_id: string } & ChatChange)
  | { type: 'chat_removed'; chat_id: string }
  | { type: 'member_joined' | 'member_left'; chat_id: string; user_id: string; member_count: number }
  | { type: 'resync' }
  | { type: 'token_expiring'; expires_in: number }
  | { type: 'session_revoked' }
  | { type: 'pong' }
  | ({ type: 'ack'; ref: string | number; message?: Message } & Record<string, unknown>)
  | ({ type: 'error'; ref?: string | number; status: number } & Failure)

export interface ChatChange {
  name?: string
  description?: string | null
  avatar_url?: string | null
  is_public?: boolean
  owner_id?: string | null
  is_read_only?: boolean
  member?: { user_id: string; role: Role }
}
