import { describe, expect, it } from 'bun:test'
import { ChatPlaces } from '../../src/realtime/chat-places.ts'

const uuid = () => crypto.randomUUID() as string

describe('the table of chats', () => {
  it('gives each id a place, and knows it as long as somebody holds it', () => {
    const places = new ChatPlaces()
    const [a, b] = [uuid(), uuid()]
    const place = places.take(a)
    expect(places.take(a)).toBe(place)
    expect(places.take(b)).not.toBe(place)
    expect(places.find(a)).toBe(place)
    expect(places.idOf(place)).toBe(a)
    places.release(place)
    expect(places.find(a)).toBe(place)
    places.release(place)
    expect(places.find(a)).toBe(-1)
    expect(places.idOf(places.find(b))).toBe(b)
  })

  it('finds an id that stands at the end of a text, and nothing that is none', () => {
    const places = new ChatPlaces()
    const id = '0a1b2c3d-4e5f-6789-abcd-ef0123456789'
    const place = places.take(id)
    expect(places.find(`chat:${id}`, 5)).toBe(place)
    expect(places.idOf(place)).toBe(id)
    const others = [
      `chat:${id}`,
      `${id} `,
      id.toUpperCase(),
      id.replace('-', ''),
      id.replace('0a1b2c3d-4', '0a1b2c3d4-'),
      '',
    ]
    for (const text of [...others, 'ø'.repeat(36), '-'.repeat(36), id.replace('9', 'g')])
      expect(places.find(text)).toBe(-1)
    expect(() => places.take('a')).toThrow('UUID')
  })

  it('never gives the topic of one chat to another, even where the place is the same', () => {
    const places = new ChatPlaces()
    const topics = new Set<string>()
    for (let n = 0; n < 1000; n++) {
      const place = places.take(uuid())
      topics.add(places.topicOf(place))
      places.release(place)
    }
    expect(topics.size).toBe(1000)
    expect([...topics].every((topic) => topic.length <= 15)).toBe(true)
  })

  it('does as a map does with thousands that come and go, whether they are random or alike', () => {
    const places = new ChatPlaces()
    const alike = (n: number) => `${n.toString(16).padStart(8, '0')}-0000-4000-8000-000000000000`
    const ids = [...Array.from({ length: 3000 }, uuid), ...Array.from({ length: 3000 }, (_, n) => alike(n))]
    const held = new Map<string, number>()
    for (let n = 0; n < 60_000; n++) {
      const id = ids[Math.floor(Math.random() * ids.length)] ?? ''
      const count = held.get(id) ?? 0
      if (Math.random() < 0.45 && count > 0) {
        places.release(places.find(id))
        held.set(id, count - 1)
      } else {
        places.take(id)
        held.set(id, count + 1)
      }
    }
    const wrong = ids.filter((id) => {
      const place = places.find(id)
      return (held.get(id) ?? 0) > 0 ? place < 0 || places.idOf(place) !== id : place >= 0
    })
    expect(wrong).toEqual([])
    const taken = ids.map((id) => places.find(id)).filter((place) => place >= 0)
    expect(new Set(taken).size).toBe(taken.length)
  })
})
