/** Every route that takes a body: one that works, and what is wrong for each of its fields. */
import { expect } from 'bun:test'
import type { Answer } from '../support/client.ts'
import type { TestServer } from '../support/server.ts'

export const UNKNOWN_ID = '0190f6a2-7c1e-7000-8000-000000000001'
/** One code point, two UTF-16 units, four bytes. */
export const ASTRAL = '😀'

/** What stands in a path for CHAT, CHANNEL, MEMBER and MESSAGE. */
export interface Stage {
  chatId: string
  channelId: string
  memberId: string
  messageId: string
}

/** A group and a channel of the owner's, the member in the group, and a message there. */
export async function setStage(server: TestServer) {
  const [owner, member] = [await server.addUser(), await server.addUser()]
  const chatId = await server.addGroup(owner, member)
  const channelId: string = (await owner.post('/channels', { name: 'Channel' })).body.id
  const messageId: string = (await owner.post('/messages', { chat_id: chatId, content: 'first' })).body.id
  const stage: Stage = { chatId, channelId, memberId: member.id, messageId }
  return { owner, stage }
}

export const fillPath = (pattern: string, { chatId, channelId, memberId, messageId }: Stage) =>
  pattern
    .replace('CHAT', chatId)
    .replace('CHANNEL', channelId)
    .replace('MEMBER', memberId)
    .replace('MESSAGE', messageId)

