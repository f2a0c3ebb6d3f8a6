import { describe, expect, it } from 'bun:test'
import { ChatIds } from '../../src/realtime/chat-ids.ts'
import { ChatPlaces } from '../../src/realtime/chat-places.ts'

const uuids = (count: number) => Array.from({ length: count }, () => crypto.randomUUID() as string)
const placesOf = (chats: ChatIds) => chats.places()

describe('the chats that a user follows', () => {
  it('are a set: added once, found, deleted once', () => {
    const chats = new ChatIds(new ChatPlaces())
    const [a = '', b = '', c = '', d = '', other = ''] = uuids(5)
    expect([...chats.add([b, d, a])]).toHaveLength(3)
    expect([...chats.add([c, b])]).toHaveLength(1)
    expect(chats.list().sort()).toEqual([a, b, c, d].sort())
    expect([a, b, c, d, other, '', 'a'].map((id) => chats.has(id))).toEqual([
      ...[true, true, true, true],
      ...[false, false, false],
    ])
    expect([chats.delete(b), chats.delete(b), chats.delete(other)]).toEqual([true, false, false])
    expect(chats.list().sort()).toEqual([a, c, d].sort())
  })

  it('do as a set does, whatever is added and deleted in whatever order, beside what others follow', () => {
    const shared = new ChatPlaces()
    const known = uuids(40)
    const pick = () => known[Math.floor(Math.random() * known.length)] ?? ''
    const users = [0, 1, 2].map(() => ({ chats: new ChatIds(shared), set: new Set<string>() }))
    for (let round = 0; round < 3000; round++) {
      const { chats, set } = users[round % users.length] ?? { chats: new ChatIds(shared), set: new Set() }
      const id = pick()
      if (Math.random() < 0.5) expect(chats.delete(id)).toBe(set.delete(id))
      else {
        const added = new Set([id, pick()])
        chats.add([...added])
        for (const one of added) set.add(one)
      }
      expect(chats.list().sort()).toEqual([...set].sort())
      expect(known.every((one) => chats.has(one) === set.has(one))).toBe(true)
    }
  })

  it('are places of the table that all share, for as long as somebody follows them', () => {
    const shared = new ChatPlaces()
    const ids = uuids(3)
    const [one, other] = [new ChatIds(shared), new ChatIds(shared)]
    const places = [...one.add(ids)]
    one.add(ids)
    other.add(ids.slice(0, 1))
    expect(placesOf(one)).toEqual(places.toSorted((a, b) => a - b))
    expect(placesOf(other)).toEqual(places.slice(0, 1))
    expect(one.clear().sort()).toEqual(ids.toSorted())
    expect(placesOf(one)).toEqual([])
    expect(ids.map((id) => shared.find(id) >= 0)).toEqual([true, false, false])
    other.delete(ids[0] ?? '')
    other.delete(ids[0] ?? '')
    expect(shared.find(ids[0] ?? '')).toBe(-1)
  })
})
