import { describe, expect, it } from 'bun:test'
import { ChatPlaces } from '../../src/realtime/chat-places.ts'
import { newLocalUser } from '../../src/realtime/local-user.ts'
import { createOpeningUsers } from '../../src/realtime/opening-users.ts'

function create() {
  const places = new ChatPlaces()
  const [ada, ben, cleo] = [newLocalUser(places), newLocalUser(places), newLocalUser(places)]
  const opening = createOpeningUsers()
  // Not by what they are like: users without sockets are alike.
  const names = new Map([
    [ada, 'ada'],
    [ben, 'ben'],
    [cleo, 'cleo'],
  ])
  const namesIn = (place: number) => opening.in(place).map((user) => names.get(user))
  return { ada, ben, cleo, opening, namesIn }
}

describe('users whose sockets are opening', () => {
  it('are found by each of their chats, once', () => {
    const { ada, ben, opening, namesIn } = create()
    opening.add(ada, [0, 1])
    opening.add(ben, [1, 2])
    opening.add(ada, [0, 1])
    opening.add(ben, [1])
    expect([0, 1, 2, 3].map(namesIn)).toEqual([['ada'], ['ada', 'ben'], ['ben'], []])
  })

  it('are not when they left the chat, or are open', () => {
    const { ada, ben, cleo, opening, namesIn } = create()
    opening.add(ada, [0, 1])
    opening.add(ben, [1])
    opening.add(cleo, [1])
    opening.remove(ada, [1, 2])
    expect(namesIn(1)).toEqual(['ben', 'cleo'])
    opening.remove(ada, [1])
    opening.remove(ben, [0, 1])
    expect(namesIn(1)).toEqual(['cleo'])
    opening.remove(cleo, [1])
    expect(namesIn(1)).toEqual([])
    expect(namesIn(0)).toEqual(['ada'])
    opening.remove(ada, [0])
    expect(namesIn(0)).toEqual([])
  })
})
