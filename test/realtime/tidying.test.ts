import { describe, expect, it } from 'bun:test'
import { createTidying } from '../../src/realtime/tidying.ts'

/** A collection takes so many ms of a clock that else stands still. */
function create({ collectionMs = 10 } = {}) {
  let time = 0
  let collections = 0
  const collect = () => {
    collections++
    time += collectionMs
  }
  const tidying = createTidying(collect, () => time)
  return {
    collections: () => collections,
    look: tidying.look,
    wait: (ms: number) => {
      time += ms
    },
    open: (count: number) => {
      for (let n = 0; n < count; n++) tidying.noteOpening()
    },
  }
}

describe('the garbage of sockets that open', () => {
  it('is collected when it is that of many', () => {
    const { open, collections } = create()
    open(10)
    expect(collections()).toBe(0)
    open(90)
    expect(collections()).toBe(1)
  })

  it('is collected no more often than leaves four fifths of the time for the work itself', () => {
    const { open, wait, collections } = create()
    for (let n = 0; n < 400; n++) {
      open(100)
      wait(1)
    }
    // 10 ms each, beside 400 ms of work.
    expect(collections()).toBe(10)
  })

  it('is collected again and again while they come slowly', () => {
    const { open, wait, collections } = create()
    for (let n = 0; n < 500; n++) {
      open(1)
      wait(100)
    }
    expect(collections()).toBe(20)
  })

  it('is left to the engine for a minute where collecting it would stop everything for long', () => {
    const { open, wait, collections } = create({ collectionMs: 100 })
    for (let n = 0; n < 59; n++) {
      open(100)
      wait(1000)
    }
    expect(collections()).toBe(1)
    wait(1000)
    open(100)
    expect(collections()).toBe(2)
  })

  it('of the last ones is collected once, when no more come', () => {
    const { open, wait, look, collections } = create()
    open(100)
    expect(collections()).toBe(1)
    wait(1500)
    look()
    expect(collections()).toBe(1)
    for (let n = 0; n < 5; n++) {
      wait(1000)
      look()
    }
    expect(collections()).toBe(2)
  })

  it('of a few is not worth it', () => {
    const { open, wait, look, collections } = create()
    open(20)
    wait(10_000)
    look()
    expect(collections()).toBe(0)
  })

  it('of the last ones waits where collecting it stopped everything for long a moment ago', () => {
    const { open, wait, look, collections } = create({ collectionMs: 100 })
    open(100)
    for (let n = 0; n < 59; n++) {
      wait(1000)
      look()
    }
    expect(collections()).toBe(1)
    wait(1000)
    look()
    expect(collections()).toBe(2)
  })
})
