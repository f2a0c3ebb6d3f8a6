/** What every implementation of the holders guarantees (src/cache/holders.ts). */
import { describe, expect, it } from 'bun:test'
import type { Holders } from '../../src/cache/holders.ts'
import { freshName } from './worlds.ts'

/** `connect` gives another instance's holders; the same where there is only one instance. */
export function describeHolders(name: string, connect: () => Promise<Holders>): void {
  describe(name, () => {
    const pair = async () => [await connect(), await connect()] as const
    const fresh = () => ({ group: freshName(), member: freshName() })

    it('tells the first that holds, and the last that releases, over all instances', async () => {
      const [here, there] = await pair()
      const one = fresh()
      expect([await here.hold(one), await there.hold(one), await here.hold(one)]).toEqual([true, false, false])
      expect([await here.release(one), await here.release(one)]).toEqual([false, false])
      expect(await there.release(one)).toBe(true)
      expect(await there.hold(one)).toBe(true)
      expect(await there.release(one)).toBe(true)
    })

    it('tells exactly one of those who hold, and one of those who release at once', async () => {
      const [here, there] = await pair()
      const one = fresh()
      for (let round = 0; round < 20; round++) {
        const both = [here, there, here, there, here, there]
        const held = await Promise.all(both.map((holders) => holders.hold(one)))
        expect(held.filter(Boolean)).toHaveLength(1)
        const released = await Promise.all(both.map((holders) => holders.release(one)))
        expect(released.filter(Boolean)).toHaveLength(1)
      }
    })

    it('does not release what is not held', async () => {
      const [here] = await pair()
      const one = fresh()
      expect(await here.release(one)).toBe(false)
      await here.hold(one)
      expect(await here.release({ ...one, member: freshName() })).toBe(false)
      expect(await here.areHeld([one])).toEqual([true])
      await here.release(one)
      expect(await here.release(one)).toBe(false)
    })

    it('lists the members of a group once each, up to the limit', async () => {
      const [here, there] = await pair()
      const group = freshName()
      expect(await here.list(group, 200)).toEqual([])
      const members = Array.from({ length: 30 }, freshName)
      for (const [index, member] of members.entries()) {
        await (index % 2 ? here : there).hold({ group, member })
        if (index % 3 === 0) await here.hold({ group, member })
      }
      for (const holders of [here, there]) {
        expect((await holders.list(group, 200)).sort()).toEqual([...members].sort())
        expect(new Set(await holders.list(group, 10)).size).toBe(10)
      }
    })

    it('counts each member of a group that grows from one and shrinks again', async () => {
      const [here] = await pair()
      const group = freshName()
      const [one, other] = [freshName(), freshName()]
      const state = async () => ({
        held: await here.areHeld([one, other].map((member) => ({ group, member }))),
        listed: (await here.list(group, 10)).sort(),
      })
      for (let round = 0; round < 3; round++) {
        expect([await here.hold({ group, member: one }), await here.hold({ group, member: one })]).toEqual([
          true,
          false,
        ])
        expect(await state()).toEqual({ held: [true, false], listed: [one] })
        expect(await here.hold({ group, member: other })).toBe(true)
        expect(await state()).toEqual({ held: [true, true], listed: [one, other].sort() })
        expect([await here.release({ group, member: one }), await here.release({ group, member: one })]).toEqual([
          false,
          true,
        ])
        expect(await state()).toEqual({ held: [false, true], listed: [other] })
        expect(await here.release({ group, member: other })).toBe(true)
        expect(await state()).toEqual({ held: [false, false], listed: [] })
      }
    })

    it('answers many at once, each in its place', async () => {
      const [here, there] = await pair()
      const group = freshName()
      const all = Array.from({ length: 60 }, (_, n) => ({ group: n < 30 ? group : freshName(), member: freshName() }))
      for (const [index, one] of all.entries()) if (index % 3) await (index % 3 === 1 ? here : there).hold(one)
      const expected = all.map((_, index) => index % 3 > 0)
      expect(await here.areHeld(all)).toEqual(expected)
      expect(await there.areHeld(all)).toEqual(expected)
      expect(await here.areHeld([])).toEqual([])
    })

    it('keeps members apart whose names begin alike', async () => {
      const [here] = await pair()
      const group = freshName()
      await here.hold({ group, member: 'anna' })
      expect(await here.areHeld([{ group, member: 'ann' }])).toEqual([false])
      expect(await here.hold({ group, member: 'ann' })).toBe(true)
      expect(await here.release({ group, member: 'anna' })).toBe(true)
    })

    it('finds no dead among the living', async () => {
      const [here, there] = await pair()
      const one = fresh()
      await here.hold(one)
      expect(await there.sweepDead()).toEqual([])
      expect(await there.areHeld([one])).toEqual([true])
    })
  })
}
