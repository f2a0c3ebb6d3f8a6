/** Every route with something in its URL that a client fills in. */

/** 22 characters of base64url, as every code has them. */
export const UNKNOWN_CODE = 'A'.repeat(22)

/** `:` is what the test fills with what is no id; an invite's code is one too. CHAT is a chat of the caller's. */
export const idRoutes = [
  'DELETE /auth/sessions/:',
  'GET /users/:',
  'POST /users/:/block',
  'DELETE /users/:/block',
  'GET /chats/dm/:',
  'GET /chats/:',
  'PATCH /chats/:',
  'DELETE /chats/:',
  'POST /chats/:/read',
  'GET /chats/:/members',
  'POST /chats/:/members',
  'PATCH /chats/:/members/MEMBER',
  'PATCH /chats/CHAT/members/:',
  'DELETE /chats/:/members/MEMBER',
  'DELETE /chats/CHAT/members/:',
  'POST /chats/:/invites',
  'GET /chats/:/invites',
  'DELETE /chats/:/invites/CODE',
  'DELETE /chats/CHAT/invites/:',
  'GET /invites/:',
  'POST /invites/:/join',
  'GET /channels/:',
  'PATCH /channels/:',
  'POST /channels/:/subscribe',
  'DELETE /channels/:/subscribe',
  'GET /chats/:/messages',
  'GET /chats/:/messages/MESSAGE',
  'GET /chats/CHAT/messages/:',
  'PATCH /chats/:/messages/MESSAGE',
  'PATCH /chats/CHAT/messages/:',
  'DELETE /chats/:/messages/MESSAGE',
  'DELETE /chats/CHAT/messages/:',
  'GET /chats/:/changes',
  'GET /uploads/:',
  'PATCH /uploads/:',
  'DELETE /uploads/:',
]

/** Lists that come in pages: the path, the numbers of its query, and what it does not answer without. */
export const numberedPages: [path: string, names: string[], needed: string][] = [
  ['/chats', ['limit'], ''],
  ['/chats/CHAT/members', ['limit', 'offset'], ''],
  ['/chats/CHAT/messages', ['limit', 'offset', 'before_seq', 'after_seq'], ''],
  ['/chats/CHAT/changes', ['limit', 'after_seq', 'after_rev'], ''],
  ['/channels', ['limit'], ''],
  ['/messages/search', ['limit'], 'q=first&'],
  ['/users/me/blocks', ['limit'], ''],
  ['/users/me/audit', ['limit'], ''],
  ['/subscriptions/payments', ['limit'], ''],
]

/** Those that say where the next page begins. */
export const cursorPages: [path: string, needed: string][] = [
  ['/chats', ''],
  ['/channels', ''],
  ['/messages/search', 'q=first&'],
  ['/users/me/blocks', ''],
  ['/users/me/audit', ''],
  ['/subscriptions/payments', ''],
]
