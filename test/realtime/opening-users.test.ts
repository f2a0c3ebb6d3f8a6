import { describe, expect, it } from 'bun:test'
import { createIdPool } from '../../src/realtime/chat-ids.ts'
import { newLocalUser } from '../../src/realtime/local-user.ts'
import { createOpeningUsers } from '../../src/realtime/opening-users.ts'

function create() {
  const pool = createIdPool()
  const [ada, ben] = [newLocalUser(pool), newLocalUser(pool)]
  return { ada, ben, opening: createOpeningUsers() }
}

describe('users whose sockets are opening', () => {
  it('are found by each of their chats, once', () => {
    const { ada, ben, opening } = create()
    opening.add(ada, ['a', 'b'])
    opening.add(ben, ['b', 'c'])
    opening.add(ada, ['b'])
    // Not by what they are like: two users without sockets are alike.
    expect(['a', 'b', 'c', 'd'].map((id) => opening.in(id).map((user) => (user === ada ? 'ada' : 'ben')))).toEqual([
      ['ada'],
      ['ada', 'ben'],
      ['ben'],
      [],
    ])
  })

  it('are not when they left the chat, or are open', () => {
    const { ada, ben, opening } = create()
    opening.add(ada, ['a', 'b'])
    opening.add(ben, ['b'])
    opening.remove(ada, ['b', 'c'])
    expect(opening.in('b')).toEqual([ben])
    expect(opening.in('b')[0]).toBe(ben)
    opening.remove(ben, ['a', 'b'])
    expect(opening.in('b')).toEqual([])
    expect(opening.in('a')).toHaveLength(1)
    opening.remove(ada, ['a'])
    expect(opening.in('a')).toEqual([])
  })
})
