/** Who may send which frame over an open socket, and what each role is answered. */
import type { TestUser } from '../support/client.ts'
import { anyMember, type Expected, ended, everybody, inChat, ok, refused, signedIn } from './answers.ts'
import { ROLES, type World } from './world.ts'

/** Those who have no living session get no socket. */
export const FRAME_ROLES = ROLES.filter((role) => role !== 'deleted' && role !== 'revoked')
export type FrameRole = (typeof FRAME_ROLES)[number]

export interface FrameRow {
  type: string
  about?: string
  fields?(world: World, actor: TestUser | undefined): Record<string, unknown>
  answers: Record<FrameRole, Expected>
}

const chat = ({ chatId }: World) => ({ chat_id: chatId })

const notHere = refused(400, 'Only the other one of a direct chat can be called')
const noCall = refused(404, 'Call not found')
const signals = {
  call_offer: { sdp: 'v=0' },
  call_answer: { sdp: 'v=0' },
  call_candidate: { candidate: { candidate: '' } },
}
const aboutCalls = ['ringing', 'accept', 'decline', 'busy', 'resume', 'end'].map(
  (name) => [`call_${name}`, {}] as const,
)

const callRows: FrameRow[] = [
  {
    type: 'call_invite',
    fields: (world) => ({ ...chat(world), media: 'audio' }),
    answers: inChat({ member: notHere, admin: notHere, owner: notHere, dmPeer: ok }),
  },
  ...[...aboutCalls, ...Object.entries(signals)].flatMap(([type, more]): FrameRow[] => [
    { type, about: 'of others', fields: ({ callId }) => ({ call_id: callId, ...more }), answers: signedIn(noCall) },
    {
      type,
      about: 'of a call that is not there',
      fields: () => ({ call_id: Bun.randomUUIDv7(), ...more }),
      answers: signedIn(noCall),
    },
  ]),
]

export const frameRows: FrameRow[] = [
  {
    type: 'auth',
    about: 'with a token of one’s own session',
    fields: (_world, actor) => ({ token: actor?.token ?? 'none' }),
    answers: signedIn(ok),
  },
  {
    type: 'auth',
    about: "with somebody else's token",
    fields: ({ target }) => ({ token: target.token }),
    answers: {
      ...signedIn(refused(403, 'You may not change the session of an open socket')),
      // A socket that belongs to nobody yet becomes that of whoever's token it is.
      anonymous: ok,
    },
  },
  {
    type: 'auth',
    about: 'with a token of an account that was deleted',
    fields: ({ actors }) => ({ token: actors.deleted.token }),
    answers: everybody(ended),
  },
  {
    type: 'auth',
    about: 'with a token of a session that was ended',
    fields: ({ actors }) => ({ token: actors.revoked.token }),
    answers: everybody(ended),
  },
  { type: 'message', fields: (world) => ({ ...chat(world), content: 'hello' }), answers: anyMember },
  {
    type: 'message',
    about: 'in reply to one',
    fields: (world) => ({ ...chat(world), content: 'hello', reply_to_id: world.ownersMessageId }),
    answers: anyMember,
  },
  { type: 'typing', fields: chat, answers: anyMember },
  { type: 'read', fields: chat, answers: anyMember },
  { type: 'join_chat', fields: chat, answers: anyMember },
  // One that one has not joined is left already: nothing to refuse, nothing to learn.
  { type: 'leave_chat', fields: chat, answers: signedIn(ok) },
  { type: 'ping', answers: signedIn(ok) },
  ...callRows,
]
