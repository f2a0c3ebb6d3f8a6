/** Blocks, invites, the audit log, calls: who may do what. */
import type { TestUser } from '../support/client.ts'
import { created, faulty, inChat, notInDm, notManage, ok, type Row, refused, signedIn } from './answers.ts'
import type { World } from './world.ts'

const target = ({ target }: World) => ({ user_id: target.id })
const oneself = (_: World, actor: TestUser | undefined) => ({ user_id: actor?.id ?? Bun.randomUUIDv7() })
const invite = ({ inviteCode }: World) => ({ code: inviteCode })
const unknownCode = () => ({ code: 'A'.repeat(22) })
const noInvite = refused(404, 'Invite not found')

export const peopleRows: Row[] = [
  { route: 'POST /api/v1/users/:user_id/block', params: target, answers: signedIn(ok), changes: true },
  { route: 'POST /api/v1/users/:user_id/block', about: 'oneself', params: oneself, answers: signedIn(faulty) },
  { route: 'DELETE /api/v1/users/:user_id/block', params: target, answers: signedIn(ok) },
  { route: 'DELETE /api/v1/users/:user_id/block', about: 'oneself', params: oneself, answers: signedIn(faulty) },
  { route: 'GET /api/v1/users/me/blocks', answers: signedIn(ok) },
  { route: 'GET /api/v1/users/me/audit', answers: signedIn(ok) },
  { route: 'GET /api/v1/calls/ice-servers', answers: signedIn(ok) },

  {
    route: 'POST /api/v1/chats/:chat_id/invites',
    body: () => ({ expires_in: 3600, max_uses: 2 }),
    answers: inChat({ member: notManage, admin: created, owner: created, dmPeer: notInDm }),
    changes: true,
  },
  {
    route: 'GET /api/v1/chats/:chat_id/invites',
    answers: inChat({ member: notManage, admin: ok, owner: ok, dmPeer: notInDm }),
  },
  {
    route: 'DELETE /api/v1/chats/:chat_id/invites/:code',
    params: invite,
    answers: inChat({ member: notManage, admin: ok, owner: ok, dmPeer: notInDm }),
    changes: true,
  },
  {
    route: 'DELETE /api/v1/chats/:chat_id/invites/:code',
    about: 'that is not there',
    params: unknownCode,
    answers: inChat({ member: notManage, admin: noInvite, owner: noInvite, dmPeer: notInDm }),
  },
  { route: 'GET /api/v1/invites/:code', params: invite, answers: signedIn(ok) },
  { route: 'GET /api/v1/invites/:code', about: 'that is not there', params: unknownCode, answers: signedIn(noInvite) },
  {
    route: 'POST /api/v1/invites/:code/join',
    params: invite,
    answers: { ...signedIn(ok), exMember: refused(403, 'You were removed from this chat') },
    changes: true,
  },
  {
    route: 'POST /api/v1/invites/:code/join',
    about: 'that is not there',
    params: unknownCode,
    answers: signedIn(noInvite),
  },
]
