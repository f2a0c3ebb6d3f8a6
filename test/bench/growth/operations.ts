/** What is asked as a place grows: the product's own services, each with what it is asked by somebody in so many chats. */
import type { Services } from '../../../src/services.ts'
import { rareWord, type World } from './fill.ts'

export interface Operation {
  name: string
  run(services: Services, n: number): Promise<unknown>
}

export const MARK = 'A message of the measurement, taken away again.'
const PAGE = 50
/** Behind in so many chats, by so many messages. */
const BEHIND = { chats: 20, messages: 5 }

/** @param heads where the chats of the reader stand, by id */
export function listOperations(
  { readers, chatIds }: World,
  chats: number,
  heads: ReadonlyMap<string, { seq: number; rev: number }>,
): Operation[] {
  const userId = readers.get(chats)?.id ?? ''
  const own = chatIds.slice(0, chats)
  const busy = own[0] ?? ''
  const { seq, rev } = heads.get(busy) ?? { seq: 0, rev: 0 }
  const chatAt = (n: number) => own[(n * 7) % own.length] ?? busy
  const held = Object.fromEntries(
    [...heads].map(([id, head], n) => {
      const behind = n < BEHIND.chats ? BEHIND.messages : 0
      return [id, { seq: Math.max(0, head.seq - behind), rev: head.rev }]
    }),
  )
  return [
    { name: 'send', run: ({ messages }, n) => messages.send(userId, { chat_id: chatAt(n), content: MARK }) },
    { name: 'newest page of 50', run: ({ messages }) => messages.list(userId, busy, { limit: PAGE }) },
    {
      name: 'page of 50 in the middle',
      run: ({ messages }, n) => messages.list(userId, busy, { limit: PAGE, before_seq: Math.floor(seq / 2) - n }),
    },
    { name: 'chat list of 50', run: ({ chats: list }) => list.list(userId, { limit: PAGE }) },
    { name: 'a chat and its unread count', run: ({ chats: list }, n) => list.get(userId, chatAt(n)) },
    { name: 'where all chats stand', run: ({ chats: list }) => list.listHeads(userId) },
    { name: 'sync of all chats', run: ({ sync }) => sync.sync(userId, { chats: held }) },
    {
      name: 'changes of a chat',
      run: ({ sync }) =>
        sync.changes(userId, busy, { after_seq: Math.max(0, seq - 20), after_rev: Math.max(0, rev - 10) }),
    },
    { name: 'search: a rare word', run: ({ search }, n) => search.search(userId, { q: rareWord(n * 17 + 3) }) },
    { name: 'search: a word in all', run: ({ search }) => search.search(userId, { q: 'harbours' }) },
    { name: 'search in one chat', run: ({ search }, n) => search.search(userId, { q: `c${n + 1}`, chat_id: busy }) },
  ]
}
