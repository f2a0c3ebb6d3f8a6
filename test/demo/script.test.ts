/** The stories of the demo, before anything is stored: they hold together whenever they are told. */
import { describe, expect, it } from 'bun:test'
import { toJpeg } from '../../src/demo/pictures/draw.ts'
import { dawn } from '../../src/demo/pictures/landscapes.ts'
import { instantsOf } from '../../src/demo/script.ts'
import { stories } from '../../src/demo/seed.ts'
import { pluckedTune } from '../../src/demo/tune.ts'

const titleOf = (story: (typeof stories)[number]) => (story.type === 'dm' ? story.members.join(' and ') : story.name)
const linesOf = (story: (typeof stories)[number]) => story.days.flatMap(({ lines }) => lines)

describe('every story', () => {
  for (const story of stories) {
    it(`keeps its order whenever it is told, and ends before now: ${titleOf(story)}`, () => {
      for (let hour = 0; hour < 24 * 7; hour++) {
        const now = new Date(2026, 2, 1, hour, hour === 0 ? 1 : 30)
        const instants = instantsOf(story, now).map((at) => at.getTime())
        expect(instants).toEqual(instants.toSorted((a, b) => a - b))
        expect(new Set(instants).size).toBe(instants.length)
        expect(instants.at(-1)).toBeLessThan(now.getTime())
        // Minutes ago are what they say: nothing before has pushed them.
        for (const [index, { at }] of linesOf(story).entries()) {
          if ('minutesAgo' in at) expect(instants[index]).toBe(now.getTime() - at.minutesAgo * 60_000)
        }
      }
    })

    it(`is told by those who are in it, and answers what was said before: ${titleOf(story)}`, () => {
      const keys = new Set<string>()
      for (const { by, replyTo, key } of linesOf(story)) {
        expect(story.members).toContain(by)
        if (replyTo !== undefined) expect(keys).toContain(replyTo)
        if (key !== undefined) keys.add(key)
      }
    })

    it(`leaves nobody's own words unread to them: ${titleOf(story)}`, () => {
      for (const [name, count] of Object.entries(story.unread ?? {})) {
        const newest = linesOf(story).slice(-count)
        expect(newest).toHaveLength(count)
        expect(newest.map(({ by }) => by)).not.toContain(name)
      }
    })
  }
})

describe('what is sent', () => {
  it('is the same each time, to the byte', async () => {
    expect((await toJpeg(dawn())).equals(await toJpeg(dawn()))).toBe(true)
    expect(Bun.hash(pluckedTune())).toBe(Bun.hash(pluckedTune()))
  })
})