/** Every failure has this shape. */
export function expectFailure(answer: Answer, ...statuses: number[]): void {
  const { status, body } = answer
  const isShaped = typeof body?.error === 'string' && typeof body.details === 'object' && body.details !== null
  expect({ status, body, isShaped }).toEqual({
    status: statuses.length === 1 ? (statuses[0] ?? 0) : status,
    body,
    isShaped: true,
  })
  expect(Object.keys(body).sort()).toEqual(['details', 'error'])
  if (statuses.length > 0) expect(statuses).toContain(status)
  expect(status).toBeLessThan(500)
  expect(answer.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
}

export interface BodyRoute {
  method: string
  path: string
  /** Works as it is. */
  body: (of: Stage) => Record<string, unknown>
  /** Besides what is wrong for every field: a number, true, a list, an object. */
  faulty: Record<string, unknown[]>
  /** What a body without the field is: refused, if it is here. */
  required: string[]
}

const notText = [5, true, ['x'], { a: 1 }]
const badText = [...notText, null, '', 'a\0b', 'a\ud800', '\udc00']
const badId = [...notText, null, '', 'x', `${UNKNOWN_ID}0`, `${UNKNOWN_ID}\n`, 'null', `{${UNKNOWN_ID}}`]
const badCount = [true, [1], { a: 1 }, null, -1, 1.5, 1e300, 'x', '', '5', '60', '9'.repeat(400), 2 ** 53]

const badName = [...badText, 'x'.repeat(256), ASTRAL.repeat(256)]
const badDescription = [...notText, 'a\0b', 'a\ud800', 'x'.repeat(501), ASTRAL.repeat(501)]
const badFlag = [0, 1, null, '', 'true', 'false', 'yes', [true], { a: true }]
/** Where one creates and where one changes it. */
const badChannel = { name: badName, description: badDescription, is_public: badFlag }

export const routes: BodyRoute[] = [
  {
    method: 'POST',
    path: '/auth/register',
    body: () => ({ phone: '+15550001111', email: 'a@example.com', password: 'Password123', username: 'somebody' }),
    faulty: {
      phone: [...badText, '15550001111', '+0123', `+${'1'.repeat(16)}`, '+1555 000', '+١٢٣٤٥'],
      email: [
        ...badText.filter((value) => value !== null),
        'a',
        'a@b',
        'a b@example.com',
        `${'a'.repeat(250)}@example.com`,
        'a@example.com\0',
      ],
      password: [...badText, 'short1A', 'alllower1', 'ALLUPPER1', 'NoDigits', `${'a'.repeat(127)}A1`],
      username: [...badText, 'ab', 'a'.repeat(51), 'with space', 'ümlaut', '<script>'],
    },
    required: ['phone', 'password', 'username'],
  },
  {
    method: 'POST',
    path: '/auth/login',
    body: () => ({ phone_or_email: '+15550001111', password: 'Password123' }),
    faulty: {
      phone_or_email: [...badText.filter((value) => value !== null), 'x'.repeat(256)],
      password: [...notText, null, '', 'x'.repeat(1025)],
    },
    required: ['phone_or_email', 'password'],
  },
  {
    method: 'POST',
    path: '/auth/refresh',
    body: () => ({ refresh_token: 'x' }),
    faulty: { refresh_token: [...notText, null, '', 'x'.repeat(1025)] },
    required: ['refresh_token'],
  },
  {
    method: 'PATCH',
    path: '/users/me',
    body: () => ({ bio: 'b' }),
    faulty: {
      username: [...badText, 'ab', 'a'.repeat(51)],
      bio: [5, true, { a: 1 }, 'a\0b', 'a\ud800', 'x'.repeat(501), ASTRAL.repeat(501)],
      avatar: [...notText, 'http://127.0.0.1/x.png', 'data:text/html,x'],
    },
    required: [],
  },
  {
    method: 'PATCH',
    path: '/users/me/password',
    body: () => ({ old_password: 'Wrong1234', new_password: 'Another123' }),
    faulty: { old_password: [...notText, null, ''], new_password: [...badText, 'short1A'] },
    required: ['old_password', 'new_password'],
  },
  {
    method: 'POST',
    path: '/chats',
    body: () => ({ name: 'Group', type: 'group', member_ids: [] }),
    faulty: {
      name: badName,
      type: [...notText, null, '', 'dm', 'channel', 'Group'],
      member_ids: [5, true, 'x', {}, null, ['x'], [null], [5], [[]], Array(1001).fill(UNKNOWN_ID), [UNKNOWN_ID]],
    },
    required: ['name', 'type'],
  },
  {
    method: 'PATCH',
    path: '/chats/CHAT',
    body: () => ({ name: 'Group' }),
    faulty: { name: badName },
    required: ['name'],
  },
  {
    method: 'POST',
    path: '/chats/CHAT/read',
    body: () => ({ seq: 1 }),
    faulty: { seq: badCount },
    required: [],
  },
  {
    method: 'POST',
    path: '/chats/CHAT/members',
    body: ({ memberId }) => ({ user_ids: [memberId] }),
    faulty: { user_ids: [5, true, 'x', {}, null, [], ['x'], [null], [5], [UNKNOWN_ID], Array(1001).fill(UNKNOWN_ID)] },
    required: ['user_ids'],
  },
  {
    method: 'PATCH',
    path: '/chats/CHAT/members/MEMBER',
    body: () => ({ role: 'member' }),
    faulty: { role: [...notText, null, '', 'king', 'Owner', ['owner']] },
    required: ['role'],
  },
  {
    method: 'POST',
    path: '/chats/CHAT/invites',
    body: () => ({ expires_in: 3600, max_uses: 2 }),
    faulty: { expires_in: [...badCount, 0, 59, 31_536_001], max_uses: [...badCount, 0, 100_001] },
    required: [],
  },
  {
    method: 'POST',
    path: '/channels',
    body: () => ({ name: 'Channel', description: null, is_public: true }),
    faulty: badChannel,
    required: ['name'],
  },
  {
    method: 'PATCH',
    path: '/channels/CHANNEL',
    body: () => ({ name: 'Channel', description: null, is_public: true }),
    faulty: badChannel,
    required: [],
  },
  {
    method: 'POST',
    path: '/subscriptions/purchase',
    body: () => ({ subscription_type: 'premium_monthly', payment_method: 'stub' }),
    faulty: {
      subscription_type: [...notText, null, '', 'premium', 'Premium_monthly', 'premium_monthly\n', 'constructor'],
      payment_method: [...badText, 'gift', 'STUB', 'constructor', 'x'.repeat(51)],
    },
    required: ['subscription_type'],
  },
  {
    method: 'POST',
    path: '/messages',
    body: ({ chatId }) => ({ chat_id: chatId, content: 'hello' }),
    faulty: {
      chat_id: badId,
      content: [...badText, 'x'.repeat(4097), ASTRAL.repeat(4097)],
      message_type: [...notText, null, 'image', 'Text', ''],
      client_id: [5, true, { a: 1 }, '', 'x'.repeat(65), 'a\0b', 'a\ud800'],
      reply_to_id: [...badId.filter((id) => id !== null), UNKNOWN_ID],
    },
    required: ['chat_id', 'content'],
  },
  {
    method: 'PATCH',
    path: '/chats/CHAT/messages/MESSAGE',
    body: () => ({ content: 'edited' }),
    faulty: { content: [...badText, 'x'.repeat(4097)] },
    required: ['content'],
  },
  {
    method: 'POST',
    path: '/sync',
    body: () => ({ chats: {} }),
    faulty: {
      chats: [
        'x',
        null,
        { x: { seq: 0, rev: 0 } },
        { [UNKNOWN_ID]: null },
        { [UNKNOWN_ID]: { seq: 0 } },
        ...badCount.map((seq) => ({ [UNKNOWN_ID]: { seq, rev: 0 } })),
        Object.fromEntries(Array.from({ length: 400 }, () => [Bun.randomUUIDv7(), null])),
      ],
    },
    required: ['chats'],
  },
  {
    method: 'POST',
    path: '/media/links',
    body: () => ({ paths: ['uploads/2026/01/15/none.webp'] }),
    faulty: {
      paths: [5, true, { a: 1 }, null, '', 'x', [], [5], [null], [['x']], Array.from({ length: 101 }, () => 'x')],
    },
    required: ['paths'],
  },
]
