/** Who may do what: every route of the server, with what each role is answered. */
import type { TestUser } from '../support/client.ts'
import {
  anyMember,
  created,
  everybody,
  faulty,
  handOver,
  inChat,
  noRefreshToken,
  noSession,
  notDelete,
  notEdit,
  notInDm,
  notManage,
  notOwn,
  ok,
  type Row,
  refused,
  signedIn,
  wrongCredentials,
} from './answers.ts'
import { channelRows } from './rows-channels.ts'
import { mediaRows } from './rows-media.ts'
import { peopleRows } from './rows-people.ts'
import { searchRows } from './rows-search.ts'
import { subscriptionRows } from './rows-subscriptions.ts'
import { uploadRows } from './rows-uploads.ts'
import type { World } from './world.ts'

const target = ({ target }: World) => ({ user_id: target.id })
const oneself = (_: World, actor: TestUser | undefined) => ({ user_id: actor?.id ?? Bun.randomUUIDv7() })
const ownersMessage = ({ ownersMessageId }: World) => ({ message_id: ownersMessageId })
const membersMessage = ({ membersMessageId }: World) => ({ message_id: membersMessageId })
let phones = 0

export const rows: Row[] = [
  { route: 'GET /health', answers: everybody(ok) },
  { route: 'GET /health/ready', answers: everybody(ok) },
  // From this machine; test/http/metrics.test.ts has the others.
  { route: 'GET /metrics', answers: everybody(ok) },
  { route: 'GET /', answers: everybody(ok) },
  {
    route: 'GET /assets/:name',
    params: () => ({ name: 'none.js' }),
    answers: everybody(refused(404, 'No such endpoint')),
  },
  { route: 'GET /sw.js', answers: everybody(ok) },
  { route: 'GET /manifest.webmanifest', answers: everybody(ok) },
  { route: 'GET /favicon.ico', answers: everybody(ok) },
  { route: 'GET /swagger', answers: everybody(ok) },
  { route: 'GET /swagger/start.js', answers: everybody(ok) },
  { route: 'GET /swagger/swagger-ui-bundle.js', answers: everybody(ok) },
  { route: 'GET /swagger/swagger-ui.css', answers: everybody(ok) },
  { route: 'GET /swagger/favicon.png', answers: everybody(ok) },
  { route: 'GET /swagger/json', answers: everybody(ok) },

  ...['GET /ws', 'GET /api/v1/ws'].flatMap((route): Row[] => [
    // Without a token the first frame must bring it.
    { route, isHandshake: true, answers: { ...signedIn({ status: 101 }), anonymous: { status: 101 } } },
    { route, about: 'without a handshake', answers: everybody(faulty) },
  ]),

  {
    route: 'POST /api/v1/auth/register',
    body: () => ({ phone: `+49${1_000_000_000 + ++phones}`, password: 'Password123', username: `new_${phones}` }),
    answers: everybody(created),
    changes: true,
  },
  {
    route: 'POST /api/v1/auth/login',
    body: () => ({ phone_or_email: '+999999999999', password: 'Password123' }),
    answers: everybody(wrongCredentials),
  },
  {
    route: 'POST /api/v1/auth/refresh',
    body: (_, actor) => ({ refresh_token: actor?.refreshToken ?? 'none' }),
    answers: { ...everybody(ok), anonymous: noRefreshToken, deleted: noRefreshToken, revoked: noRefreshToken },
    changes: true,
  },
  { route: 'POST /api/v1/auth/logout', answers: signedIn(ok), changes: true },
  { route: 'GET /api/v1/auth/sessions', answers: signedIn(ok) },
  { route: 'DELETE /api/v1/auth/sessions', answers: signedIn(ok), changes: true },
  {
    route: 'DELETE /api/v1/auth/sessions/:id',
    about: 'of oneself',
    params: (_, actor) => ({ id: actor?.sessionId ?? Bun.randomUUIDv7() }),
    answers: signedIn(ok),
    changes: true,
  },
  {
    route: 'DELETE /api/v1/auth/sessions/:id',
    about: 'of somebody else',
    params: ({ target }) => ({ id: target.sessionId }),
    answers: signedIn(noSession),
  },

  { route: 'GET /api/v1/users/me', answers: signedIn(ok) },
  { route: 'PATCH /api/v1/users/me', body: () => ({ bio: 'new' }), answers: signedIn(ok), changes: true },
  { route: 'DELETE /api/v1/users/me', answers: signedIn(ok), changes: true },
  {
    route: 'PATCH /api/v1/users/me/password',
    about: 'without knowing the old one',
    body: () => ({ old_password: 'Wrong1234', new_password: 'Another123' }),
    answers: signedIn(refused(403, 'Wrong password')),
  },
  { route: 'GET /api/v1/users/search', query: '?q=user', answers: signedIn(ok) },
  {
    route: 'GET /api/v1/users/',
    query: '?ids=0190f6a2-7c1e-7000-8000-000000000001',
    answers: signedIn(ok),
  },
  { route: 'GET /api/v1/users/:user_id', params: target, answers: signedIn(ok) },

  {
    route: 'POST /api/v1/chats/',
    body: ({ outsider }) => ({ name: 'Another', type: 'group', member_ids: [outsider.id] }),
    answers: signedIn(created),
    changes: true,
  },
  { route: 'GET /api/v1/chats/', answers: signedIn(ok) },
  {
    route: 'GET /api/v1/chats/dm/:user_id',
    params: ({ outsider }) => ({ user_id: outsider.id }),
    answers: signedIn(created),
    changes: true,
  },
  {
    route: 'GET /api/v1/chats/dm/:user_id',
    about: 'with oneself',
    params: oneself,
    answers: signedIn(faulty),
  },
  { route: 'GET /api/v1/chats/:chat_id', answers: anyMember },
  {
    route: 'PATCH /api/v1/chats/:chat_id',
    body: () => ({ name: 'Renamed' }),
    answers: inChat({ member: notManage, admin: ok, owner: ok, dmPeer: notInDm }),
    changes: true,
  },
  {
    route: 'DELETE /api/v1/chats/:chat_id',
    answers: inChat({ member: notOwn, admin: notOwn, owner: ok, dmPeer: notInDm }),
    changes: true,
  },
  { route: 'POST /api/v1/chats/:chat_id/read', body: () => ({ seq: 1 }), answers: anyMember, changes: true },
  { route: 'GET /api/v1/chats/:chat_id/members', answers: anyMember },
  {
    route: 'POST /api/v1/chats/:chat_id/members',
    body: ({ outsider }) => ({ user_ids: [outsider.id] }),
    answers: inChat({ member: notManage, admin: ok, owner: ok, dmPeer: notInDm }),
    changes: true,
  },
  {
    route: 'PATCH /api/v1/chats/:chat_id/members/:user_id',
    params: target,
    body: () => ({ role: 'admin' }),
    answers: inChat({ member: notOwn, admin: notOwn, owner: ok, dmPeer: notInDm }),
    changes: true,
  },
  {
    route: 'PATCH /api/v1/chats/:chat_id/members/:user_id',
    about: 'taking the ownership',
    params: oneself,
    body: () => ({ role: 'owner' }),
    answers: inChat({ member: notOwn, admin: notOwn, owner: faulty, dmPeer: notInDm }),
  },
  {
    route: 'DELETE /api/v1/chats/:chat_id/members/:user_id',
    about: 'a plain member',
    params: target,
    answers: inChat({ member: notManage, admin: ok, owner: ok, dmPeer: notInDm }),
    changes: true,
  },
  {
    route: 'DELETE /api/v1/chats/:chat_id/members/:user_id',
    about: 'the owner',
    params: ({ actors }) => ({ user_id: actors.owner.id }),
    answers: inChat({
      member: notManage,
      admin: refused(403, 'You may not remove an admin: only the owner may'),
      owner: handOver,
      dmPeer: notInDm,
    }),
  },
  {
    route: 'DELETE /api/v1/chats/:chat_id/members/:user_id',
    about: 'oneself',
    params: oneself,
    answers: inChat({ member: ok, admin: ok, owner: handOver, dmPeer: notInDm }),
    changes: true,
  },

  {
    route: 'POST /api/v1/messages',
    body: ({ chatId }) => ({ chat_id: chatId, content: 'hello' }),
    answers: inChat({ member: created, admin: created, owner: created, dmPeer: created }),
    changes: true,
  },
  {
    route: 'POST /api/v1/messages',
    about: 'in reply to one',
    body: ({ chatId, ownersMessageId }) => ({ chat_id: chatId, content: 'hello', reply_to_id: ownersMessageId }),
    answers: inChat({ member: created, admin: created, owner: created, dmPeer: created }),
    changes: true,
  },
  { route: 'GET /api/v1/chats/:chat_id/messages', answers: anyMember },
  { route: 'GET /api/v1/chats/:chat_id/messages/:message_id', params: ownersMessage, answers: anyMember },
  {
    route: 'PATCH /api/v1/chats/:chat_id/messages/:message_id',
    about: "the owner's",
    params: ownersMessage,
    body: () => ({ content: 'edited' }),
    answers: inChat({ member: notEdit, admin: notEdit, owner: ok, dmPeer: notEdit }),
    changes: true,
  },
  {
    route: 'PATCH /api/v1/chats/:chat_id/messages/:message_id',
    about: "a member's",
    params: membersMessage,
    body: () => ({ content: 'edited' }),
    answers: inChat({ member: ok, admin: notEdit, owner: notEdit, dmPeer: ok }),
    changes: true,
  },
  {
    route: 'DELETE /api/v1/chats/:chat_id/messages/:message_id',
    about: "the owner's",
    params: ownersMessage,
    answers: inChat({ member: notDelete, admin: ok, owner: ok, dmPeer: notDelete }),
    changes: true,
  },
  {
    route: 'DELETE /api/v1/chats/:chat_id/messages/:message_id',
    about: "a member's",
    params: membersMessage,
    answers: anyMember,
    changes: true,
  },
  { route: 'GET /api/v1/chats/:chat_id/changes', answers: anyMember },
  {
    route: 'POST /api/v1/sync',
    body: ({ chatId }) => ({ chats: { [chatId]: { seq: 0, rev: 0 } } }),
    answers: signedIn(ok),
  },
  ...peopleRows,
  ...channelRows,
  ...mediaRows,
  ...subscriptionRows,
  ...searchRows,
  ...uploadRows,
]
