import { describe, expect, it } from 'bun:test'
import { ChatIds, createIdPool, type IdPool } from '../../src/realtime/chat-ids.ts'

/** As they come from the database: equal, and never the same string. */
const fresh = (id: string) => Buffer.from(id).toString()
const uuids = (count: number) => Array.from({ length: count }, () => crypto.randomUUID() as string)

/** A pool of which one can see how often each id is held. */
function watched() {
  const pool = createIdPool()
  const held = new Map<string, number>()
  const count = (id: string, by: number) => {
    const now = (held.get(id) ?? 0) + by
    if (now === 0) held.delete(id)
    else held.set(id, now)
  }
  const watching: IdPool = {
    take: (id) => {
      count(id, 1)
      return pool.take(id)
    },
    release: (id) => {
      count(id, -1)
      pool.release(id)
    },
  }
  return { pool: watching, held }
}

describe('the chats that a user follows', () => {
  it('are a set: added once, found, deleted once', () => {
    const chats = new ChatIds(createIdPool())
    chats.add(['b', 'd', 'a'])
    chats.add(['c', 'b'])
    expect([...chats]).toEqual(['a', 'b', 'c', 'd'])
    expect(['a', 'b', 'c', 'd', 'e', '', 'aa'].map((id) => chats.has(id))).toEqual([
      ...[true, true, true, true],
      ...[false, false, false],
    ])
    expect([chats.delete('b'), chats.delete('b'), chats.delete('z')]).toEqual([true, false, false])
    expect([...chats]).toEqual(['a', 'c', 'd'])
  })

  it('do as a set does, whatever is added and deleted in whatever order', () => {
    const known = uuids(40)
    const pick = () => known[Math.floor(Math.random() * known.length)] ?? ''
    const chats = new ChatIds(createIdPool())
    const set = new Set<string>()
    for (let round = 0; round < 2000; round++) {
      const id = fresh(pick())
      if (Math.random() < 0.5) expect(chats.delete(id)).toBe(set.delete(id))
      else {
        const added = new Set([id, pick()])
        chats.add([...added])
        for (const one of added) set.add(one)
      }
      expect([...chats]).toEqual([...set].sort())
      expect(known.every((one) => chats.has(fresh(one)) === set.has(one))).toBe(true)
    }
  })

  it('can be deleted while a list of them is gone through', () => {
    const chats = new ChatIds(createIdPool())
    chats.add(uuids(100))
    for (const id of chats.list()) expect(chats.delete(id)).toBe(true)
    expect([...chats]).toEqual([])
  })

  it('are held in the pool for as long as somebody follows them', () => {
    const { pool, held } = watched()
    const ids = uuids(3)
    const [one, other] = [new ChatIds(pool), new ChatIds(pool)]
    one.add(ids.map(fresh))
    one.add(ids.map(fresh))
    other.add(ids.slice(0, 1).map(fresh))
    expect([...held.values()].sort()).toEqual([1, 1, 2])
    for (const id of one.list()) one.delete(id)
    expect([...held]).toEqual([[ids[0] ?? '', 1]])
    other.delete(ids[0] ?? '')
    other.delete(ids[0] ?? '')
    expect(held.size).toBe(0)
  })
})

describe('the pool of ids', () => {
  it('gives back an id after everybody released it, and one more time', () => {
    const pool = createIdPool()
    expect([pool.take('a'), pool.take(fresh('a'))]).toEqual(['a', 'a'])
    for (let n = 0; n < 3; n++) pool.release('a')
    expect(pool.take('a')).toBe('a')
  })
})
