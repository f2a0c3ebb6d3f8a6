/** What the rows of the access table are made of: the shape of a row, and the answers that several give. */
import type { TestUser } from '../support/client.ts'
import type { Role, World } from './world.ts'

/** A status, and what `error` says when it is a refusal. For frames: what an HTTP answer would be; 200 is an `ack`. */
export interface Expected {
  status: number
  error?: string
}
export type Answers = Record<Role, Expected>

export interface Row {
  /** As the server names it: `GET /api/v1/chats/`. */
  route: string
  /** Where one route has several rows. */
  about?: string
  /** Undefined: no body. */
  body?(world: World, actor: TestUser | undefined): unknown
  /** What stands in place of each `:name`; `chat_id` is the chat's unless this says otherwise. */
  params?(world: World, actor: TestUser | undefined): Record<string, string>
  headers?(world: World): Record<string, string>
  /** With the same `:name`s. */
  query?: string
  answers: Answers
  /** Those who are let in change something: each gets a world of its own. */
  changes?: true
  /** Opens a WebSocket. */
  isHandshake?: true
}

export const ok: Expected = { status: 200 }
export const created: Expected = { status: 201 }
export const refused = (status: number, error: string): Expected => ({ status, error })

export const noToken = refused(401, 'Missing or invalid access token')
export const ended = refused(401, 'This session has ended; sign in again')
export const wrongCredentials = refused(401, 'Wrong phone, e-mail or password')
export const noRefreshToken = refused(401, 'Invalid or expired refresh token')
export const noChat = refused(404, 'Chat not found')
export const noSession = refused(404, 'Session not found')
export const notInDm = refused(400, 'A direct chat cannot be left, renamed or deleted')
export const faulty = refused(400, 'Validation failed')
export const handOver = refused(409, 'Hand the ownership over before leaving')
export const notManage = refused(403, 'You may not manage this chat')
export const notOwn = refused(403, 'You may not do this: only the owner may')
export const notEdit = refused(403, "You may not edit somebody else's message")
export const notDelete = refused(403, "You may not delete somebody else's message")

export const everybody = (answer: Expected): Answers => ({
  anonymous: answer,
  stranger: answer,
  member: answer,
  admin: answer,
  owner: answer,
  exMember: answer,
  deleted: answer,
  revoked: answer,
  dmPeer: answer,
})
export const shutOut = { anonymous: noToken, deleted: ended, revoked: ended }
/** Whoever has a living session. */
export const signedIn = (answer: Expected): Answers => ({ ...everybody(answer), ...shutOut })
/** Whoever is in the chat now. */
export const inChat = (answers: Record<'member' | 'admin' | 'owner' | 'dmPeer', Expected>): Answers => ({
  ...shutOut,
  stranger: noChat,
  exMember: noChat,
  ...answers,
})
export const anyMember = inChat({ member: ok, admin: ok, owner: ok, dmPeer: ok })
