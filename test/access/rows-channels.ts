/** Channels: who may do what. */
import type { TestUser } from '../support/client.ts'
import {
  type Answers,
  created,
  type Expected,
  everybody,
  handOver,
  noChat,
  notManage,
  notOwn,
  ok,
  type Row,
  refused,
  shutOut,
  signedIn,
} from './answers.ts'
import type { World } from './world.ts'

const noChannel = refused(404, 'Channel not found')
const notManageChannel = refused(403, 'You may not manage this channel')
const notPost = refused(403, 'You may not post in this channel')
const notList = refused(403, "You may not see this channel's subscribers")
const removed = refused(403, 'You were removed from this chat')

const open = ({ channel }: World) => ({ id: channel.id, chat_id: channel.id })
const closed = ({ channel }: World) => ({ id: channel.privateId, chat_id: channel.privateId })
const target = (world: World) => ({ ...open(world), user_id: world.target.id })
const oneself = (world: World, actor: TestUser | undefined) => ({
  ...open(world),
  user_id: actor?.id ?? Bun.randomUUIDv7(),
})

type Standing = Record<'member' | 'admin' | 'owner', Expected>
/** `others`: who is signed in and has not subscribed. `exMember` was removed by the staff. */
const subscribers = (answers: Standing, others: Expected): Answers => ({
  ...everybody(others),
  ...answers,
  ...shutOut,
})
const all = (answer: Expected): Standing => ({ member: answer, admin: answer, owner: answer })
const staff = (member: Expected, answer = ok): Standing => ({ member, admin: answer, owner: answer })

export const channelRows: Row[] = [
  { route: 'POST /api/v1/channels/', body: () => ({ name: 'Another' }), answers: signedIn(created), changes: true },
  { route: 'GET /api/v1/channels/', answers: signedIn(ok) },
  { route: 'GET /api/v1/channels/:id', about: 'a public one', params: open, answers: signedIn(ok) },
  {
    route: 'GET /api/v1/channels/:id',
    about: 'a private one',
    params: closed,
    answers: subscribers(all(ok), noChannel),
  },
  {
    route: 'GET /api/v1/channels/:id',
    about: 'a group',
    params: ({ chatId }) => ({ id: chatId }),
    answers: signedIn(noChannel),
  },
  {
    route: 'PATCH /api/v1/channels/:id',
    about: 'a public one',
    params: open,
    body: () => ({ name: 'Renamed', description: 'new', is_public: false }),
    answers: subscribers(staff(notManageChannel), notManageChannel),
    changes: true,
  },
  {
    route: 'PATCH /api/v1/channels/:id',
    about: 'a private one',
    params: closed,
    body: () => ({ name: 'Renamed', description: 'new', is_public: true }),
    answers: subscribers(staff(notManageChannel), noChannel),
    changes: true,
  },
  {
    route: 'POST /api/v1/channels/:id/subscribe',
    about: 'to a public one',
    params: open,
    answers: { ...subscribers(all(ok), ok), exMember: removed },
    changes: true,
  },
  {
    route: 'POST /api/v1/channels/:id/subscribe',
    about: 'to a private one',
    params: closed,
    answers: subscribers(all(ok), noChannel),
  },
  {
    route: 'DELETE /api/v1/channels/:id/subscribe',
    about: 'from a public one',
    params: open,
    answers: subscribers({ member: ok, admin: ok, owner: handOver }, ok),
    changes: true,
  },
  {
    route: 'DELETE /api/v1/channels/:id/subscribe',
    about: 'from a private one',
    params: closed,
    answers: subscribers({ member: ok, admin: ok, owner: handOver }, noChannel),
    changes: true,
  },

  // What chats have, in a channel. To have found a public one is not to be in it.
  {
    route: 'GET /api/v1/chats/:chat_id',
    about: 'a public channel',
    params: open,
    answers: subscribers(all(ok), noChat),
  },
  {
    route: 'PATCH /api/v1/chats/:chat_id',
    about: 'a public channel',
    params: open,
    body: () => ({ name: 'Renamed' }),
    answers: subscribers(staff(notManage), noChat),
    changes: true,
  },
  {
    route: 'DELETE /api/v1/chats/:chat_id',
    about: 'a public channel',
    params: open,
    answers: subscribers({ member: notOwn, admin: notOwn, owner: ok }, noChat),
    changes: true,
  },
  {
    route: 'POST /api/v1/chats/:chat_id/read',
    about: 'a public channel',
    params: open,
    body: () => ({}),
    answers: subscribers(all(ok), noChat),
    changes: true,
  },
  {
    route: 'GET /api/v1/chats/:chat_id/members',
    about: 'of a public channel',
    params: open,
    answers: subscribers(staff(notList), noChat),
  },
  {
    route: 'POST /api/v1/chats/:chat_id/members',
    about: 'of a public channel',
    params: open,
    body: ({ outsider }) => ({ user_ids: [outsider.id] }),
    answers: subscribers(staff(notManage), noChat),
    changes: true,
  },
  {
    route: 'PATCH /api/v1/chats/:chat_id/members/:user_id',
    about: 'of a public channel',
    params: target,
    body: () => ({ role: 'admin' }),
    answers: subscribers({ member: notOwn, admin: notOwn, owner: ok }, noChat),
    changes: true,
  },
  {
    route: 'DELETE /api/v1/chats/:chat_id/members/:user_id',
    about: 'a subscriber of a public channel',
    params: target,
    answers: subscribers(staff(notManage), noChat),
    changes: true,
  },
  {
    route: 'DELETE /api/v1/chats/:chat_id/members/:user_id',
    about: 'oneself, of a public channel',
    params: oneself,
    answers: subscribers({ member: ok, admin: ok, owner: handOver }, noChat),
    changes: true,
  },
  {
    route: 'POST /api/v1/messages',
    about: 'in a public channel',
    body: ({ channel }) => ({ chat_id: channel.id, content: 'hello' }),
    answers: subscribers(staff(notPost, created), noChat),
    changes: true,
  },
  {
    route: 'GET /api/v1/chats/:chat_id/messages',
    about: 'of a public channel',
    params: open,
    answers: subscribers(all(ok), noChat),
  },
  {
    route: 'GET /api/v1/chats/:chat_id/changes',
    about: 'of a public channel',
    params: open,
    answers: subscribers(all(ok), noChat),
  },
]
